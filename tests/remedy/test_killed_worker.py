"""A worker killed during a restore: what it created is found, not created again."""

from __future__ import annotations

import time

import httpx
import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.transport import EmulatorTransport
from sgguard.operations import restore
from sgguard.store import open_store
from tests.remedy.harness import Harness
from tests.remedy.test_restore import made
from tests.worlds import world_of


class DiedError(BaseException):
    """Not an error of anybody's: the process is gone."""


class Mortal(EmulatorTransport):
    """The way to the clouds, until a call that makes a group has been answered."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        last = self.emulator.requests[-1].action
        if last in ("CreateSecurityGroup", "POST /v3/{project_id}/vpc/security-groups") or (
            last == "POST /v2.0/security-groups"
        ):
            raise DiedError
        return answer


@pytest.fixture(params=providers.names())
def harness(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


def later(harness: Harness, transport: EmulatorTransport, after_s: float):
    store = open_store(harness.env["SGGUARD_STORE"], lambda: time.time() + after_s)
    return replace(harness.context(), store=store, transport=transport)


@pytest.mark.sampled(4)
def test_a_group_that_a_killed_worker_recreated_is_not_created_twice(harness):
    before = harness.comparable_state()
    deleted = harness.delete(harness.world.referenced)
    (cloud,) = harness.emulator.state.clouds
    count = len(cloud.groups)
    with pytest.raises(DiedError):
        restore.restore(
            deleted["decision_id"], later(harness, Mortal(harness.emulator), 0.0), by="olga"
        )
    assert len(cloud.groups) == count + 1

    restored = restore.restore(
        deleted["decision_id"],
        later(harness, EmulatorTransport(harness.emulator), 1000.0),
        by="olga",
    )

    assert len(cloud.groups) == count + 1
    if restored["outcome"] == "remediated":
        assert harness.comparable_state(*made(restored)) == before
    else:  # rules of the cloud's own are in it: nobody can say whose group this is
        assert restored["outcome"] == "partly-undone"
        assert harness.world.provider in ("openstack", "huawei")
        assert "new groups named" in restored["note"] or "group" in restored["note"]
