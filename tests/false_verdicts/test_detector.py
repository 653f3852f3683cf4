"""The detector itself: it sees a lie, shrinks it, and meets the same trouble every time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace

import httpx
import pytest

from sgguard.emulator.transport import EmulatorTransport
from sgguard.model.codes import Verdict
from sgguard.model.decision import Decision
from tests.false_verdicts.decide import ask
from tests.false_verdicts.case import Case
from tests.false_verdicts.clouds import case_of
from tests.false_verdicts.corrupt import SILENT, corrupted
from tests.false_verdicts.detector import Tally, problem_with_decision
from tests.false_verdicts.kinds import KINDS
from tests.false_verdicts.random_source import Dice
from tests.false_verdicts.shrink import report, shrunk


@dataclass(eq=False)
class LyingTransport(httpx.BaseTransport):
    """A Neutron that says of every group that no rule names it."""

    inner: EmulatorTransport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        if request.url.path.endswith("/security-group-rules"):
            return httpx.Response(200, json={"security_group_rules": []})
        return response


def lied_to(case: Case) -> str:
    found = ask(case, LyingTransport(EmulatorTransport(case.emulator())))
    return problem_with_decision(case, found, Tally()) if isinstance(found, Decision) else ""


def lies() -> list[Case]:
    cases = (case_of(KINDS["openstack"], str(number)) for number in range(120))
    return [case for case in cases if lied_to(case)]


def test_a_cloud_that_hides_every_rule_is_caught():
    assert len(lies()) > 5


def test_a_lie_is_shrunk_to_the_group_and_the_rule_that_names_it():
    biggest = max(lies(), key=lambda case: len(case.cloud.groups))
    small, problem = shrunk(biggest, lied_to)
    assert problem
    assert len(biggest.cloud.groups) > 5
    assert len(small.cloud.groups) <= 2
    assert sum(len(group.rules) for group in small.cloud.groups) == 1
    assert small.cloud.instances == small.cloud.interfaces == []


def test_a_report_has_the_cloud_and_no_secret():
    case = case_of(KINDS["tencent"], "1")
    text = report(case, "a problem")
    assert text.startswith("tencent seed '1'")
    assert json.loads(text[text.index("{\n") :])["provider"] == "tencent"
    assert not [account.secret for account in case.cloud.accounts if account.secret in text]


@pytest.mark.parametrize("provider", KINDS)
def test_a_seed_always_builds_the_same_cloud_and_question(provider):
    first, again = (case_of(KINDS[provider], "7") for _ in range(2))
    assert first == again
    assert first.cloud != case_of(KINDS[provider], "8").cloud


@pytest.mark.parametrize("provider", KINDS)
def test_the_same_trouble_always_brings_the_same_answer(provider):
    for number in range(10):
        case = replace(case_of(KINDS[provider], str(number)), trouble=f"t{number}")
        answers = {_told(ask(case, case.wire())) for _ in range(3)}
        assert len(answers) == 1


def _told(found: object) -> str:
    if isinstance(found, Decision):
        return repr((found.judgement.verdict, found.judgement.plan))
    return type(found).__name__


def test_random_clouds_have_everything_that_may_hold_a_group():
    seen: Counter[str] = Counter()
    for number in range(300):
        cloud = case_of(KINDS["huawei"], str(number)).cloud
        seen.update(i.kind for i in cloud.interfaces)
        seen.update("product" for _ in cloud.attachments)
        seen.update(rule.direction for g in cloud.groups for rule in g.rules if rule.peer_group)
        seen.update(rule.action for g in cloud.groups for rule in g.rules if rule.peer_group)
        seen.update("off" for g in cloud.groups for r in g.rules if r.peer_group and not r.enabled)
        seen.update("self" for g in cloud.groups for rule in g.rules if rule.peer_group == g.id)
        seen.update(list(cloud.quirks))
        seen["hundreds"] += len(cloud.groups) > 100 or len(cloud.instances) > 100
    expected = {"primary", "secondary", "supplementary", "product", "ingress", "egress", "off"}
    expected |= {"accept", "drop", "self", "hundreds", "page_max", "v3_absent", "otc"}
    assert not {what for what in expected if not seen[what]}


def test_what_nobody_could_notice_is_never_corrupted():
    body = {"ports": [{"id": "p", "security_groups": []}], "ports_links": []}
    said = {corrupted(Dice(str(n)), "openstack", "GET /v2.0/ports", body)[0] for n in range(300)}
    assert "GET /v2.0/ports ports_links dropped" not in said
    assert "GET /v2.0/ports ports.*.security_groups dropped" in said
    assert all(reason for table in SILENT.values() for reason in table.values())


def test_a_verdict_is_no_lie_where_the_cloud_is_as_it_says():
    case = case_of(KINDS["tencent"], "3")
    found = ask(case, case.wire())
    assert isinstance(found, Decision)
    assert problem_with_decision(case, found, Tally()) == ""
    allowed = replace(found, judgement=replace(found.judgement, verdict=Verdict.ALLOW))
    if found.judgement.verdict is Verdict.BLOCK:
        assert problem_with_decision(case, allowed, Tally())
