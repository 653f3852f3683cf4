"""Can a verdict from here be trusted? Every set up cloud is examined, with harmless calls only."""

from __future__ import annotations

from sgguard.operations.doctor.checkup import Checkup as Checkup
from sgguard.operations.doctor.examine import examine as examine
from sgguard.operations.doctor.region import Place as Place
from sgguard.operations.doctor.region import places as places
from sgguard.operations.doctor.report import UNWRAPPED as UNWRAPPED
from sgguard.operations.doctor.report import to_json as to_json
from sgguard.operations.doctor.report import to_text as to_text
