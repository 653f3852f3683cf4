"""What the bench asks of Cloud Custodian, where it is installed."""

from __future__ import annotations

import pytest

from sgguard.emulator.server import serve
from tests.bench import custodian
from tests.worlds import world_of

WORLD = world_of("openstack")


def test_the_policy_asks_for_the_group_by_its_id(tmp_path):
    words, env = custodian._theirs("custodian", WORLD, "http://127.0.0.1:1", tmp_path)
    assert words[:2] == ["custodian", "run"]
    assert WORLD.free in (tmp_path / "policy.json").read_text()
    assert env["OS_AUTH_URL"] == "http://127.0.0.1:1/identity"


@pytest.mark.slow
@pytest.mark.skipif(not custodian.command(), reason="Cloud Custodian is not installed")
def test_custodian_finds_the_group_that_is_checked(tmp_path):
    with serve(WORLD.emulator()) as running:
        assert custodian.run(custodian.command(), WORLD, running.url, tmp_path) == [WORLD.free]
        actions = [one.action for one in running.emulator.requests]
    assert "GET /v2.0/security-groups" in actions
