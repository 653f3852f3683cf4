"""The values of a decision as JSON: groups, rules, references, bindings, limits and steps.

``rule_of``, ``reference_of`` and ``binding_of`` read them back; keys of other values are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sgguard.model.decision import Step
from sgguard.model.resource import (
    Binding,
    Direction,
    Group,
    Instance,
    Limit,
    Reference,
    Rule,
    Tags,
    Unseen,
)
from sgguard.model.sentence import said
from sgguard.render.language.sentence import in_english, whole_english
from sgguard.render.said import sentence_json, sentences_json, text_of
from sgguard.render.wording import percent

Json = dict[str, Any]


def time_json(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def group_json(group: Group) -> Json:
    """Return the group without its rules; ``name`` and ``tags`` are null where not told."""
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


def tags_json(tags: Iterable[tuple[str, str]] | None) -> list[Json] | None:
    """Return the tags as objects (a key may come twice); null where they are not told."""
    return None if tags is None else [{"key": key, "value": value} for key, value in tags]


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


def rule_of(document: Json) -> Rule:
    """Return the rule that :func:`rule_json` wrote."""
    names = ("rule_id", "protocol", "ports", "peer_group", "peer", "action", "priority")
    values = {name: document[name] for name in (*names, "description", "is_enabled")}
    return Rule(direction=Direction(document["direction"]), **values)


def reference_of(document: Json) -> Reference:
    """Return the reference that :func:`reference_json` wrote."""
    return Reference(
        document["group_id"],
        document["group_name"],
        document["account"],
        document["project"],
        rule_of(document["rule"]) if document["rule"] else None,
        _tags_of(document["tags"]),
    )


def _tags_of(tags: list[Json] | None) -> Tags | None:
    return None if tags is None else tuple((one["key"], one["value"]) for one in tags)


def binding_of(document: Json) -> Binding:
    """Return the binding that :func:`binding_json` wrote."""
    names = ("kind", "holder_id", "name", "instance_id", "owner", "project", "count")
    others = document["other_group_ids"]
    return Binding(
        **{name: document[name] for name in names},
        other_group_ids=None if others is None else tuple(others),
        change_refusal=text_of(document, "change_refusal"),
    )


def binding_json(binding: Binding) -> Json:
    """Return the binding; ``other_group_ids`` is null where it is not reported."""
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
        "change_refusal": whole_english(binding.change_refusal),
        **sentences_json(change_refusal=binding.change_refusal),
    }


def limit_json(limit: Limit) -> Json:
    """Return the limit; ``percent`` is how full it is, null where it is unknown."""
    return {
        "name": limit.name,
        "ceiling": limit.ceiling,
        "used": limit.used,
        "after": limit.after,
        "percent": percent(limit),
        "source": limit.source,
        "is_enforced": limit.is_enforced,
        "note": whole_english(limit.note),
        "applies_to": limit.applies_to,
        **sentences_json(note=limit.note),
    }


def unseen_json(unseen: Unseen) -> Json:
    """Return the gap, without the group it concerns."""
    return {
        "code": unseen.code,
        "what": in_english(unseen.what),
        "why": in_english(unseen.why),
        "remedy": in_english(unseen.remedy),
        **sentences_json(
            what=said("gap.what", what=unseen.what), why=unseen.why, remedy=unseen.remedy
        ),
    }


def instance_json(instance: Instance) -> Json:
    """Return the instance with its interfaces and what keeps groups from being bound."""
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
                "change_refusal": whole_english(one.change_refusal),
                **sentences_json(change_refusal=one.change_refusal),
            }
            for one in instance.interfaces
        ],
        "binding_refusal": whole_english(instance.binding_refusal),
        **sentences_json(binding_refusal=instance.binding_refusal),
    }


def step_json(step: Step) -> Json:
    """Return one step of a plan, with the one that undoes it."""
    return {
        "action": step.action,
        "target": step.target,
        "summary": step.summary,
        "details": dict(step.details),
        "inverse": step_json(step.inverse) if step.inverse else None,
        **({"sentence": sentence_json(step.sentence)} if step.sentence else {}),
    }
