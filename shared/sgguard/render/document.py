"""A decision as a JSON document, as ``schemas/decision.schema.json`` describes it.

One group, a set of groups and a launch have the same shape: ``target`` is always a list, the
groups' own facts are in ``facts.groups``, and references, bindings and what was not seen are flat
lists whose entries name the group they concern in ``target``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sgguard.model.decision import Consequence, Decision, Evidence, Reason
from sgguard.model.facts import DeleteFacts, GroupFacts, LaunchFacts
from sgguard.model.resource import Binding, Group, Instance, Limit, Reference, Unseen
from sgguard.model.sentence import Sentence, Text
from sgguard.render.evidence import OF_REASONS_MAX, SHOWN_MAX, left_out
from sgguard.render.language.sentence import WHOLE, in_english, message_of
from sgguard.render.said import sentence_json
from sgguard.render.values import (
    Json,
    binding_json,
    group_json,
    instance_json,
    limit_json,
    reference_json,
    step_json,
    time_json,
    unseen_json,
)

EVIDENCE_MAX = 100
"""Entries shown with one reason; ``evidence_count`` tells how many there are, facts hold them."""


def to_json(decision: Decision) -> Json:
    """Return the decision as what ``json.dumps`` takes; times are RFC 3339 in UTC."""
    return _written(decision, None, None)


def to_answer(decision: Decision, most: int = SHOWN_MAX, of_reasons: int = OF_REASONS_MAX) -> Json:
    """Return what is answered of a decision that nobody keeps whole.

    It is what :func:`~sgguard.render.evidence.answered` returns of :func:`to_json`; what that
    leaves out is not written here.
    """
    written = _written(decision, most, of_reasons)
    counts = _counts(decision)
    if max(counts.values()) <= most:
        return written
    actions = Counter[str](step.action for step in decision.judgement.plan[most:])
    return {**written, "left_out": left_out(written, counts, actions, most)}


def _counts(decision: Decision) -> dict[str, int]:
    groups, judgement = decision.facts.groups, decision.judgement
    return {
        "reference": sum(len(one.references) for one in groups),
        "binding": sum(len(one.bindings) for one in groups),
        "unseen": len(unseen_of(decision)),
        "vanishing": sum(len(one.vanishing) for one in judgement.consequences),
        "step": len(judgement.plan),
    }


def _written(decision: Decision, most: int | None, of_reasons: int | None) -> Json:
    """Return the document, with all of its lists or so much of each."""
    judgement = decision.judgement
    return {
        "decision_id": decision.decision_id,
        "event_id": decision.event_id,
        "guard": decision.guard,
        "verdict": judgement.verdict.value,
        "outcome": decision.outcome.value,
        "mode": decision.mode.value,
        "target": list(decision.target),
        "reasons": list(_reasons(judgement.reasons, of_reasons)),
        "consequences": list(_consequences(judgement.consequences, most)),
        "facts": _facts(decision, most),
        "plan": [step_json(step) for step in judgement.plan[:most]],
        "decided_at": time_json(decision.decided_at),
        "took_ms": round(decision.took_ms, 3),
        "caller": decision.caller,
        "note": "",
        "journal": [],
        "approval": None,
        "bind": None,
        "callback": {"host": decision.callback} if decision.callback else None,
    }


def unseen_of(decision: Decision) -> tuple[tuple[str, Unseen], ...]:
    """Return what the verdict needed and could not be read, each with the address it concerns.

    That is what the reads reported, and what a guard found to be missing among them.
    """
    judged = (
        (reason.target, one)
        for reason in decision.judgement.reasons
        for one in reason.evidence
        if isinstance(one, Unseen)
    )
    return tuple(dict.fromkeys((*_unread(decision.facts), *judged)))


def _unread(facts: DeleteFacts | LaunchFacts) -> Iterator[tuple[str, Unseen]]:
    if isinstance(facts, LaunchFacts):
        target = facts.instance_id or str(facts.scope)
        yield from ((target, one) for one in facts.unseen)
    for group in facts.groups:
        yield from ((str(group.address), one) for one in group.unseen)


def _reasons(reasons: Iterable[Reason], room: int | None) -> Iterator[Json]:
    for one in reasons:
        shown = one.evidence[: EVIDENCE_MAX if room is None else min(room, EVIDENCE_MAX)]
        room = room if room is None else room - len(shown)
        yield _reason(one, shown)


def _reason(reason: Reason, shown: Sequence[Evidence]) -> Json:
    return {
        "code": reason.code,
        "message": message_of(reason),
        "sentence": sentence_json(reason.sentence),
        "effect": reason.effect,
        "target": reason.target,
        "evidence": [_evidence(one) for one in shown],
        "evidence_count": len(reason.evidence),
    }


def _consequences(consequences: Iterable[Consequence], room: int | None) -> Iterator[Json]:
    for one in consequences:
        shown = one.vanishing[:room]
        room = room if room is None else room - len(shown)
        yield _consequence(one, shown)


def _consequence(one: Consequence, shown: Sequence[Reference]) -> Json:
    return {
        "target": one.target,
        "kind": one.kind,
        "error_code": one.error_code,
        "vanishing": [{"target": one.target, **reference_json(each)} for each in shown],
        "note": in_english(one.note) if one.note else "",
        **({"sentence": sentence_json(one.note)} if one.note else {}),
    }


def _evidence(evidence: Evidence) -> Json:
    """Return the evidence with ``type`` first: a binding has a ``kind`` of its own."""
    match evidence:
        case Reference():
            return {"type": "reference", **reference_json(evidence)}
        case Binding():
            return {"type": "binding", **binding_json(evidence)}
        case Limit():
            return {"type": "limit", **limit_json(evidence)}
        case Unseen():
            return {"type": "unseen", **unseen_json(evidence)}
        case Group():
            return {"type": "group", **group_json(evidence)}
        case Instance():
            return {"type": "instance", **instance_json(evidence)}


def _facts(decision: Decision, most: int | None) -> Json:
    facts, unseen = decision.facts, unseen_of(decision)
    spots = _blind_spots(facts)
    launch = facts if isinstance(facts, LaunchFacts) else None
    return {
        "groups": [_group_facts(one) for one in facts.groups],
        "references": list(islice(_of_groups(facts.groups, "references"), most)),
        "bindings": list(islice(_of_groups(facts.groups, "bindings"), most)),
        "instance": instance_json(launch.instance) if launch and launch.instance else None,
        "count": launch.count if launch and not launch.instance_id else None,
        "limits": list(_limits(decision)),
        "complete": not unseen,
        "visibility": facts.visibility.value,
        "unseen": [{"target": target, **unseen_json(one)} for target, one in unseen[:most]],
        "blind_spots": [in_english(one, WHOLE) for one in spots],
        "blind_spot_sentences": [sentence_json(one) for one in spots if isinstance(one, Sentence)],
        "hidden_groups": 0,
    }


def _blind_spots(facts: DeleteFacts | LaunchFacts) -> tuple[Text, ...]:
    is_planned = isinstance(facts, LaunchFacts) and not facts.instance_id
    known = facts.capabilities
    return known.launch_blind_spots if is_planned else known.blind_spots


def _limits(decision: Decision) -> Iterator[Json]:
    """Yield each limit the change touches, for each it is about, then those it does not touch."""
    forecast = decision.judgement.forecast
    yield from ({"target": one.target, **limit_json(one.limit)} for one in forecast)
    touched = {one.limit.name for one in forecast}
    others = (one for one in decision.facts.limits if one.name not in touched)
    yield from ({"target": "", **limit_json(one)} for one in others)


def _of_groups(groups: Iterable[GroupFacts], part: str) -> Iterator[Json]:
    for one in groups:
        target = {"target": str(one.address)}
        if part == "references":
            yield from ({**target, **reference_json(each)} for each in one.references)
        else:
            yield from ({**target, **binding_json(each)} for each in one.bindings)


def _group_facts(facts: GroupFacts) -> Json:
    return {
        "address": str(facts.address),
        "exists": facts.group is not None,
        "is_malformed": facts.is_malformed,
        "instance_count": facts.instance_count,
        **group_json(facts.group or Group(facts.address.group_id)),
    }
