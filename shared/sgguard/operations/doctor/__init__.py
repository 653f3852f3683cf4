"""Can a verdict from here be trusted? Every configured cloud is examined, with harmless calls."""

from __future__ import annotations

from sgguard.operations.doctor.checkup import Checkup
from sgguard.operations.doctor.examine import examine
from sgguard.operations.doctor.region import CloudRegion, cloud_regions
from sgguard.operations.doctor.report import UNWRAPPED, to_json, to_text

__all__ = [
    "UNWRAPPED",
    "Checkup",
    "CloudRegion",
    "cloud_regions",
    "examine",
    "to_json",
    "to_text",
]
