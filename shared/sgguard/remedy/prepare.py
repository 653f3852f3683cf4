"""From the verdict ``remediate`` to the exact plan for it, or to the reasons against one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sgguard.errors import (
    ForbiddenError,
    InputError,
    MovedError,
    SettingsError,
    UnknownShapeError,
)
from sgguard.model.address import Address, Scope
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Judgement, Reason, Step
from sgguard.model.facts import DeleteFacts, LaunchFacts
from sgguard.model.resource import Group
from sgguard.policy import Policy, first_that_may, matches
from sgguard.policy.governing import excused
from sgguard.providers.base import Cloud
from sgguard.remedy.caps import stopped_by
from sgguard.remedy.inputs import read_inputs
from sgguard.remedy.lost import with_losses
from sgguard.remedy.plan import Plan, PlanInputs, plan
from sgguard.remedy.room import no_room
from sgguard.remedy.snapshot import Snapshot, take
from sgguard.render.wording import MESSAGE_MAX, label, one_line
from sgguard.store.codec import digest

_UNPLANNABLE = (ForbiddenError, InputError, SettingsError, UnknownShapeError)
"""Errors that the same request meets again: the cloud does not show it to these credentials."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan that may be carried out, and what is kept before it is."""

    plan: Plan
    snapshot: Snapshot


def prepare(
    cloud: Cloud,
    scope: Scope,
    facts: DeleteFacts | LaunchFacts,
    judgement: Judgement,
    policy: Policy,
    *,
    now: datetime | None = None,
) -> tuple[Judgement, Prepared | None]:
    """Read what the outline of a judgement touches and return the judgement with exact steps.

    A verdict of ``remediate`` becomes ``block`` where a group that is to be used cannot be, or a
    cap would break: the reasons say which. ``policy``
    governs the whole plan; ``now`` is the moment at which exemptions from its caps must hold.

    Raises:
        MovedError: the cloud is no longer as the outline assumes: the facts must be read again.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    if judgement.verdict is not Verdict.REMEDIATE:
        return judgement, None
    used = tuple(_used(judgement))
    try:
        inputs = read_inputs(cloud, facts, judgement.plan, used)
    except _UNPLANNABLE as error:
        message = one_line(f"The remedy cannot be planned: {error}", MESSAGE_MAX)
        return _blocked(
            judgement, (Reason(ReasonCode.FACTS_INCOMPLETE, message, target=str(scope)),)
        ), None
    planned = plan(scope, judgement.plan, inputs)
    if isinstance(planned, Reason):
        # Another decision, or a person, changed it since the facts were read: no verdict.
        raise MovedError(planned.message)
    planned = with_losses(planned, inputs.going, cloud.capabilities)
    caps = stopped_by(planned, inputs, policy.caps)
    stopped = (excused(one, policy, facts, now) for one in caps)
    table = policy.delete if isinstance(facts, DeleteFacts) else policy.launch
    overrides = policy.limits.get(scope.provider, {})
    against = (
        *_unusable(scope, facts, used, inputs),
        *_mixed(cloud.capabilities.mixed_kinds_refused_with, planned, facts, inputs),
        *no_room(planned, inputs, overrides, table.tolerate_unseen),
        *_forbidden(scope, facts, policy, used, inputs),
        *stopped,
    )
    if any(reason.effect == "block" for reason in against):
        return _blocked(judgement, against), None
    exact = replace(judgement, plan=_steps(planned), reasons=(*judgement.reasons, *against))
    return exact, Prepared(planned, take(planned, facts, inputs))


def _used(judgement: Judgement) -> Iterator[str]:
    for step in judgement.plan:
        if to_group := step.details.get("to_group"):
            yield to_group
        if step.action in ("bind", "replace"):
            yield step.target.rsplit(":", 1)[-1]


def _blocked(judgement: Judgement, reasons: Sequence[Reason]) -> Judgement:
    return replace(
        judgement, verdict=Verdict.BLOCK, reasons=(*judgement.reasons, *reasons), plan=()
    )


def _unusable(
    scope: Scope, facts: DeleteFacts | LaunchFacts, used: Sequence[str], inputs: PlanInputs
) -> Iterator[Reason]:
    """Yield why a group that the policy names cannot take the place of another."""
    known = [one.group for one in facts.groups if one.group]
    networks = {one.network for one in known if one.network}
    projects = {one.project for one in known if one.project}
    for group_id in dict.fromkeys(used):
        group = inputs.groups.get(group_id)
        if group is None:
            message = f"{group_id}, which the policy would use instead, is not in {scope}."
        elif group.network and networks and group.network not in networks:
            message = f"{_name(group)}, which the policy would use, belongs to {group.network}."
        elif group.project and projects - {group.project} and not group.is_shared:
            message = f"{_name(group)}, which the policy would use, is of project {group.project}."
        else:
            continue
        yield Reason(
            ReasonCode.REPLACEMENT_UNUSABLE,
            one_line(message, MESSAGE_MAX),
            "block",
            f"{scope}:{group_id}",
        )


def _mixed(
    refused_with: str, planned: Plan, facts: DeleteFacts | LaunchFacts, inputs: PlanInputs
) -> Iterator[Reason]:
    """Yield a reason for each group that differs in kind from one that its new holder has.

    Some clouds refuse the two on one interface, also for the moment between two changes. What a
    holder has beside the groups of the request is of their kind, or it could not carry both.
    """
    if not refused_with:
        return
    known = {one.address.group_id: one.group for one in facts.groups} | dict(inputs.groups)
    found: dict[str, str] = {}
    for change in (one.change for one in planned.planned if one.change.kind == "set-groups"):
        there = [group for one in change.before if (group := known.get(one))]
        for group in (known.get(one) for one in change.after if one not in change.before):
            if group is None or not there:
                continue
            if None in {group.kind, *(one.kind for one in there)}:
                found[group.group_id] = "it is not told whether its kind goes with"
            elif {group.kind} != {one.kind for one in there}:
                found[group.group_id] = f"it is {group.kind}, and {refused_with} keeps it off"
    for group_id, why in found.items():
        group = known[group_id]
        shown = _name(group) if group else group_id
        message = f"{shown}, which the policy would use, is unusable: {why} the holder's groups."
        yield Reason(
            ReasonCode.REPLACEMENT_UNUSABLE,
            one_line(message, MESSAGE_MAX),
            "block",
            f"{planned.scope}:{group_id}",
        )


def _forbidden(
    scope: Scope,
    facts: DeleteFacts | LaunchFacts,
    policy: Policy,
    used: Sequence[str],
    inputs: PlanInputs,
) -> Iterator[Reason]:
    """Yield a reason for each group an instance would get that the policy forbids, or may forbid.

    The guard knows only the id of a group that the policy names; here its name is known as well.
    """
    if not isinstance(facts, LaunchFacts):
        return
    for group_id in dict.fromkeys(used):
        group, address = inputs.groups.get(group_id), Address(scope, group_id)
        hit = first_that_may(policy.launch.forbidden, address, group)
        if group is not None and hit is not None:
            how = "is" if matches(hit, address, group) else "may be (its name could not be read)"
            message = f"{_name(group)}, which the policy would use, {how} forbidden by it ({hit})."
            yield Reason(
                ReasonCode.REPLACEMENT_UNUSABLE,
                one_line(message, MESSAGE_MAX),
                "block",
                str(address),
            )


def _name(group: Group) -> str:
    return label(group.group_id, group.name)


def _steps(planned: Plan) -> tuple[Step, ...]:
    """Return the steps that have a change, each once: some were found to be done already."""
    return tuple({id(one.step): one.step for one in planned.planned}.values())


def fingerprint(facts: DeleteFacts | LaunchFacts, prepared: Prepared | None) -> str:
    """Return a hash of everything a plan was made of: a change of it needs a new approval.

    Counts and limits are left out; they change without changing what the plan does.
    """
    groups = [(one.address, one.group, one.references, one.bindings) for one in facts.groups]
    return digest([groups, prepared])
