"""A page of a large cloud takes the work of its rows: what a list has is found once in a state.

Work is counted in instructions of Python, so it is the same on every machine.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.model.request import HolderFilter
from tests.worlds import World, world_of

SMALL, LARGE, CARRIED = 100, 10_000, 300
MOST = 1.2
"""A page of so many instances does so much of what a page of a few does."""

LISTS = {
    "alibaba": "DescribeInstances",
    "huawei": "GET /v3/{project_id}/ports",
    "openstack": "GET /v2.0/ports",
    "tencent": "DescribeInstances",
    "tencent-dfw": "DescribeInstancesOfSecurityGroup",
}


class Counting(httpx.BaseTransport):
    """An emulator of which the instructions of each call are counted."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.work: dict[str, list[int]] = defaultdict(list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response, count = counted(lambda: EmulatorTransport(self.emulator).handle_request(request))
        self.work[self.emulator.requests[-1].action].append(count)
        return response


def counted(call: Callable[[], Any]) -> tuple[Any, int]:
    """What a call returns, and how many instructions of Python it takes."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return call(), count
    finally:
        sys.settrace(before)


def crowded(world: World, instances: int) -> Emulator:
    """The world with so many more instances, of which as many as fit carry its bound group."""
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    if world.provider in ("huawei", "openstack"):
        cloud.quirks["page_max"] = SMALL // 2  # their pages have no end else
    primary = next(one for one in cloud.interfaces if one.instance == world.server)
    server = cloud.instance(world.server)
    for n in range(instances):
        name = f"{world.server[:-6]}e{n:05d}"
        port = dataclasses.replace(
            primary,
            id=f"{primary.id[:-6]}e{n:05d}",
            instance=name,
            groups=[world.bound if n < CARRIED else world.free],
            kind="primary",
        )
        cloud.instances.append(dataclasses.replace(server, id=name))
        cloud.interfaces.append(port)
    return emulator


def a_page(world: World, instances: int) -> int:
    """The most work of a page, where the list was asked for before."""
    transport = Counting(crowded(world, instances))
    cloud = world.connect(transport.emulator, transport=transport)
    for _ in range(2):
        transport.work.clear()
        if world.provider == "tencent":  # whose verdict asks for counts
            providers.bulk(cloud).find(HolderFilter(group=world.bound))
        else:
            cloud.list_bindings([world.bound])
    return max(transport.work[LISTS[world.provider]])


@pytest.mark.parametrize("provider", providers.names())
@pytest.mark.sampled(6)
def test_a_page_of_ten_thousand_instances_takes_the_work_of_its_rows(provider):
    world = world_of(provider)
    assert a_page(world, LARGE) <= MOST * a_page(world, SMALL)
