"""What a policy changes on the way of an event: mode, caps, exemptions and a silent cloud."""

from __future__ import annotations

import dataclasses
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sgguard import schemas
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.errors import PolicyError, UnavailableError, UnreachableError
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Mode, Verdict
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.policy import DeletePolicy, Policy
from sgguard.render import document
from sgguard.wire.retry import Retry
from tests.worlds import lanes, world_of

TENCENT = world_of("tencent")
SCOPE = Scope("tencent", "", TENCENT.region)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def by(tmp_path):
    """Means that judge by the policy in the text, on a fresh emulator with these faults."""

    numbers = itertools.count()

    def context(text, *faults, now=NOW, denied=(), tags=None, **env):
        path = tmp_path / f"policy-{next(numbers)}.toml"  # a process reads each file once
        path.write_text(text)
        emulator = TENCENT.emulator(now=now.timestamp)
        emulator.faults.extend(faults)
        cloud = emulator.state.cloud("tencent")
        cloud.accounts[0].denied = list(denied)
        for group in cloud.groups if tags else ():
            group.tags = dict(tags)
        found = Context.from_env(
            {**TENCENT.env, "SGGUARD_POLICY": str(path), **env},
            transport=EmulatorTransport(emulator),
            now=now.timestamp,
        )
        return replace(found, retry=Retry(sleep=lambda _: None), lanes=lanes())

    return context


def delete(context, *group_ids):
    request = DeleteRequest(tuple(Address(SCOPE, one) for one in group_ids))
    return decide.decide_delete(request, context, event_id="e1")


def launch(context, *group_ids):
    return decide.decide_launch(LaunchRequest(SCOPE, group_ids), context, event_id="e1")


def codes(decision, effect=None):
    reasons = decision.judgement.reasons
    return {one.code for one in reasons if effect in (None, one.effect)}


# -- mode ---------------------------------------------------------------------------------------

LAB = f"""
mode = "observe"
[[scope]]
match = {{ region = "{TENCENT.region}" }}
mode = "enforce"
"""


def test_the_mode_is_that_of_the_scope(by):
    assert delete(by(LAB), TENCENT.free).mode is Mode.ENFORCE
    elsewhere = LAB.replace(TENCENT.region, "ap-elsewhere")
    assert delete(by(elsewhere), TENCENT.free).mode is Mode.OBSERVE
    assert launch(by(LAB), TENCENT.free).mode is Mode.ENFORCE


def test_each_guard_may_have_a_mode_of_its_own(by):
    text = "mode = 'observe'\n[launch]\nmode = 'enforce'"
    assert delete(by(text), TENCENT.free).mode is Mode.OBSERVE
    assert launch(by(text), TENCENT.free).mode is Mode.ENFORCE


def test_the_mode_of_the_environment_wins_over_every_scope(by):
    assert delete(by(LAB, SGGUARD_MODE="observe"), TENCENT.free).mode is Mode.OBSERVE


def test_of_several_groups_the_least_permissive_mode_wins(by):
    name = delete(by(""), TENCENT.bound).facts.groups[0].group.name
    text = f"mode = 'enforce'\n[[scope]]\nmatch = {{ name = '{name}' }}\nmode = 'observe'"
    assert delete(by(text), TENCENT.free).mode is Mode.ENFORCE
    assert delete(by(text), TENCENT.free, TENCENT.bound).mode is Mode.OBSERVE


def test_a_group_whose_rule_is_changed_has_a_say_in_the_mode(by):
    text = """
    mode = "enforce"
    [delete]
    remedies = ["revoke"]
    [[scope]]
    match = { tag = "env=prod" }
    mode = "observe"
    """
    decision = delete(by(text), TENCENT.referenced)
    assert (decision.judgement.verdict, decision.mode) == (Verdict.REMEDIATE, Mode.ENFORCE)
    assert delete(by(text, tags={"env": "prod"}), TENCENT.referenced).mode is Mode.OBSERVE


def test_mode_approve_in_the_environment_requires_approvers(by):
    with pytest.raises(PolicyError, match=r"approval\.approvers is missing .*SGGUARD_MODE"):
        by("", SGGUARD_MODE="approve")
    assert by("approval.approvers = ['ada']", SGGUARD_MODE="approve").mode is Mode.APPROVE


# -- exemptions ---------------------------------------------------------------------------------

EXEMPTED = f"""
[delete]
protected = ["{TENCENT.free}"]
[[exemption]]
group = "{TENCENT.free}"
reasons = ["protected"]
owner = "ada"
reason = "it goes"
expires = 2026-11-22
"""


def test_an_exemption_is_honoured_at_the_moment_of_the_decision(by):
    decision = delete(by(EXEMPTED), TENCENT.free)
    assert decision.judgement.verdict is Verdict.ALLOW
    assert codes(decision, "info") == {"protected", "free"}


def test_a_running_process_stops_honouring_it_the_moment_it_ends(by):
    context, request = by(EXEMPTED), DeleteRequest((Address(SCOPE, TENCENT.free),))
    last = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    for now, verdict in ((last, Verdict.ALLOW), (last + timedelta(seconds=1), Verdict.BLOCK)):
        then = EmulatorTransport(TENCENT.emulator(now=now.timestamp))
        later = replace(context, now=now.timestamp, transport=then)
        assert decide.decide_delete(request, later, event_id="e").judgement.verdict is verdict


def test_a_new_process_starts_with_one_that_is_over_and_does_not_honour_it(by):
    tomorrow = NOW.replace(day=23)
    context, request = by(EXEMPTED, now=tomorrow), DeleteRequest((Address(SCOPE, TENCENT.free),))
    then = EmulatorTransport(TENCENT.emulator(now=tomorrow.timestamp))
    later = replace(context, now=tomorrow.timestamp, transport=then)
    judgement = decide.decide_delete(request, later, event_id="e").judgement
    assert judgement.verdict is Verdict.BLOCK


CAPPED = """
[delete]
remedies = ["revoke"]
[caps]
changes = 1
management_ports = []
"""


def test_a_plan_over_a_cap_is_blocked_and_may_be_exempted(by):
    decision = delete(by(CAPPED), TENCENT.referenced)
    assert decision.judgement.verdict is Verdict.BLOCK
    assert "cap-exceeded" in codes(decision, "block")
    exempted = f"""
    {CAPPED}
    [[exemption]]
    group = "{TENCENT.referenced}"
    reasons = ["cap-exceeded"]
    owner = "ada"
    reason = "all of it goes"
    expires = 2026-12-01
    """
    decision = delete(by(exempted), TENCENT.referenced)
    assert decision.judgement.verdict is Verdict.REMEDIATE
    assert "cap-exceeded" in codes(decision, "info")


def test_the_caps_of_a_scope_hold_there(by):
    text = CAPPED.replace("changes = 1", "changes = 100") + (
        f"[[scope]]\nmatch = {{ region = '{TENCENT.region}' }}\ncaps = {{ changes = 1 }}\n"
    )
    assert "cap-exceeded" in codes(delete(by(text), TENCENT.referenced), "block")


# -- a cloud that does not answer, or not whole ----------------------------------------------------


def silent() -> Fault:
    return Fault("drop", count=10_000)


def test_a_cloud_that_does_not_answer_is_an_error_unless_the_policy_says_otherwise(by):
    with pytest.raises(UnreachableError):
        delete(by("", silent()), TENCENT.free)
    with pytest.raises(UnreachableError):
        delete(by("[launch]\nwhen_unreachable = 'block'", silent()), TENCENT.free)
    with pytest.raises(UnreachableError):
        launch(by("[delete]\nwhen_unreachable = 'block'", silent()), TENCENT.free)


@pytest.mark.parametrize("guard", ["delete", "launch"])
@pytest.mark.parametrize("fault", [silent(), Fault("throttle", count=10_000)], ids=["drop", "busy"])
@pytest.mark.sampled(3)
def test_a_cloud_that_does_not_answer_may_be_a_block_and_never_an_allow(by, guard, fault):
    text = f"[{guard}]\nwhen_unreachable = 'block'\nwhen_incomplete = 'error'"
    ask = {"delete": delete, "launch": launch}[guard]
    decision = ask(by(text, dataclasses.replace(fault)), TENCENT.free)
    assert decision.judgement.verdict is Verdict.BLOCK
    assert codes(decision) == {"facts-incomplete"}
    written = document.to_json(decision)
    assert written["facts"]["complete"] is False
    assert schemas.problems("decision", json.loads(json.dumps(written))) == ()


def test_wrong_credentials_never_become_a_verdict(by):
    text = "[delete]\nwhen_unreachable = 'block'"
    with pytest.raises(Exception, match="AuthFailure"):
        delete(by(text, **TENCENT.wrong_secret_env), TENCENT.free)


HIDDEN = [TENCENT.denied_references]


def test_incomplete_facts_block_unless_the_policy_requires_a_retry(by):
    assert codes(delete(by("", denied=HIDDEN), TENCENT.free), "block") == {"facts-incomplete"}
    again = "[delete]\nwhen_incomplete = 'error'"
    with pytest.raises(UnavailableError, match="FactsIncomplete"):
        delete(by(again, denied=HIDDEN), TENCENT.free)
    tolerated = f"{again}\ntolerate_unseen = ['no-permission']"
    found = delete(by(tolerated, denied=HIDDEN), TENCENT.free)
    assert found.judgement.verdict is Verdict.ALLOW


def test_a_planned_launch_is_never_changed_by_us(by):
    text = "[launch]\nbaseline = ['sg-5ua9adfv']\nremedies = ['bind']\nmode = 'enforce'"
    settled = decide.judge_launch(LaunchRequest(SCOPE, (TENCENT.free,)), by(text), ("e1", "d1"))
    assert settled.decision.judgement.verdict is Verdict.REMEDIATE
    assert settled.prepared is None


@pytest.mark.parametrize(
    ("remedies", "asked"),
    [((), 0), (("revoke", "rewrite"), 0), (("unbind",), 2), (("force",), 2)],
    ids=str,
)
def test_other_groups_of_an_instance_are_read_only_where_unbinding_is_permitted(remedies, asked):
    world = world_of("tencent-dfw")
    emulator = world.emulator()
    context = Context.from_env(world.env, transport=EmulatorTransport(emulator))
    context = replace(context, policy=Policy(delete=DeletePolicy(remedies=remedies)))
    request = DeleteRequest((Address(Scope(world.provider, "", world.region), world.bound),))
    assert decide.decide_delete(request, context, event_id="e").judgement.verdict == "block"
    told = [one for one in emulator.requests if "instanceId" in f"{one.query}{one.body}"]
    assert len(told) == asked
