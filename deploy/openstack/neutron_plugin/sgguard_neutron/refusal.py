"""What a person reads whose delete is refused: as far as this person may see.

Names and ids of other projects are for administrators. Others read of them that they are there, and
how many: whom to ask, an administrator tells.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RULES_MAX = 1000
"""Rules that are counted; of more it is said that there are more."""
_GROUPS_SHOWN = 5
_RULES_SHOWN = 3
_NAME_MAX = 60
_TEXT_MAX = 200
_REASONS_SHOWN = 5


@dataclass(frozen=True)
class Reader:
    """Who reads: an administrator sees everything, others what belongs to their project."""

    project_id: str
    is_admin: bool = False

    def sees(self, *owners: str | None) -> bool:
        """Return whether the reader may see what these projects own together."""
        return self.is_admin or (bool(self.project_id) and self.project_id in owners)


@dataclass(frozen=True)
class NamingRule:
    """A rule whose remote group is to be deleted, and the group that has the rule."""

    rule_id: str
    rule_project: str | None
    group_id: str
    group_project: str | None
    group_name: str | None


class RefusedError(Exception):
    """The delete is refused; Neutron shows the text to whoever asked for it."""


def of_rules(rules: Sequence[NamingRule], reader: Reader) -> str:
    """Return why a referenced group stays, with the groups and rules that name it."""
    groups = {rule.group_id for rule in rules}
    more = "more than " if len(rules) > RULES_MAX else ""
    counted = (
        f"{more}{_count(min(len(rules), RULES_MAX), 'rule')} of {_count(len(groups), 'group')}"
    )
    # Neutron's own rule: a rule may be seen by its owner, and by the owner of its group.
    seen = [rule for rule in rules if reader.sees(rule.rule_project, rule.group_project)]
    parts = [*_named(seen)]
    if hidden := {rule.rule_id: rule.group_id for rule in rules if rule not in seen}:
        where = _count(len(set(hidden.values())), "group")
        parts.append(f"{_count(len(hidden), 'rule')} of {where} of other projects")
    names = "name it and" if len(rules) > 1 else "names it and"
    would = f"{names} would be deleted with it"
    return f"sgguard: {counted} {would}: {'; '.join(parts)}. Delete or change these rules first"


def _named(rules: Iterable[NamingRule]) -> list[str]:
    """Return each group with its rules, in a fixed order; those beyond the bounds are counted."""
    by_group: dict[str, list[NamingRule]] = {}
    for rule in sorted(rules, key=lambda one: (one.group_id, one.rule_id)):
        by_group.setdefault(rule.group_id, []).append(rule)
    shown = [_group(held) for held in list(by_group.values())[:_GROUPS_SHOWN]]
    if left := len(by_group) - len(shown):
        shown.append(f"{_count(left, 'further group')}")
    return shown


def _group(rules: Sequence[NamingRule]) -> str:
    first, ids = rules[0], [rule.rule_id for rule in rules[:_RULES_SHOWN]]
    name = f" ({plain(first.group_name, _NAME_MAX)})" if first.group_name else ""
    more = f" and {len(rules) - len(ids)} more" if len(rules) > len(ids) else ""
    noun = "rule" if len(rules) == 1 else "rules"
    return f"group {first.group_id}{name} with {noun} {', '.join(ids)}{more}"


def of_decision(decision: Mapping[str, Any], reader: Reader) -> str:
    """Return why the function does not allow the delete: its reasons, and where to read more."""
    blocking = [one for one in _tables(decision.get("reasons")) if one.get("effect") == "block"]
    reasons = [_reason(one, reader) for one in blocking[:_REASONS_SHOWN]]
    if left := len(blocking) - len(reasons):
        reasons.append(_count(left, "further reason"))
    verdict = plain(decision.get("verdict"), _NAME_MAX)
    told = "; ".join(reasons) or "no reason was told"
    decision_id = plain(decision.get("decision_id"), _NAME_MAX)
    kept = f" (decision {decision_id})" if decision_id else ""
    return f"sgguard: the verdict is {verdict}: {told}{kept}"


def codes(decision: Mapping[str, Any]) -> str:
    """Return the codes of the reasons, for a log line."""
    found = [plain(one.get("code"), _NAME_MAX) for one in _tables(decision.get("reasons"))]
    return ",".join(found) or "none"


def _reason(reason: Mapping[str, Any], reader: Reader) -> str:
    """Return a reason by its code, and in words where its evidence is all the reader's."""
    code = plain(reason.get("code"), _NAME_MAX)
    evidence = _tables(reason.get("evidence"))
    counted = reason.get("evidence_count")
    is_whole = counted == len(evidence)
    # Evidence is of other projects unless it says that it is the reader's: a message names it.
    if reader.is_admin or (is_whole and all(reader.sees(one.get("project")) for one in evidence)):
        return f"{code}: {plain(reason.get('message'), _TEXT_MAX).rstrip('.')}"
    number = counted if isinstance(counted, int) else len(evidence)
    return f"{code} ({_count(number, 'item')} of evidence, for administrators)"


def plain(text: object, length: int) -> str:
    """Return a text without characters that are not seen, cut to a length."""
    shown = "".join(
        "?" if unicodedata.category(char)[0] == "C" else char for char in str(text or "")
    )
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def _tables(value: object) -> list[Mapping[str, Any]]:
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
