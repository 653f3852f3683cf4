"""What all guards share: the closed set of reason codes, and messages that fit one line.

A guard is a module with ``judge(facts, policy) -> Judgement``: pure, no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from sgguard.decision import Reason
from sgguard.model import Address, Group, GroupFacts, Unseen

MESSAGE_MAX = 200
"""Longest reason message, in characters: it must fit a chat line and a terminal row or two."""

DELETE_CODES: Mapping[str, str] = MappingProxyType(
    {
        "free": "no group outside the request names it, nothing carries it, everything was read",
        "referenced": "rules of other groups name it; the delete would be refused, or worse",
        "referenced-will-cascade": "rules of other groups name it and would silently vanish",
        "referenced-within-set": "only groups deleted together with it name it",
        "bound": "instances, interfaces or other products carry it",
        "default-group": "it is the cloud's default group",
        "cloud-managed": "a product of the cloud owns it",
        "protected": "the policy protects it",
        "not-found": "the cloud shows no such group",
        "group-malformed": "the text is no group id of this cloud",
        "facts-incomplete": "something the verdict needs could not be seen",
    }
)
"""Reason codes of the delete guard with their meaning."""

LAUNCH_CODES: Mapping[str, str] = MappingProxyType(
    {
        "within-limits": "every limit that was read holds after the change",
        "default-group-applies": "no group was given, so the cloud picks one itself",
        "groups-per-instance-exceeded": "an instance or interface would carry too many groups",
        "instances-per-group-exceeded": "too many instances or interfaces would carry a group",
        "limit-near": "a limit holds, but most of it is used",
        "group-not-found": "the cloud shows no such group",
        "group-malformed": "the text is no group id of this cloud",
        "group-other-network": "the group belongs to another network than the instance",
        "group-other-project": "the group belongs to another project than the instance",
        "instance-not-found": "the cloud shows no such instance",
        "instance-refuses-binding": "the instance cannot be bound in its present state",
        "group-forbidden": "the policy forbids the group",
        "baseline-missing": "the policy requires a group that is not there",
        "facts-incomplete": "something the verdict needs could not be seen",
    }
)
"""Reason codes of the launch guard with their meaning."""


def one_line(text: str, width: int) -> str:
    """Return the text on one line of at most ``width`` characters, cut with an ellipsis.

    Names and cloud texts are written by others: line breaks and control characters become
    spaces, so that nobody can forge a second line.
    """
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= width else flat[: max(width - 1, 0)].rstrip() + "…"


def count(number: int, thing: str) -> str:
    """Return ``1 rule``, ``2 rules``: the number with the thing in singular or plural."""
    plural = thing[:-1] + "ies" if thing.endswith("y") else thing + "s"
    return f"{number} {thing if number == 1 else plural}"


def listing(names: Iterable[str], width: int) -> str:
    """Return as many of the distinct names as fit, and how many more there are."""
    distinct = list(dict.fromkeys(names))
    shown: list[str] = []
    for index, name in enumerate(distinct):
        rest = len(distinct) - index - 1
        tail = f" and {rest} more" if rest else ""
        if shown and len(", ".join([*shown, name]) + tail) > width:
            return f"{', '.join(shown)} and {rest + 1} more"
        shown.append(one_line(name, max(width - len(tail), 8)))
    return ", ".join(shown)


def label(group_id: str, name: str = "", width: int = 60) -> str:
    """Return ``sg-1 (web)``, the name left out where it is empty or says nothing new."""
    plain = one_line(group_id, width)
    room = width - len(plain) - 3
    if not name or name == group_id or room < 4:  # noqa: PLR2004 - shorter than that says nothing
        return plain
    return f"{plain} ({one_line(name, room)})"


def matches(pattern: str, address: Address, group: Group | None) -> bool:
    """Say whether a policy pattern means this group: by address, id or name."""
    name = group.name if group else ""
    texts = (str(address), address.group_id, *([name] if name else []))
    return any(fnmatchcase(text, pattern) for text in texts)


def missing_or_malformed(
    facts: GroupFacts, example: str, not_found: str = "not-found"
) -> Reason | None:
    """Return why the group cannot be judged at all, or None; ``not_found`` is the guard's code."""
    group_id, target = facts.address.group_id, str(facts.address)
    if facts.is_malformed:
        provider = one_line(facts.address.scope.provider, 30)
        said = f"{one_line(group_id, 60)!r} is no group id of {provider}"
        said = f"{said}: expected one like {one_line(example, 60)}."
        return Reason("group-malformed", one_line(said, MESSAGE_MAX), target=target)
    if facts.group is None:
        hidden = "it does not exist there, or these credentials cannot see it"
        said = f"No group {one_line(group_id, 60)} in {_region(facts.address)}: {hidden}."
        return Reason(not_found, one_line(said, MESSAGE_MAX), target=target)
    return None


def _region(address: Address) -> str:
    return one_line(f"{address.scope.provider} {address.scope.region}", 50)


def incomplete(unseen: Iterable[Unseen], target: str, about: str) -> tuple[Reason, ...]:
    """Return one blocking reason for each thing that could not be seen: what, why, what helps."""
    return tuple(
        Reason("facts-incomplete", _not_seen(item, about), target=target, evidence=(item,))
        for item in sorted(set(unseen), key=repr)
    )


def _not_seen(item: Unseen, about: str) -> str:
    remedy = f" To see it: {one_line(item.remedy, 70)}." if item.remedy else ""
    head = f"{about}: {one_line(item.what, 40)} could not be seen"
    why = one_line(item.why or item.code, MESSAGE_MAX - len(head) - len(remedy) - 4)
    return one_line(f"{head} ({why}).{remedy}", MESSAGE_MAX)
