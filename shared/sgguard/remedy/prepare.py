"""From the verdict ``remediate`` to the exact plan for it, or to the reasons against one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

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
from sgguard.model.failure import explained, failure_of
from sgguard.model.resource import Group
from sgguard.model.sentence import Sentence, said, thing
from sgguard.policy import Policy, first_that_may, matches
from sgguard.policy.governing import excused
from sgguard.providers.base import Cloud
from sgguard.remedy.caps import stopped_by
from sgguard.remedy.inputs import Carried, read_inputs
from sgguard.remedy.layers import layered
from sgguard.remedy.lost import with_losses
from sgguard.remedy.plan import Plan, PlanInputs, plan
from sgguard.remedy.room import locking_rooms, no_room, permitted
from sgguard.remedy.snapshot import Snapshot, take
from sgguard.render.language.sentence import message_of
from sgguard.store.codec import digest, dump

_UNPLANNABLE = (ForbiddenError, InputError, SettingsError, UnknownShapeError)
"""Errors that the same request meets again: the cloud does not show it to these credentials."""


class Prepared(msgspec.Struct, frozen=True):
    """A plan that may be carried out, and what is kept before it is."""

    plan: Plan
    snapshot: Snapshot


def as_shown(prepared: Prepared, covered: str | msgspec.UnsetType) -> Prepared:
    """Return a plan with all that the yes of the person covers who was shown it."""
    return replace(prepared, snapshot=replace(prepared.snapshot, covered=covered))


def as_judged(prepared: Prepared) -> tuple[Prepared, str]:
    """Return a plan as it was judged, and what the yes of a person covers, empty without one."""
    return as_shown(prepared, msgspec.UNSET), prepared.snapshot.covered or ""


def prepare(
    cloud: Cloud,
    scope: Scope,
    facts: DeleteFacts | LaunchFacts,
    judgement: Judgement,
    policy: Policy,
    *,
    now: datetime | None = None,
    earlier: Carried = (),
) -> tuple[Judgement, Prepared | None]:
    """Read what the outline of a judgement touches and return the judgement with exact steps.

    A verdict of ``remediate`` becomes ``block`` where a group that is to be used cannot be, or a
    cap would break: the reasons say which. ``policy`` governs the whole plan; exemptions from its
    caps must hold ``now``. ``earlier`` is what holders carried when it was made a moment ago.

    Raises:
        MovedError: the cloud is no longer as the outline assumes: the facts must be read again.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    if judgement.verdict is not Verdict.REMEDIATE:
        return judgement, None
    used = tuple(_used(judgement))
    try:
        inputs = read_inputs(cloud, facts, judgement.plan, used, earlier)
    except _UNPLANNABLE as error:
        sentence = said("plan.impossible", why=failure_of(error))
        reason = Reason(ReasonCode.FACTS_INCOMPLETE, sentence, target=str(scope))
        return _blocked(judgement, (reason,)), None
    overrides = policy.limits.get(scope.provider, {})
    inputs = replace(inputs, groups_ceiling=permitted(inputs, overrides))
    planned = plan(scope, judgement.plan, inputs)
    if isinstance(planned, Reason):
        # Another decision, or a person, changed it since the facts were read: no verdict.
        raise explained(MovedError(message_of(planned)), planned.sentence)
    whole = with_losses(layered(planned, inputs), inputs.going, cloud.capabilities)
    planned = locking_rooms(whole, overrides)
    stopped = (excused(one, policy, facts, now) for one in stopped_by(planned, inputs, policy.caps))
    table = policy.delete if isinstance(facts, DeleteFacts) else policy.launch
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
            sentence = said("used.missing", group=group_id, scope=str(scope))
        elif group.network and networks and group.network not in networks:
            sentence = said("used.network", group=_name(group), network=group.network)
        elif group.project and projects - {group.project} and not group.is_shared:
            sentence = said("used.project", group=_name(group), project=group.project)
        else:
            continue
        target = f"{scope}:{group_id}"
        yield Reason(ReasonCode.REPLACEMENT_UNUSABLE, sentence, "block", target)


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
    found: dict[str, Sentence] = {}
    for change in (one.change for one in planned.planned if one.change.kind == "set-groups"):
        there = [group for one in change.before if (group := known.get(one))]
        for group in (known.get(one) for one in change.after if one not in change.before):
            if group is None or not there:
                continue
            if None in {group.kind, *(one.kind for one in there)}:
                found[group.group_id] = said("used.kind-untold", group=_name(group))
            elif {group.kind} != {one.kind for one in there}:
                found[group.group_id] = said(
                    "used.kind-refused",
                    group=_name(group),
                    kind=group.kind or "",
                    code=refused_with,
                )
    for group_id, sentence in found.items():
        target = f"{planned.scope}:{group_id}"
        yield Reason(ReasonCode.REPLACEMENT_UNUSABLE, sentence, "block", target)


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
            is_certain = matches(hit, address, group)
            sentence = said(
                "used.forbidden" if is_certain else "used.forbidden.maybe",
                group=_name(group),
                pattern=hit,
            )
            yield Reason(ReasonCode.REPLACEMENT_UNUSABLE, sentence, "block", str(address))


def _name(group: Group) -> Sentence:
    return thing(group.group_id, group.name)


def _steps(planned: Plan) -> tuple[Step, ...]:
    """Return the steps that have a change, each once: some were found to be done already."""
    return tuple({id(one.step): one.step for one in planned.planned}.values())


def fingerprint(facts: DeleteFacts | LaunchFacts, prepared: Prepared | None) -> str:
    """Return a hash of everything a plan was made of: a change of it needs a new approval.

    Counts and limits are left out; they change without changing what the plan does. So are the
    sentences of the steps: another version may say the same otherwise.
    """
    groups = [(one.address, one.group, one.references, one.bindings) for one in facts.groups]
    return digest([groups, None if prepared is None else without_sentences(prepared)])


def without_sentences(prepared: Prepared) -> dict[str, Any]:
    """Return a plan and its snapshot as plain values, without what is only said of its steps."""
    plain: dict[str, Any] = json.loads(dump(prepared))
    for one in plain["plan"]["planned"]:
        for step in (one["step"], one["step"]["inverse"]):
            (step or {}).pop("sentence", None)
    return plain
