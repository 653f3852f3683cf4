"""One rule of a group as a sentence: its id, what it is for, and what was written beside it."""

from __future__ import annotations

from sgguard.model.resource import Rule
from sgguard.model.sentence import Sentence, said

_ANY = "any"


def rule_said(rule: Rule) -> Sentence:
    """Return ``ingress[0]: tcp 22 accept "from the web"``, with a priority where it has one."""
    # The id of a rule that is known by its position has the direction already.
    is_told = rule.rule_id.startswith(rule.direction.value)
    return said(
        "rule.said",
        rule=rule.rule_id,
        way="" if is_told else said("rule.way", way=rule.direction.value),
        traffic=_traffic(rule),
        action=rule.action,
        priority="" if rule.priority is None else said("rule.priority", priority=rule.priority),
        state="" if rule.is_enabled else said("rule.disabled"),
        note=said("rule.note", text=rule.description) if rule.description else "",
    )


def _traffic(rule: Rule) -> Sentence:
    if rule.protocol == rule.ports == _ANY:
        return said("rule.traffic-any")
    if rule.ports == _ANY:
        return said("rule.traffic-of", protocol=rule.protocol)
    return said("rule.traffic", protocol=rule.protocol, ports=rule.ports)
