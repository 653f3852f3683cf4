"""A decision in full, from its JSON document: why, what was seen and not seen, plan and outcome.

A decision that was just made and one that was kept are the same document, and so the same text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from sgguard.model.codes import Mode, Outcome, Verdict
from sgguard.render.bind import HOLDERS_MAX, batch_note, batch_words, holder_lines
from sgguard.render.text.line import paint
from sgguard.render.values import Json, binding_of, reference_of, rule_of
from sgguard.render.wording import (
    MESSAGE_MAX,
    binding_words,
    count,
    label,
    one_line,
    reference_words,
    rule_words,
    wrapped,
)

EVIDENCE_LINES = 12
"""Entries of evidence printed below one reason; the number of the others follows them."""

SEEN_LINES = 30
"""References and bindings printed that no reason names; the number of the others follows them."""

_NOTE_MAX = 4000
_WIDTH_MIN = 40
_UNLIMITED = 1_000_000

_FORECASTS = {
    "will-be-refused": "would be refused",
    "will-cascade": "would succeed and cascade",
    "will-succeed": "would succeed",
    "unknown": "effect unknown",
}

Line = tuple[str, str]
"""What a line begins with, and its text, which continues below itself where it is wrapped."""


def full(
    document: Json,
    particulars: Mapping[str, str] | None = None,
    *,
    width: int | None = None,
    colour: bool = False,
    is_whole: bool = False,
) -> str:
    """Return the document of ``decision.schema.json`` as text.

    ``particulars`` are further facts below the headline, by name; one that the document has is
    replaced, an empty one is left out. With ``width``, the columns of a terminal, long lines are
    wrapped. With ``is_whole`` every group and every piece of evidence is listed.
    """
    sections = (
        ("Why", chain.from_iterable(_reason(one, is_whole) for one in document["reasons"])),
        ("A plain delete now", _consequences(document)),
        ("Limits", _limits(document)),
        ("Seen", _seen(document, is_whole)),
        ("Not seen", _unseen(document["facts"]["unseen"])),
        ("What this cloud's API cannot tell", _blind_spots(document["facts"])),
        (_plan_title(document), _steps(document["plan"])),
        ("Outcome", _outcome(document)),
    )
    lines = chain(
        _head(document, particulars or {}),
        *(_section(title, body) for title, body in sections),
    )
    room = _UNLIMITED if width is None else max(width, _WIDTH_MIN)
    verdict = Verdict(document["verdict"])
    text = "\n".join(chain.from_iterable(wrapped(one, room, lead) for lead, one in lines))
    shown = verdict.value.upper()
    return paint(shown, verdict, colour=colour) + text.removeprefix(shown)


def _head(document: Json, particulars: Mapping[str, str]) -> Iterator[Line]:
    about = ", ".join(one_line(target, 120) for target in document["target"])
    yield f"{document['verdict'].upper()}  ", f"{document['guard']} {about}"
    own = {
        "decision": document["decision_id"],
        "event": document["event_id"],
        "at": f"{document['decided_at']}, in {document['took_ms']:.0f} ms",
        "mode": document["mode"],
        "outcome": document["outcome"],
        "approval": _approval(document["approval"]),
    }
    for name, value in {**own, **particulars}.items():
        if value:
            yield f"  {name:<9} ", one_line(value, MESSAGE_MAX)


def _approval(approval: Json | None) -> str:
    if approval is None:
        return ""
    by = f"by {approval['resolved_by']}" if approval["resolved_by"] else ""
    until = by or f"until {approval['expires_at']}"
    return f"{approval['state']} {until} ({approval['approval_id']})"


def _section(title: str, lines: Iterator[Line]) -> Iterator[Line]:
    body = list(lines)
    if body:
        yield "", ""
        yield "", title
        yield from ((f"  {lead}", text) for lead, text in body)


def _seen(document: Json, is_whole: bool) -> Iterator[Line]:  # noqa: FBT001 - private
    """Yield how much was seen, and of it what stands below no reason."""
    facts = document["facts"]
    numbers = (
        count(len(facts["groups"]), "group"),
        count(len(facts["references"]), "reference"),
        count(len(facts["bindings"]), "binding"),
    )
    yield "", f"{', '.join(numbers)}; {'complete' if facts['complete'] else 'not complete'}"
    is_named = _evidence_filter(document["reasons"])
    if is_whole:
        yield from (
            ("- ", f"group {label(one['group_id'], one['name'] or '')}") for one in facts["groups"]
        )
    others = [
        *(
            f"{_last(one['target'])}: referenced by {reference_words(reference_of(one))}"
            for one in facts["references"]
            if not is_named("reference", one)
        ),
        *(
            f"{_last(one['target'])}: bound to {binding_words(binding_of(one))}"
            for one in facts["bindings"]
            if not is_named("binding", one)
        ),
    ]
    yield from _listed(others, len(others) if is_whole else SEEN_LINES)


def _evidence_filter(reasons: Iterable[Json]) -> Callable[[str, Json], bool]:
    """Return what tells whether a reason names a fact already, or counts it with its evidence."""
    named: set[str] = set()
    counted: set[tuple[str, str]] = set()
    for reason in reasons:
        target, evidence = reason["target"], reason["evidence"]
        named.update(_key(one["type"], {**one, "target": target}) for one in evidence)
        if reason["evidence_count"] > len(evidence):
            counted.update((one["type"], target) for one in evidence)
    return lambda kind, fact: (kind, fact["target"]) in counted or _key(kind, fact) in named


def _key(kind: str, fact: Json) -> str:
    return json.dumps({**fact, "type": kind}, sort_keys=True)


def _last(address: str) -> str:
    return one_line(address.rpartition(":")[2], 60)


def _listed(texts: list[str], lines_max: int, more: int = 0) -> Iterator[Line]:
    yield from (("- ", text) for text in texts[:lines_max])
    if left := more + len(texts[lines_max:]):
        yield "- ", f"and {left} more (--verbose --json has all)"


def _reason(reason: Json, is_whole: bool) -> Iterator[Line]:  # noqa: FBT001 - private
    yield (
        f"{reason['effect']:<5}  ",
        f"{reason['code']}: {one_line(reason['message'], MESSAGE_MAX)}",
    )
    shown = [text for text in map(_evidence, reason["evidence"]) if text]
    left_out = reason["evidence_count"] - len(reason["evidence"])
    lines = len(shown) if is_whole else EVIDENCE_LINES
    yield from ((f"       {lead}", text) for lead, text in _listed(shown, lines, left_out))


def _evidence(evidence: Json) -> str:
    """Describe one piece of evidence, unless the message or a section of its own has it all."""
    match evidence["type"]:
        case "reference":
            return reference_words(reference_of(evidence))
        case "binding":
            return binding_words(binding_of(evidence))
        case "instance":
            state = one_line(evidence["state"], 40) or "in no known state"
            return f"{label(evidence['instance_id'], evidence['name'])} is {state}"
        case _:
            return ""


def _consequences(document: Json) -> Iterator[Line]:
    names = _names(document["facts"])
    for one in document["consequences"]:
        code = f" with {one_line(one['error_code'], 60)}" if one["error_code"] else ""
        note = f": {one['note']}" if one["note"] else ""
        text = f"{_label(one['target'], names)}: {_FORECASTS[one['kind']]}{code}{note}"
        yield "", one_line(text, MESSAGE_MAX)


def _names(facts: Json) -> dict[str, str]:
    """Return the names of groups and the instance by id."""
    names = {one["group_id"]: one["name"] for one in facts["groups"]}
    if instance := facts["instance"]:
        names[instance["instance_id"]] = instance["name"]
    return names


def _label(target: str, names: Mapping[str, str]) -> str:
    """Return id and name of a group or an instance, or else the whole target: a scope."""
    last = target.rpartition(":")[2]
    return label(last, names[last]) if last in names else one_line(target, 60)


def _limits(document: Json) -> Iterator[Line]:
    """Yield the limits that the change touches."""
    names = _names(document["facts"])
    for one in document["facts"]["limits"]:
        if one["target"]:
            yield "", one_line(f"{_limit(one)}: {_label(one['target'], names)}", MESSAGE_MAX)


def _limit(limit: Json) -> str:
    ceiling = "no ceiling" if limit["ceiling"] is None else str(limit["ceiling"])
    now = ceiling if limit["used"] is None else f"{limit['used']} of {ceiling}"
    after = "" if limit["after"] is None else f" now, {limit['after']} after"
    share = "" if limit["percent"] is None else f", {limit['percent']:g} %"
    advice = "" if limit["is_enforced"] else ", advice only"
    note = f", {one_line(limit['note'], 100)}" if limit["note"] else ""
    kind = f" of kind {one_line(limit['applies_to'], 30)}" if limit["applies_to"] else ""
    return f"{limit['name']}{kind}: {now}{after}{share} ({limit['source']}{advice}{note})"


def _unseen(gaps: Iterable[Json]) -> Iterator[Line]:
    for one in gaps:
        what = f"{one_line(one['what'], 80)} [{one['code']}]"
        yield "", one_line(f"{one['target']}: {what}: {one['why']}", MESSAGE_MAX + 100)
        if one["remedy"]:
            yield "  to see it: ", one_line(one["remedy"], MESSAGE_MAX)


def _blind_spots(facts: Json) -> Iterator[Line]:
    yield from (("", one_line(one, MESSAGE_MAX)) for one in facts["blind_spots"])


def _plan_title(document: Json) -> str:
    steps = f"Plan: {count(len(document['plan']), 'step')}, in this order"
    if document["journal"]:
        return steps
    if document["outcome"] == Outcome.UNFINISHED:  # the journal of what was begun is in the store
        return f"{steps} ({document['outcome']})"
    return f"{steps} ({document['outcome']}: nothing was done)"


def _steps(plan: Iterable[Json]) -> Iterator[Line]:
    for number, step in enumerate(plan, start=1):
        yield f"{number}. ", step["summary"]  # whole: what is approved is what is seen
        if step["inverse"]:
            yield "   undo: ", step["inverse"]["summary"]
        elif step["action"] == "delete":
            yield "   undo: ", "from a snapshot taken before"


def _outcome(document: Json) -> Iterator[Line]:
    is_nothing = document["outcome"] == Outcome.UNCHANGED or (
        # Where nothing is ever carried out, the verdict itself says so.
        document["outcome"] == Outcome.LEFT_TO_CALLER and document["mode"] == Mode.OBSERVE
    )
    if is_nothing and not document["note"]:
        return
    # The note is whole: it may contain a command to type.
    note = f": {document['note']}" if document["note"] else ""
    yield "", one_line(f"{document['outcome']}{note}", _NOTE_MAX)
    yield from (("  ", one) for one in holder_lines(document.get("bind"), HOLDERS_MAX))
    for one in document["journal"]:
        undo = "undo: " if one["is_undo"] else ""
        made = f", made {one_line(one['made'], 60)}" if one["made"] else ""
        told = batch_note(one["note"]) if "holders" in one["change"] else one["note"]
        note = f": {one_line(told, MESSAGE_MAX)}" if told else ""
        yield f"{one['at']}  {one['state']:<8}  ", f"{undo}{_change(one['change'])}{made}{note}"


def _change(change: Json) -> str:
    """Return ``remove-rule sg-1 ingress[0]: tcp 22 accept``, a line of the journal in words."""
    if "holders" in change:  # a line of a bind, with the holders of one call
        return one_line(batch_words(change), MESSAGE_MAX)
    kind, holder, rule = change["kind"], change.get("holder"), change.get("rule")
    if holder:
        groups = " → ".join(", ".join(change[when]) or "none" for when in ("before", "after"))
        return one_line(f"{kind} {holder['kind']} {holder['holder_id']}: {groups}", MESSAGE_MAX)
    words = f" {rule_words(rule_of(rule))}" if rule else ""
    return one_line(f"{kind} {change.get('group_id', '')}{words}", MESSAGE_MAX)
