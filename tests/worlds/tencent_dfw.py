"""The groups of the world of ``tencent``, behind the legacy API 2.0."""

from __future__ import annotations

import copy
from dataclasses import replace

from tests.worlds import tencent

_SCENARIO = copy.deepcopy(tencent.WORLD.scenario)
_SCENARIO["clouds"][0]["provider"] = "tencent-dfw"

WORLD = replace(
    tencent.WORLD,
    provider="tencent-dfw",
    scenario=_SCENARIO,
    denied_references="DescribeAssociateSecurityGroups",
)
