"""A decision as plain text: one line for a list, the whole story for one person to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sgguard.decision import Decision, Evidence, Reason, Step, Verdict
from sgguard.document import unseen_of
from sgguard.model import (
    Binding,
    DeleteFacts,
    Group,
    GroupFacts,
    Instance,
    LaunchFacts,
    Limit,
    Reference,
    Traits,
    Unseen,
)
from sgguard.wording import (
    MESSAGE_MAX,
    binding_words,
    count,
    kinds,
    label,
    listing,
    one_line,
    rule_words,
)

WIDTH = 160
"""Columns of one line."""

EVIDENCE_LINES = 12
"""Entries of evidence printed below one reason; how many more there are is said."""

_COLOURS = {Verdict.ALLOW: "32", Verdict.BLOCK: "31", Verdict.REMEDIATE: "33"}
_REFERENCED = ("referenced", "referenced-will-cascade")
_CLOUD_COLUMNS, _SUBJECT_COLUMNS, _VERDICT_COLUMNS = 11, 32, 9
_SHORTEST_WORDS = 40
_LABEL_WIDTHS = (60, 48)
_LONGEST_ID = 24


def line(decision: Decision, *, width: int = WIDTH, colour: bool = False) -> str:
    """Return the decision on one line: cloud, groups, verdict, why, who references, what is bound.

    The words are cut so that the line has at most ``width`` columns, escape codes not counted.
    """
    judgement = decision.judgement
    cloud = one_line(_cloud(decision), _CLOUD_COLUMNS)
    verdict = f"{judgement.verdict.value.upper():<{_VERDICT_COLUMNS}}"
    head = f"{cloud:<{_CLOUD_COLUMNS}} {_subject(decision, width // 3):<{_SUBJECT_COLUMNS}} "
    main = _main_reason(judgement.reasons)
    tail = "".join(f" | {part}" for part in _rest(decision, main))
    room = width - len(head) - len(verdict) - 1
    tail = one_line(tail, max(room - _SHORTEST_WORDS, 0))
    tail = f" {tail}" if tail else ""
    words = one_line(_words(main, decision) if main else "", room - len(tail))
    return f"{head}{_paint(verdict, judgement.verdict, colour=colour)} {words}{tail}".rstrip()


def full(decision: Decision, *, colour: bool = False) -> str:
    """Return the decision in full: verdict, reasons with evidence, limits, unseen, plan."""
    judgement = decision.judgement
    verdict = _paint(judgement.verdict.value.upper(), judgement.verdict, colour=colour)
    about = ", ".join(one_line(target, 120) for target in decision.target)
    said = [
        f"{verdict}  {decision.guard} {about}",
        _particulars(decision),
        *_section("Why", _reasons(judgement.reasons)),
        *_section("Limits", map(_limit, decision.facts.limits)),
        *_section("Not seen", _unseen(decision)),
        *_section(_plan_title(decision), _steps(judgement.plan)),
    ]
    return "\n".join(said)


def _particulars(decision: Decision) -> str:
    ids = f"decision {one_line(decision.decision_id, 60)}, event {one_line(decision.event_id, 60)}"
    done = f"mode {decision.mode.value}, {decision.outcome.value}"
    return f"{ids}, {done}, {decision.took_ms:.0f} ms"


def _paint(text: str, verdict: Verdict, *, colour: bool) -> str:
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colour else text


def _cloud(decision: Decision) -> str:
    return decision.facts.traits.provider


def _subject(decision: Decision, width: int) -> str:
    """Name what was asked about: a group with its name, several by id, or what is launched."""
    facts = decision.facts
    ids = [one.address.group_id for one in facts.groups]
    if isinstance(facts, LaunchFacts):
        if facts.instance_id:
            return label(facts.instance_id, facts.instance.name if facts.instance else "", width)
        planned = f"{facts.count} x "
        return planned + (listing(ids, width - len(planned)) if ids else "no group")
    if len(facts.groups) == 1:
        only = facts.groups[0]
        return label(only.address.group_id, only.group.name if only.group else "", width)
    return listing(ids, width)


def _words(main: Reason, decision: Decision) -> str:
    """Return why, with "it" for the one group that the line has named already."""
    groups = decision.facts.groups
    if isinstance(decision.facts, LaunchFacts):
        return main.message
    if len(groups) == 1 and main.code in _REFERENCED:
        return _who_references(main, decision.facts.traits)
    if len(groups) == 1:
        return _with_pronoun(main.message, groups[0])
    if decision.judgement.verdict is not Verdict.ALLOW:
        return main.message
    going = [one for one in decision.judgement.plan if one.action == "delete"]
    order = listing((one.target.rpartition(":")[2] for one in going), MESSAGE_MAX)
    return f"Free together, to be deleted in this order: {order}"


def _who_references(reason: Reason, traits: Traits) -> str:
    references = [one for one in reason.evidence if isinstance(one, Reference)]
    holders = {(one.account, one.group_id): _shortest(one) for one in references}
    would = "name it" if len(references) > 1 else "names it"
    if reason.code == "referenced-will-cascade":
        would = "would silently vanish"
    counted = f"{count(len(references), 'rule')} of {count(len(holders), 'group')} {would}"
    refused = ""
    if traits.on_delete_referenced == "refused":
        refused = f". The cloud would refuse with {one_line(traits.refused_with, 40)}"
    return f"{counted}: {listing(holders.values(), 60)}{refused}"


def _shortest(reference: Reference) -> str:
    """Name a group by id and name, or by its name alone: a line has no room for UUIDs."""
    is_long = len(reference.group_id) > _LONGEST_ID and bool(reference.group_name)
    return reference.group_name if is_long else label(reference.group_id, reference.group_name, 40)


def _with_pronoun(message: str, facts: GroupFacts) -> str:
    if facts.group is None:
        return message
    for width in _LABEL_WIDTHS:
        message = message.replace(label(facts.address.group_id, facts.group.name, width), "it")
    return f"It {message[3:]}" if message.startswith("it ") else message


def _main_reason(reasons: Sequence[Reason]) -> Reason | None:
    """Return the first reason that blocks, else the first warning, else the first one."""
    for effect in ("block", "warn"):
        if found := next((one for one in reasons if one.effect == effect), None):
            return found
    return next(iter(reasons), None)


def _rest(decision: Decision, main: Reason | None) -> Iterator[str]:
    """Return what the main reason does not say already: more reasons, references, bindings."""
    weighty = [one for one in decision.judgement.reasons if one.effect != "info"]
    if isinstance(decision.facts, DeleteFacts):
        named = (*_REFERENCED, "bound")
        weighty = [one for one in weighty if one.code not in named]
        code = main.code if main else ""
        references = _from_outside(decision.facts)
        if references and code not in _REFERENCED:
            yield f"referenced by {listing((one.group_id for one in references), 40)}"
        if code != "bound" and (
            held := kinds(b for g in decision.facts.groups for b in g.bindings)
        ):
            yield f"bound: {held}"
    if more := [one for one in weighty if one is not main]:
        yield f"also {listing((one.code for one in more), 40)}"


def _from_outside(facts: DeleteFacts) -> list[Reference]:
    members = {one.address.group_id for one in facts.groups}
    references = (one for group in facts.groups for one in group.references)
    return [one for one in references if one.account or one.group_id not in members]


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
    """Say one piece of evidence; what the message says in full already is left out."""
    match evidence:
        case Reference():
            return reference_words(evidence)
        case Binding():
            return binding_words(evidence)
        case Limit():
            return _limit(evidence)
        case Instance():
            state = one_line(evidence.state, 40) or "in no known state"
            return f"{label(evidence.instance_id, evidence.name)} is {state}"
        case Unseen() | Group():
            return ""


def reference_words(reference: Reference) -> str:
    """Return who references and by which rule, and whose group it is when it is not ours."""
    owner = f", account {one_line(reference.account, 40)}" if reference.account else ""
    project = f", project {one_line(reference.project, 40)}" if reference.project else ""
    rule = rule_words(reference.rule) if reference.rule else "a rule that could not be read"
    who = label(reference.group_id, reference.group_name)
    return one_line(f"{who}{owner}{project}: {rule}", MESSAGE_MAX)


def _limit(limit: Limit) -> str:
    ceiling = "no ceiling" if limit.ceiling is None else str(limit.ceiling)
    amount = ceiling if limit.used is None else f"{limit.used} of {ceiling}"
    advice = "" if limit.is_enforced else ", advice only"
    note = f", {one_line(limit.note, 100)}" if limit.note else ""
    return one_line(f"{limit.name}: {amount} ({limit.source}{advice}{note})", MESSAGE_MAX)


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
