"""How much a plan may change, whatever the verdict: plan, inputs and policy in, reasons out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sgguard.model.codes import ReasonCode
from sgguard.model.decision import Reason
from sgguard.model.resource import Direction, Rule
from sgguard.policy import Caps
from sgguard.remedy.plan import Plan, PlanInputs
from sgguard.remedy.world import rule_of
from sgguard.render.wording import MESSAGE_MAX, count, one_line

_ANY_PROTOCOL = frozenset({"any", "all", "tcp", "-1", "6"})


def stopped_by(plan: Plan, inputs: PlanInputs, caps: Caps) -> tuple[Reason, ...]:
    """Return a reason for every cap that the plan would break, naming the cap."""
    return (
        *_too_many(plan, caps),
        *_too_much_of_a_group(plan, inputs, caps),
        *_no_way_in(plan, inputs, caps),
        *_no_room(plan, inputs),
        *_no_room_in_project(plan, inputs),
    )


def _reason(code: ReasonCode, target: str, message: str) -> Reason:
    return Reason(code, one_line(message, MESSAGE_MAX), "block", target)


def _too_many(plan: Plan, caps: Caps) -> Iterator[Reason]:
    number = len(plan.planned)
    if number > caps.changes:
        message = (
            f"The plan has {count(number, 'change')}, and caps.changes permits {caps.changes}."
        )
        yield _reason(ReasonCode.CAP_EXCEEDED, str(plan.scope), message)


def _too_much_of_a_group(plan: Plan, inputs: PlanInputs, caps: Caps) -> Iterator[Reason]:
    """Rules that are rewritten stay in all but name and do not count."""
    removed = Counter(one.change.group_id for one in plan.planned if _is(one.step.action))
    for group_id, number in sorted(removed.items()):
        total = len(inputs.rules.get(group_id, ()))
        if total and number * 100 > caps.percent_of_rules * total:
            message = (
                f"The plan revokes {number} of the {count(total, 'rule')} of {group_id}, "
                f"and caps.percent_of_rules permits {caps.percent_of_rules} %."
            )
            yield _reason(ReasonCode.CAP_EXCEEDED, f"{plan.scope}:{group_id}", message)


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
            if _lets_in(rules, port) and not _lets_in(left, port):
                message = (
                    f"The plan revokes the last rule of {group_id} that lets port {port} in "
                    "(caps.management_ports)."
                )
                yield _reason(ReasonCode.CAP_EXCEEDED, f"{plan.scope}:{group_id}", message)


def _lets_in(rules: Sequence[Rule], port: int) -> bool:
    return any(
        rule.direction is Direction.INGRESS
        and rule.action == "accept"
        and rule.is_enabled
        and rule.protocol in _ANY_PROTOCOL
        and _has_port(rule.ports, port)
        for rule in rules
    )


def _has_port(ports: str, port: int) -> bool:
    if ports == "any":
        return True
    for part in ports.split(","):
        low, _, high = part.partition("-")
        if low.isdigit() and int(low) <= port <= int(high if high.isdigit() else low):
            return True
    return False


def _no_room_in_project(plan: Plan, inputs: PlanInputs) -> Iterator[Reason]:
    """What is removed must fit into the quota again when it is undone."""
    kinds, left = {one.change.kind for one in plan.planned}, inputs.rules_left
    if left is None or not kinds & {"add-rule", "remove-rule"}:
        return
    if left < 0:
        message = f"has {count(-left, 'rule')} more than its quota: none could be restored"
    elif left == 0 and "add-rule" in kinds:
        message = "has all rules of its quota: there is no room to add a rewritten one"
    else:
        return
    yield _reason(ReasonCode.CAP_EXCEEDED, str(plan.scope), f"The project {message}.")


def _no_room(plan: Plan, inputs: PlanInputs) -> Iterator[Reason]:
    """A rewritten rule is added before the old one goes: for a moment there is one more."""
    ceiling = inputs.rules_ceiling
    changes = [one.change for one in plan.planned if one.change.kind == "add-rule"]
    adding = {(one.group_id, rule_of(one).direction) for one in changes}
    full: dict[str, tuple[int, str]] = {}
    for group_id, direction in sorted(adding):
        rules = inputs.rules.get(group_id, ())
        if inputs.is_per_direction:
            rules = tuple(one for one in rules if one.direction == direction)
        if ceiling is not None and len(rules) + 1 > ceiling:
            unit = f"{direction} rule" if inputs.is_per_direction else "rule"
            full[group_id] = (len(rules), count(ceiling, unit))
    for group_id, (number, most) in full.items():
        message = (
            f"{group_id} has {number} of at most {most}: there is no room "
            "to add the rewritten rule before the old one is removed."
        )
        yield _reason(ReasonCode.CAP_EXCEEDED, f"{plan.scope}:{group_id}", message)
