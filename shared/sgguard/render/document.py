"""A decision as a JSON document, as ``schemas/decision.schema.json`` describes it.

One group, a set of groups and a launch have the same shape: ``target`` is always a list, the
groups' own facts are in ``facts.groups``, and references, bindings and what was not seen are flat
lists whose entries name the group they concern in ``target``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sgguard.model.decision import Consequence, Decision, Evidence, Reason, Step
from sgguard.model.resource import (
    Binding,
    DeleteFacts,
    Group,
    GroupFacts,
    Instance,
    LaunchFacts,
    Limit,
    Reference,
    Rule,
    Unseen,
)
from sgguard.render.wording import percent

Json = dict[str, Any]

EVIDENCE_MAX = 100
"""Entries shown with one reason; ``evidence_count`` tells how many there are, facts hold them."""


def to_json(decision: Decision) -> Json:
    """Return the decision as what ``json.dumps`` takes; times are RFC 3339 in UTC."""
    judgement = decision.judgement
    return {
        "decision_id": decision.decision_id,
        "event_id": decision.event_id,
        "guard": decision.guard,
        "verdict": judgement.verdict.value,
        "outcome": decision.outcome.value,
        "mode": decision.mode.value,
        "target": list(decision.target),
        "reasons": [_reason(reason) for reason in judgement.reasons],
        "consequences": [_consequence(one) for one in judgement.consequences],
        "facts": _facts(decision),
        "plan": [step_json(step) for step in judgement.plan],
        "decided_at": time_json(decision.decided_at),
        "took_ms": round(decision.took_ms, 3),
        "note": "",
        "journal": [],
        "approval": None,
    }


def unseen_of(decision: Decision) -> tuple[tuple[str, Unseen], ...]:
    """Return everything the verdict needed and nobody could read, with the address it concerns.

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


def time_json(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _reason(reason: Reason) -> Json:
    return {
        "code": reason.code,
        "message": reason.message,
        "effect": reason.effect,
        "target": reason.target,
        "evidence": [_evidence(one) for one in reason.evidence[:EVIDENCE_MAX]],
        "evidence_count": len(reason.evidence),
    }


def _consequence(one: Consequence) -> Json:
    return {
        "target": one.target,
        "kind": one.kind,
        "error_code": one.error_code,
        "vanishing": [{"target": one.target, **reference_json(each)} for each in one.vanishing],
        "note": one.note,
    }


def _evidence(evidence: Evidence) -> Json:
    """Return the evidence with ``type`` first: a binding has a ``kind`` of its own."""
    match evidence:
        case Reference():
            return {"type": "reference", **reference_json(evidence)}
        case Binding():
            return {"type": "binding", **binding_json(evidence)}
        case Limit():
            return {"type": "limit", **_limit(evidence)}
        case Unseen():
            return {"type": "unseen", **_unseen(evidence)}
        case Group():
            return {"type": "group", **group_json(evidence)}
        case Instance():
            return {"type": "instance", **_instance(evidence)}


def _facts(decision: Decision) -> Json:
    facts, unseen = decision.facts, unseen_of(decision)
    launch = facts if isinstance(facts, LaunchFacts) else None
    return {
        "groups": [_group_facts(one) for one in facts.groups],
        "references": list(_of_groups(facts.groups, "references")),
        "bindings": list(_of_groups(facts.groups, "bindings")),
        "instance": _instance(launch.instance) if launch and launch.instance else None,
        "count": launch.count if launch and not launch.instance_id else None,
        "limits": list(_limits(decision)),
        "complete": not unseen,
        "visibility": facts.visibility.value,
        "unseen": [{"target": target, **_unseen(one)} for target, one in unseen],
        "blind_spots": list(facts.traits.blind_spots),
    }


def _limits(decision: Decision) -> Iterator[Json]:
    """Yield each limit the change touches, for each it is about, then those it does not touch."""
    forecast = decision.judgement.forecast
    yield from ({"target": one.target, **_limit(one.limit)} for one in forecast)
    touched = {one.limit.name for one in forecast}
    others = (one for one in decision.facts.limits if one.name not in touched)
    yield from ({"target": "", **_limit(one)} for one in others)


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


def group_json(group: Group) -> Json:
    """Return the group without its rules."""
    return {
        "group_id": group.group_id,
        "name": group.name,
        "description": group.description,
        "project": group.project,
        "network": group.network,
        "kind": group.kind,
        "is_default": group.is_default,
        "managed_by": group.managed_by,
        "is_shared": group.is_shared,
        "tags": tags_json(group.tags),
    }


def tags_json(tags: Iterable[tuple[str, str]]) -> list[Json]:
    """Return the tags as objects: a key may come twice."""
    return [{"key": key, "value": value} for key, value in tags]


def reference_json(reference: Reference) -> Json:
    """Return the reference; ``rule`` is null where it could not be read."""
    return {
        "group_id": reference.group_id,
        "group_name": reference.group_name,
        "account": reference.account,
        "project": reference.project,
        "rule": rule_json(reference.rule) if reference.rule else None,
        "tags": tags_json(reference.tags),
    }


def rule_json(rule: Rule) -> Json:
    """Return the rule; ``priority`` is null where the cloud has none."""
    return {
        "rule_id": rule.rule_id,
        "direction": rule.direction.value,
        "protocol": rule.protocol,
        "ports": rule.ports,
        "peer_group": rule.peer_group,
        "peer": rule.peer,
        "action": rule.action,
        "priority": rule.priority,
        "description": rule.description,
        "is_enabled": rule.is_enabled,
    }


def binding_json(binding: Binding) -> Json:
    """Return the binding; ``other_group_ids`` is null where nobody told."""
    others = binding.other_group_ids
    return {
        "kind": binding.kind,
        "holder_id": binding.holder_id,
        "name": binding.name,
        "instance_id": binding.instance_id,
        "owner": binding.owner,
        "project": binding.project,
        "count": binding.count,
        "other_group_ids": None if others is None else list(others),
    }


def _limit(limit: Limit) -> Json:
    return {
        "name": limit.name,
        "ceiling": limit.ceiling,
        "used": limit.used,
        "after": limit.after,
        "percent": percent(limit),
        "source": limit.source,
        "is_enforced": limit.is_enforced,
        "note": limit.note,
        "applies_to": limit.applies_to,
    }


def _unseen(unseen: Unseen) -> Json:
    return {
        "code": unseen.code,
        "what": unseen.what,
        "why": unseen.why,
        "remedy": unseen.remedy,
    }


def _instance(instance: Instance) -> Json:
    return {
        "instance_id": instance.instance_id,
        "name": instance.name,
        "state": instance.state,
        "project": instance.project,
        "network": instance.network,
        "group_ids": list(instance.group_ids),
        "interfaces": [
            {
                "interface_id": one.interface_id,
                "group_ids": list(one.group_ids),
                "is_primary": one.is_primary,
            }
            for one in instance.interfaces
        ],
        "binding_refusal": instance.binding_refusal,
    }


def step_json(step: Step) -> Json:
    """Return one step of a plan, with the one that takes it back."""
    return {
        "action": step.action,
        "target": step.target,
        "summary": step.summary,
        "details": dict(step.details),
        "inverse": step_json(step.inverse) if step.inverse else None,
    }
