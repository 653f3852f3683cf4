"""What a policy would add to a planned launch is judged like what was asked for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.model.address import Scope
from sgguard.model.request import LaunchRequest
from sgguard.render.language.sentence import message_of
from sgguard.wire.retry import Retry
from tests.worlds import lanes, world_of

OPENSTACK = world_of("openstack")
POLICY = "[launch]\nbaseline = ['{free}']\nremedies = ['bind']\n"


@pytest.fixture
def launched(tmp_path):
    def decided(kind="", *, gone=False):
        path = tmp_path / f"policy-{kind}-{gone}.toml"
        path.write_text(POLICY.format(free=OPENSTACK.free))
        emulator = OPENSTACK.emulator()
        (cloud,) = emulator.state.clouds
        cloud.group(OPENSTACK.free).kind = kind
        if gone:
            cloud.groups.remove(cloud.group(OPENSTACK.free))
        found = Context.from_env(
            {**OPENSTACK.env, "SGGUARD_POLICY": str(path)}, transport=EmulatorTransport(emulator)
        )
        context = replace(found, retry=Retry(sleep=lambda _: None), lanes=lanes())
        scope = Scope("openstack", "", OPENSTACK.region)
        request = LaunchRequest(scope, (OPENSTACK.bound,), count=2)
        return decide.decide_launch(request, context, event_id="e1").judgement

    return decided


def test_a_baseline_that_fits_is_what_to_launch_with_in_addition(launched):
    found = launched()
    assert found.verdict == "remediate"
    assert [one.action for one in found.plan] == ["bind"]


def test_a_baseline_of_another_kind_or_that_is_gone_is_no_advice(launched):
    for found, why in (
        (launched("stateless"), "groups of two kinds"),
        (launched(gone=True), "No group"),
    ):
        assert (found.verdict, found.plan) == ("block", ())
        assert found.reasons[-1].code == "replacement-unusable"
        assert why in message_of(found.reasons[-1])
