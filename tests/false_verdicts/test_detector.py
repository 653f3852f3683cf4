"""The search itself: it finds a false verdict, minimises it, and repeats the same faults."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass

import httpx
import pytest
from msgspec.structs import replace

from sgguard.emulator.transport import EmulatorTransport
from sgguard.model.codes import DeleteRemedy, Verdict
from sgguard.model.decision import Decision
from tests.false_verdicts.case import Case
from tests.false_verdicts.clouds import case_of
from tests.false_verdicts.corrupt import SILENT, corrupted
from tests.false_verdicts.decide import decision_on
from tests.false_verdicts.detector import Tally, problem_with_decision
from tests.false_verdicts.kinds import KINDS
from tests.false_verdicts.random_source import RandomSource
from tests.false_verdicts.shrink import minimised, report


@dataclass(eq=False)
class RuleHidingTransport(httpx.BaseTransport):
    """A Neutron that shows no rule of any group, neither in a list nor in the groups."""

    inner: EmulatorTransport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        if request.url.path.endswith("/security-group-rules"):
            return httpx.Response(200, json={"security_group_rules": []})
        if request.method == "GET" and request.url.path.endswith("/security-groups"):
            body = response.json()
            for row in body.get("security_groups", []):
                if "security_group_rules" in row:
                    row["security_group_rules"] = []
            return httpx.Response(response.status_code, json=body)
        return response


def false_verdict_of(case: Case) -> str:
    found = decision_on(case, RuleHidingTransport(EmulatorTransport(case.emulator())))
    return problem_with_decision(case, found, Tally()) if isinstance(found, Decision) else ""


@pytest.mark.slow
def test_a_cloud_that_hides_every_rule_is_detected():
    cases = (case_of(KINDS["openstack"], str(number)) for number in range(100))
    assert sum(bool(false_verdict_of(case)) for case in cases) > 5


def test_a_false_verdict_is_minimised_to_the_group_and_the_rule_that_names_it():
    cases = (case_of(KINDS["openstack"], str(number)) for number in range(100))
    large = next(one for one in cases if len(one.cloud.groups) > 5 and false_verdict_of(one))
    small, problem = minimised(large, false_verdict_of)
    assert problem
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
def test_a_seed_always_builds_the_same_cloud_and_request(provider):
    first, again = (case_of(KINDS[provider], "7") for _ in range(2))
    assert first == again
    assert first.cloud != case_of(KINDS[provider], "8").cloud


@pytest.mark.parametrize("provider", KINDS)
@pytest.mark.sampled(5)
def test_the_same_faults_always_give_the_same_decision(provider):
    for number in range(10):
        case = dataclasses.replace(case_of(KINDS[provider], str(number)), fault_seed=f"t{number}")
        answers = {_summary(decision_on(case, case.wire())) for _ in range(3)}
        assert len(answers) == 1


def _summary(found: object) -> str:
    if isinstance(found, Decision):
        return repr((found.judgement.verdict, found.judgement.plan))
    return type(found).__name__


def test_random_clouds_have_every_kind_of_holder():
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


@pytest.mark.parametrize("provider", KINDS)
@pytest.mark.sampled(6)
def test_random_policies_permit_every_remedy(provider):
    policies = [case_of(KINDS[provider], str(number)).policy for number in range(60)]
    assert {one for policy in policies for one in policy.delete.remedies} == set(DeleteRemedy)


def test_a_change_no_reader_can_notice_is_never_injected():
    body = {"ports": [{"id": "p", "security_groups": []}], "ports_links": []}
    expected = {
        corrupted(RandomSource(str(n)), "openstack", "GET /v2.0/ports", body)[0] for n in range(300)
    }
    assert "GET /v2.0/ports ports_links dropped" not in expected
    assert "GET /v2.0/ports ports.*.security_groups dropped" in expected
    assert all(reason for table in SILENT.values() for reason in table.values())


def test_a_verdict_that_agrees_with_the_state_is_no_problem():
    case = case_of(KINDS["tencent"], "3")
    found = decision_on(case, case.wire())
    assert isinstance(found, Decision)
    assert problem_with_decision(case, found, Tally()) == ""
    allowed = replace(found, judgement=replace(found.judgement, verdict=Verdict.ALLOW))
    if found.judgement.verdict is Verdict.BLOCK:
        assert problem_with_decision(case, allowed, Tally())
