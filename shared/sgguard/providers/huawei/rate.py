"""How often an API of Huawei Cloud may be called, per second.

The gateway counts by API and user, some APIs by minutes ("limit:200,time:5 minute",
terraform-provider-huaweicloud #1335): the wait it names is kept, see
:mod:`sgguard.providers.huawei.error`. Documented is a default of 200 calls a second; of 71 a second
seven in ten came back with 429, so what passed then is kept to (field notes, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping

RATES: Mapping[str, float] = {"*": 20.0}
"""Calls per second, by action."""
