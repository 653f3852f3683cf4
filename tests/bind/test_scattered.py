"""Servers that vanish after they were judged, on every provider: the others are bound.

A server that is gone is what every cloud refuses; codes of a single cloud are in ``test_codes``.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.clouds import names
from sgguard.engine import bind
from sgguard.model.event import Event
from sgguard.model.request import BindRequest
from tests.bind.harness import by_status
from tests.bind.test_every_provider import carriers
from tests.bind.test_killed import cloud_of
from tests.engine.interleaved import context_of
from tests.remedy.harness import Harness

WRITES = {
    "tencent": "AssociateSecurityGroups",
    "tencent-dfw": "ModifySecurityGroupsOfInstance",
    "alibaba": "JoinSecurityGroup",
    "huawei": "insert-security-groups",
    "openstack": "PUT",
}

# What is counted is calls: a busy machine may take its time.
SLOW_MACHINE = {"SGGUARD_DEADLINE_S": "1000"}


class Vanishing:
    """A store that lets servers vanish with the first line of the journal."""

    def __init__(self, store: Any, cloud: Harness, gone: set[str]) -> None:
        self._store, self._cloud, self._gone = store, cloud, gone

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def intend(self, *args: Any) -> None:
        self._store.intend(*args)
        (state,) = self._cloud.emulator.state.clouds
        state.instances = [one for one in state.instances if one.id not in self._gone]
        state.interfaces = [one for one in state.interfaces if one.instance not in self._gone]


def writes(cloud: Harness) -> int:
    wanted = WRITES[cloud.world.provider]
    return sum(
        wanted in (one.action, one.method) or one.path.endswith(wanted)
        for one in cloud.emulator.requests
    )


@pytest.mark.slow
@pytest.mark.parametrize("provider", names())
@pytest.mark.parametrize(("share", "count"), [(0.01, 200), (0.1, 120), (0.5, 24)])
def test_every_good_one_is_bound_and_every_bad_one_named_within_the_bound(
    provider, share, count, tmp_path
):
    cloud, servers = cloud_of(provider, tmp_path, count)
    gone = set(random.Random(f"{share}").sample(servers, math.ceil(share * count)))
    context = context_of(cloud, env=SLOW_MACHINE)
    context.store.paces().tick = context.lanes.clock
    context = replace(context, store=Vanishing(context.store, cloud, gone))
    parts = Counter(one.instance for one in cloud.emulator.state.clouds[0].interfaces)
    request = BindRequest(cloud.scope, cloud.world.free, holders=tuple(servers))
    data = {"holders": json.dumps(servers)}
    (done,) = bind.binds([(request, Event("b-1", data, "/portal"))], context)
    assert by_status(done, "refused") == gone
    assert by_status(done, "done") == set(servers) - gone == carriers(cloud, cloud.world.free)
    together = {"tencent": 100, "tencent-dfw": 20}.get(provider, 1)
    assert providers.bulk(cloud.world.connect(cloud.emulator)).largest >= together
    holders = sum(max(1, parts[one]) for one in servers) if together == 1 else count
    bound = math.ceil(holders / together) + len(gone) * (math.ceil(math.log2(together)) + 1)
    assert 0 < writes(cloud) <= bound
