"""Can a verdict from here be trusted? Every set up cloud is examined, with harmless calls only."""

from __future__ import annotations

from sgguard.doctor.checkup import Checkup as Checkup
from sgguard.doctor.examine import examine as examine
from sgguard.doctor.place import Place as Place
from sgguard.doctor.place import places as places
from sgguard.doctor.report import UNWRAPPED as UNWRAPPED
from sgguard.doctor.report import to_json as to_json
from sgguard.doctor.report import to_text as to_text
