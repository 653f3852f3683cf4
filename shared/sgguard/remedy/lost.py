"""What a restore cannot bring back: named before a delete, and after a group is built again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from sgguard.errors import DeadlineError, SgguardError
from sgguard.model.capabilities import Capabilities
from sgguard.model.decision import Step
from sgguard.model.failure import failure_of
from sgguard.model.resource import Group
from sgguard.model.sentence import Sentence, Text, listed, said
from sgguard.model.subject import group_of
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan, Planned
from sgguard.render.language.sentence import in_english, whole_english
from sgguard.render.language.step import reworded, said_of

_LEFT_OUT = "left_out"
"""The detail of a step that holds what a restore leaves out."""

_FIELDS = ("name", "description", "project", "network", "kind", "is_shared", "tags")


def untold(group: Group, capabilities: Capabilities) -> tuple[Sentence, ...]:
    """Return what cannot be restored of a group, because nobody told it while it was there."""
    sharing = capabilities.sharing_native
    is_hidden = sharing and group.is_shared and not any(name == sharing for name, _ in group.native)
    return (
        *([said("lost.name")] if group.name is None else []),
        *([said("lost.tags")] if group.tags is None else []),
        *([said("lost.sharing")] if is_hidden else []),
    )


def with_losses(plan: Plan, going: Mapping[str, Group], capabilities: Capabilities) -> Plan:
    """Return the plan whose deletes name what a restore will not bring back."""
    steps: dict[int, Step] = {}
    for one in plan.planned:
        group = going.get(one.change.group_id)
        if one.change.kind == "delete-group" and group and (lost := untold(group, capabilities)):
            sentence = said("plan.lacking", step=said_of(one.step), lacking=listed(lost))
            details = {**one.step.details, "not_restorable": ", ".join(map(in_english, lost))}
            steps[id(one.step)] = reworded(replace(one.step, details=details), sentence)
    return replace(plan, planned=tuple(_with_step(one, steps) for one in plan.planned))


def with_left_out(plan: Plan, left_out: Sequence[Text]) -> Plan:
    """Return the plan of a restore with what it leaves out, which its first step names as well.

    So whoever carries it out, or resumes it, can tell (:func:`missing`).
    """
    if not (left_out and plan.planned):
        return plan
    first = plan.planned[0].step
    details = {**first.details, _LEFT_OUT: "; ".join(map(whole_english, left_out))}
    return replace(
        plan,
        planned=tuple(
            _with_step(one, {id(first): replace(first, details=details)}) for one in plan.planned
        ),
        left_out=tuple(left_out),
    )


def _with_step(one: Planned, steps: Mapping[int, Step]) -> Planned:
    return replace(one, step=steps.get(id(one.step), one.step))


def missing(cloud: Cloud, plan: Plan, made: Mapping[str, str]) -> tuple[Sentence, ...]:
    """Return what a restore lacks: what it left out, and what its new groups lack.

    They are read and compared; ``made`` has their ids by the old ones.
    """
    steps = {id(one.step): one.step for one in plan.planned}
    # A plan of an earlier version has it in English words only.
    words = [step.details[_LEFT_OUT] for step in steps.values() if _LEFT_OUT in step.details]
    changes = [one.change for one in plan.planned if one.change.kind == "create-group"]
    found = [said("note.left-out", what=one) for one in plan.left_out or words]
    for change in changes:
        new = made.get(change.group_id, "")
        try:
            lost = [*_differences(cloud, group_of(change), new)] if new else []
        except (SgguardError, DeadlineError) as error:
            lost = [said("lost.uncompared", why=failure_of(error))]
        if lost:
            found.append(said("note.lacking", new=new, old=change.group_id, lacking=listed(lost)))
    return tuple(found)


def _differences(cloud: Cloud, wanted: Group, new: str) -> Iterator[Sentence]:
    yield from untold(wanted, cloud.capabilities)
    there = cloud.read_groups([new]).value.get(new)
    if there is None:
        yield said("lost.everything")
        return
    made = cloud.define_group(there)
    for name in _FIELDS:
        had, has = getattr(wanted, name), getattr(made, name)
        if had is None or _plain(had) == _plain(has):
            continue
        if name == "is_shared":
            yield said("lost.is-shared")
            continue
        words = ", ".join("=".join(one) for one in had) if name == "tags" else str(had)
        yield said("lost.field", field=name, value=words)
    for name, value in sorted(set(wanted.native) - set(made.native)):
        yield said("lost.field", field=name, value=value)


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, tuple) else value
