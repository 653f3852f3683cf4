"""How to detach a group: what an operator has to do about each rule that names it and each holder.

These are instructions for a person. What sgguard may do itself is a plan, made by the guard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sgguard.model.resource import Binding, Reference
from sgguard.render.wording import count, label, listing, one_line

_POSITION = re.compile(r"(ingress|egress)\[(\d+)\]")
_RULES_NAMED = 40
_WORDS_MAX = 120


def detach_rules(references: Sequence[Reference], *, is_under_group: bool = False) -> str:
    """Return how to remove the rules of one group that name the group in question.

    ``is_under_group``: the text is printed below the group of the rules and does not repeat it.
    """
    first = references[0]
    where = "" if is_under_group else f" in {label(first.group_id, first.group_name, 50)}"
    if first.account:
        owner = one_line(first.account, 30)
        return one_line(f"ask account {owner} to revoke it: only its owner can", _WORDS_MAX)
    rules = [one.rule for one in references if one.rule]
    if len(rules) < len(references):
        return one_line(f"find the rule that names the group{where}, and revoke it", _WORDS_MAX)
    ids = sorted((rule.rule_id for rule in rules), key=_from_last)
    order = ", the last one first: removing one shifts the others" if _shift(ids) else ""
    what = _these(len(ids)) if is_under_group else f"{_named(ids)}{where}"
    return one_line(f"revoke {what}{order}", _WORDS_MAX)


def _these(number: int) -> str:
    return "this rule" if number == 1 else f"these {number} rules"


def _named(ids: Sequence[str]) -> str:
    return listing(ids, _RULES_NAMED) if len(ids) > 1 else f"rule {one_line(ids[0], _RULES_NAMED)}"


def _shift(ids: Sequence[str]) -> bool:
    """Tell whether removing one rule changes the ids of others: positions shift."""
    return len(ids) > 1 and all(_POSITION.fullmatch(one) for one in ids)


def _from_last(rule_id: str) -> tuple[str, int, str]:
    position = _POSITION.fullmatch(rule_id)
    return (position[1], -int(position[2]), "") if position else ("", 0, rule_id)


def detach_holder(binding: Binding) -> str:
    """Return how to unbind the group from this holder, without naming the holder.

    So holders with the same instruction can be listed together.
    """
    kind = one_line(binding.kind, 30)
    if not binding.holder_id:
        return f"only counted; find and change them where {_plural(kind)} are managed"
    if _belongs_to_a_product(binding):
        return f"belongs to {one_line(binding.owner, 40)}: change or delete it there"
    if binding.instance_id:
        return _off_the_instance(binding, kind)
    if kind in ("interface", "port"):
        return f"on no instance: give it another group, or delete the {kind}"
    return f"give it another group where {_plural(kind)} are managed"


def _plural(kind: str) -> str:
    return count(2, kind).partition(" ")[2]


def _belongs_to_a_product(binding: Binding) -> bool:
    """Tell whether a service of the cloud owns the holder, so that the instance's owner cannot act.

    ``compute:…`` is an instance's own interface, a ``sub-network-interface`` hangs on one.
    """
    if not binding.owner:
        return False
    is_own = binding.owner.startswith(("compute", "sub-network-interface"))
    return not (is_own and binding.instance_id)


def _off_the_instance(binding: Binding, kind: str) -> str:
    whom = "" if kind == "instance" else f" from the {kind}"
    others = binding.other_group_ids
    if others is None:
        return f"unbind this group{whom}; where it is the last one, bind another first"
    if not others:
        return f"bind another group first, it is the last one; then unbind this one{whom}"
    return f"unbind this group{whom}, its other groups stay"
