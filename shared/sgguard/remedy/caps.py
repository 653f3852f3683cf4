"""How much a plan may change, whatever the verdict: plan, inputs and policy in, reasons out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sgguard.model.codes import ReasonCode
from sgguard.model.decision import Reason
from sgguard.model.resource import Direction, Rule
from sgguard.model.sentence import Sentence, said
from sgguard.model.subject import rule_of
from sgguard.policy import Caps
from sgguard.remedy.plan import Plan, PlanInputs

_TEMPLATE = "service-template"
_ANY_PROTOCOL = frozenset({"any", "all", "tcp", "-1", "6"})


def stopped_by(plan: Plan, inputs: PlanInputs, caps: Caps) -> tuple[Reason, ...]:
    """Return a reason for every cap that the plan would break, naming the cap."""
    return (
        *_too_many(plan, caps),
        *_too_much_of_a_group(plan, inputs, caps),
        *_no_way_in(plan, inputs, caps),
    )


def _reason(target: str, sentence: Sentence) -> Reason:
    return Reason(ReasonCode.CAP_EXCEEDED, sentence, "block", target)


def _too_many(plan: Plan, caps: Caps) -> Iterator[Reason]:
    number = len(plan.planned)
    if number > caps.changes:
        yield _reason(str(plan.scope), said("cap.changes", n=number, cap=caps.changes))


def _too_much_of_a_group(plan: Plan, inputs: PlanInputs, caps: Caps) -> Iterator[Reason]:
    """Rules that are rewritten stay in all but name and do not count."""
    removed = Counter(one.change.group_id for one in plan.planned if _is(one.step.action))
    for group_id, number in sorted(removed.items()):
        total = len(inputs.rules.get(group_id, ()))
        if total and number * 100 > caps.percent_of_rules * total:
            cap, target = caps.percent_of_rules, f"{plan.scope}:{group_id}"
            sentence = said("cap.percent", group=group_id, number=number, n=total, cap=cap)
            yield _reason(target, sentence)


def _is(action: str) -> bool:
    return action == "revoke"


def _no_way_in(plan: Plan, inputs: PlanInputs, caps: Caps) -> Iterator[Reason]:
    revoked: dict[str, set[str]] = {}
    for one in plan.planned:
        if one.step.action == "revoke":
            revoked.setdefault(one.change.group_id, set()).add(rule_of(one.change).rule_id)
    going = {one.change.group_id for one in plan.planned if one.change.kind == "delete-group"}
    for group_id, rule_ids in sorted(revoked.items()):
        if group_id in going:
            continue
        rules = inputs.rules.get(group_id, ())
        left = [rule for rule in rules if rule.rule_id not in rule_ids]
        for port in caps.management_ports:
            # A template that goes may have let the port in; one that stays may not.
            if _may_let_in(rules, port) and not _surely_lets_in(left, port):
                sentence = said("cap.port", group=group_id, port=port)
                yield _reason(f"{plan.scope}:{group_id}", sentence)


def _may_let_in(rules: Sequence[Rule], port: int) -> bool:
    return any(_lets_in(one, port) or (_is_open(one) and _has_template(one)) for one in rules)


def _surely_lets_in(rules: Sequence[Rule], port: int) -> bool:
    return any(_lets_in(one, port) for one in rules)


def _is_open(rule: Rule) -> bool:
    return rule.direction is Direction.INGRESS and rule.action == "accept" and rule.is_enabled


def _lets_in(rule: Rule, port: int) -> bool:
    is_protocol = rule.protocol in _ANY_PROTOCOL
    return _is_open(rule) and is_protocol and _has_port(rule.ports, port)


def _has_template(rule: Rule) -> bool:
    """Return whether a service template stands for protocol and ports, which are not known here."""
    return rule.protocol == _TEMPLATE


def _has_port(ports: str, port: int) -> bool:
    if ports == "any":
        return True
    for part in ports.split(","):
        low, _, high = part.partition("-")
        if low.isdigit() and int(low) <= port <= int(high if high.isdigit() else low):
            return True
    return False
