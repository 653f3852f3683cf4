"""A decision in full, for one person to read: reasons with evidence, limits, unseen, plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sgguard.model.decision import Consequence, Decision, Evidence, Forecast, Reason, Step
from sgguard.model.resource import Binding, Group, Instance, Limit, Reference, Unseen
from sgguard.render.document import unseen_of
from sgguard.render.text.line import paint
from sgguard.render.wording import (
    MESSAGE_MAX,
    binding_words,
    count,
    label,
    one_line,
    percent,
    rule_words,
)

EVIDENCE_LINES = 12
"""Entries of evidence printed below one reason; how many more there are is said."""

_OUTLOOKS = {
    "will-be-refused": "would be refused",
    "will-cascade": "would succeed and cascade",
    "will-succeed": "would succeed",
    "unknown": "nobody can tell what it would do",
}


def full(decision: Decision, *, colour: bool = False) -> str:
    """Return the decision in full: verdict, reasons with evidence, limits, unseen, plan."""
    judgement = decision.judgement
    verdict = paint(judgement.verdict.value.upper(), judgement.verdict, colour=colour)
    about = ", ".join(one_line(target, 120) for target in decision.target)
    said = [
        f"{verdict}  {decision.guard} {about}",
        _particulars(decision),
        *_section("Why", _reasons(judgement.reasons)),
        *_section("A plain delete now", _outlooks(decision)),
        *_section("Limits", map(_forecast, judgement.forecast)),
        *_section("Not seen", _unseen(decision)),
        *_section("What this cloud's API cannot tell", _blind_spots(decision)),
        *_section(_plan_title(decision), _steps(judgement.plan)),
    ]
    return "\n".join(said)


def _particulars(decision: Decision) -> str:
    ids = f"decision {one_line(decision.decision_id, 60)}, event {one_line(decision.event_id, 60)}"
    done = f"mode {decision.mode.value}, {decision.outcome.value}"
    return f"{ids}, {done}, {decision.took_ms:.0f} ms"


def _section(title: str, lines: Iterator[str] | map[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield ""
        yield title
        yield from (f"  {text}" for text in body)


def _reasons(reasons: Sequence[Reason]) -> Iterator[str]:
    for reason in reasons:
        yield f"{reason.effect:<5}  {reason.code}: {one_line(reason.message, MESSAGE_MAX)}"
        shown = [text for text in map(_evidence, reason.evidence) if text]
        yield from (f"       - {text}" for text in shown[:EVIDENCE_LINES])
        if len(shown) > EVIDENCE_LINES:
            yield f"       - and {len(shown) - EVIDENCE_LINES} more"


def _evidence(evidence: Evidence) -> str:
    """Say one piece of evidence, unless the message or a section of its own says it in full."""
    match evidence:
        case Reference():
            return reference_words(evidence)
        case Binding():
            return binding_words(evidence)
        case Instance():
            state = one_line(evidence.state, 40) or "in no known state"
            return f"{label(evidence.instance_id, evidence.name)} is {state}"
        case Unseen() | Group() | Limit():
            return ""


def reference_words(reference: Reference) -> str:
    """Return who references and by which rule, and whose group it is when it is not ours."""
    owner = f", account {one_line(reference.account, 40)}" if reference.account else ""
    project = f", project {one_line(reference.project, 40)}" if reference.project else ""
    rule = rule_words(reference.rule) if reference.rule else "a rule that could not be read"
    who = label(reference.group_id, reference.group_name)
    return one_line(f"{who}{owner}{project}: {rule}", MESSAGE_MAX)


def _outlooks(decision: Decision) -> Iterator[str]:
    names = {str(one.address): one for one in decision.facts.groups}
    for one in decision.judgement.consequences:
        facts = names[one.target]
        who = label(facts.address.group_id, facts.group.name if facts.group else "")
        yield one_line(f"{who}: {_outlook(one)}", MESSAGE_MAX)


def _outlook(one: Consequence) -> str:
    code = f" with {one_line(one.error_code, 60)}" if one.error_code else ""
    note = f": {one.note}" if one.note else ""
    return f"{_OUTLOOKS[one.kind]}{code}{note}"


def _forecast(one: Forecast) -> str:
    return one_line(f"{_limit(one.limit)}: {one.subject}", MESSAGE_MAX)


def _blind_spots(decision: Decision) -> Iterator[str]:
    yield from (one_line(one, MESSAGE_MAX) for one in decision.facts.capabilities.blind_spots)


def _limit(limit: Limit) -> str:
    ceiling = "no ceiling" if limit.ceiling is None else str(limit.ceiling)
    now = ceiling if limit.used is None else f"{limit.used} of {ceiling}"
    after = "" if limit.after is None else f" now, {limit.after} after"
    full = percent(limit)
    share = "" if full is None else f", {full:g} %"
    advice = "" if limit.is_enforced else ", advice only"
    note = f", {one_line(limit.note, 100)}" if limit.note else ""
    kind = f" of kind {one_line(limit.applies_to, 30)}" if limit.applies_to else ""
    said = f"{limit.name}{kind}: {now}{after}{share} ({limit.source}{advice}{note})"
    return one_line(said, MESSAGE_MAX)


def _unseen(decision: Decision) -> Iterator[str]:
    for target, each in groupby(unseen_of(decision), key=lambda one: one[0]):
        for _, unseen in each:
            what = f"{one_line(unseen.what, 80)} [{unseen.code}]"
            yield one_line(f"{target}: {what}: {unseen.why}", MESSAGE_MAX + 100)
            if unseen.remedy:
                yield f"  to see it: {one_line(unseen.remedy, MESSAGE_MAX)}"


def _plan_title(decision: Decision) -> str:
    steps = count(len(decision.judgement.plan), "step")
    return f"Plan: {steps}, in this order ({decision.outcome.value}: nothing was carried out)"


def _steps(plan: Sequence[Step]) -> Iterator[str]:
    for number, step in enumerate(plan, start=1):
        yield f"{number}. {one_line(step.summary, MESSAGE_MAX)}"
        undo = step.inverse.summary if step.inverse else "from a snapshot taken before"
        yield f"   undo: {one_line(undo, MESSAGE_MAX)}"
