"""A decision on one line: cloud, groups, verdict, reason, references, bindings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sgguard.model.capabilities import Capabilities
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Decision, Reason
from sgguard.model.facts import DeleteFacts, GroupFacts, LaunchFacts
from sgguard.model.resource import Reference
from sgguard.render.language.sentence import message_of
from sgguard.render.wording import (
    MESSAGE_MAX,
    columns,
    count,
    kinds,
    label,
    listing,
    one_line,
    pad,
    short_ids,
)

_COLOURS = {Verdict.ALLOW: "32", Verdict.BLOCK: "31", Verdict.REMEDIATE: "33"}


def paint(text: str, verdict: Verdict, *, colour: bool) -> str:
    """Return the text in the verdict's colour, or unchanged without ``colour``."""
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colour else text


WIDTH = 160
"""Columns of one line."""

_REFERENCED = (ReasonCode.REFERENCED, ReasonCode.REFERENCED_WILL_CASCADE)
_CLOUD_COLUMNS, _SUBJECT_COLUMNS, _VERDICT_COLUMNS = 11, 32, 9
_SHORTEST_WORDS = 40
_LABEL_WIDTHS = (60, 48, 40)


def line(decision: Decision, *, width: int = WIDTH, colour: bool = False) -> str:
    """Return the decision on one line: cloud, groups, verdict, reason, references, bindings.

    The words are cut so that the line has at most ``width`` columns, escape codes not counted.
    UUIDs are shortened here and nowhere else.
    """
    judgement = decision.judgement
    cloud = one_line(_cloud(decision), _CLOUD_COLUMNS)
    verdict = f"{judgement.verdict.value.upper():<{_VERDICT_COLUMNS}}"
    head = f"{pad(cloud, _CLOUD_COLUMNS)} {pad(_subject(decision, width // 3), _SUBJECT_COLUMNS)} "
    main = _main_reason(judgement.reasons)
    tail = "".join(f" | {part}" for part in _rest(decision, main))
    room = width - columns(head) - len(verdict) - 1
    tail = one_line(short_ids(tail), max(room - _SHORTEST_WORDS, 0))
    tail = f" {tail}" if tail else ""
    why = short_ids(_words(main, decision)) if main else ""
    words = one_line(why, room - columns(tail))
    return f"{head}{paint(verdict, judgement.verdict, colour=colour)} {words}{tail}".rstrip()


def _cloud(decision: Decision) -> str:
    return decision.facts.capabilities.provider


def _subject(decision: Decision, width: int) -> str:
    """Return what the decision is about: a group with its name, several by id, or the launch."""
    facts = decision.facts
    ids = [short_ids(one.address.group_id) for one in facts.groups]
    if isinstance(facts, LaunchFacts):
        if facts.instance_id:
            name = facts.instance.name if facts.instance else ""
            return label(short_ids(facts.instance_id), name, width)
        planned = f"{facts.count} x "
        return planned + (listing(ids, width - len(planned)) if ids else "no group")
    if len(facts.groups) == 1:
        only = facts.groups[0]
        return label(ids[0], only.group.name if only.group else None, width)
    return listing(ids, width)


def _words(main: Reason, decision: Decision) -> str:
    """Return why, with "it" for the one group that the line has named already."""
    groups = decision.facts.groups
    if isinstance(decision.facts, LaunchFacts):
        return message_of(main)
    if len(groups) == 1 and main.code in _REFERENCED:
        return _who_references(main, decision.facts.capabilities)
    if len(groups) == 1:
        return _with_pronoun(message_of(main), groups[0])
    if decision.judgement.verdict is not Verdict.ALLOW:
        return message_of(main)
    going = [one for one in decision.judgement.plan if one.action == "delete"]
    order = listing((one.target.rpartition(":")[2] for one in going), MESSAGE_MAX)
    return f"Free together, to be deleted in this order: {order}"


def _who_references(reason: Reason, capabilities: Capabilities) -> str:
    references = [one for one in reason.evidence if isinstance(one, Reference)]
    holders = {(one.account, one.group_id): _referrer(one) for one in references}
    would = "name it" if len(references) > 1 else "names it"
    if reason.code == ReasonCode.REFERENCED_WILL_CASCADE:
        would = "would silently vanish"
    counted = f"{count(len(references), 'rule')} of {count(len(holders), 'group')} {would}"
    refused = ""
    if capabilities.keeps_referenced:
        code = (
            f" with {one_line(capabilities.refused_with, 40)}" if capabilities.refused_with else ""
        )
        who = one_line(capabilities.delete_guard, 60) or "The cloud"
        refused = f". {who} would refuse{code}"
    return f"{counted}: {listing(holders.values(), 60)}{refused}"


def _referrer(reference: Reference) -> str:
    return label(short_ids(reference.group_id), reference.group_name, 40)


def _with_pronoun(message: str, facts: GroupFacts) -> str:
    """Begin with "It", or with the finding, where a message begins with the group."""
    name = facts.group.name if facts.group else None
    for width in _LABEL_WIDTHS:
        shown = label(facts.address.group_id, name, width)
        if message.startswith(f"{shown} "):
            return f"It{message.removeprefix(shown)}"
        if message.startswith(f"{shown}: "):
            rest = message.removeprefix(f"{shown}: ")
            return rest[:1].upper() + rest[1:]
    return message


def _main_reason(reasons: Sequence[Reason]) -> Reason | None:
    """Return the first reason that blocks, else the first warning, else the first one."""
    for effect in ("block", "warn"):
        if found := next((one for one in reasons if one.effect == effect), None):
            return found
    return next(iter(reasons), None)


def _rest(decision: Decision, main: Reason | None) -> Iterator[str]:
    """Return what the main reason does not contain: further reasons, references, bindings."""
    weighty = [one for one in decision.judgement.reasons if one.effect != "info"]
    if isinstance(decision.facts, DeleteFacts):
        named = (*_REFERENCED, ReasonCode.BOUND)
        weighty = [one for one in weighty if one.code not in named]
        code = main.code if main else ""
        references = _from_outside(decision.facts)
        if references and code not in _REFERENCED:
            yield f"referenced by {listing((one.group_id for one in references), 40)}"
        if code != ReasonCode.BOUND and (
            held := kinds(b for g in decision.facts.groups for b in g.bindings)
        ):
            yield f"bound: {held}"
    if more := [one for one in weighty if one is not main]:
        yield f"also {listing((one.code for one in more), 40)}"


def _from_outside(facts: DeleteFacts) -> list[Reference]:
    members = {one.address.group_id for one in facts.groups}
    references = (one for group in facts.groups for one in group.references)
    return [one for one in references if one.account or one.group_id not in members]
