"""Can a verdict from here be trusted? Every configured cloud is examined, with harmless calls."""

from __future__ import annotations

from sgguard.operations.doctor.callers import examine_callers
from sgguard.operations.doctor.checkup import Checkup
from sgguard.operations.doctor.examine import examine
from sgguard.operations.doctor.here import Here, examine_here
from sgguard.operations.doctor.region import CloudRegion, account_regions, cloud_regions
from sgguard.operations.doctor.report import UNWRAPPED, here_lines, to_json, to_text

__all__ = [
    "UNWRAPPED",
    "Checkup",
    "CloudRegion",
    "Here",
    "account_regions",
    "cloud_regions",
    "examine",
    "examine_callers",
    "examine_here",
    "here_lines",
    "to_json",
    "to_text",
]
