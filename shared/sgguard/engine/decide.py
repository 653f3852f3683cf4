"""The way of an event: a request comes in, facts are gathered, a guard judges, a decision goes out.

The functions and the CLI call the same functions here. Nothing in this module reads a clock, an
environment or the network by itself: all of it comes with :class:`Context`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sgguard import logs
from sgguard.engine.context import Context, connect
from sgguard.errors import SgguardError
from sgguard.facts import batch, gather
from sgguard.guards import delete
from sgguard.guards.base import unanswered
from sgguard.model.address import Address, Scope
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Decision, Judgement
from sgguard.model.facts import DeleteFacts, LaunchFacts
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.policy import Guard, Policy, for_groups, governing, mode_of
from sgguard.providers.base import Cloud
from sgguard.wire.parallel import parallel

if TYPE_CHECKING:
    from sgguard.remedy.plan import Plan
    from sgguard.remedy.prepare import Prepared

Facts = DeleteFacts | LaunchFacts
Judge = Callable[[Any, Policy, datetime], Judgement]
Outcome = Decision | Exception
"""One request's decision, or why there is none."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision together with what carrying it out takes; ``prepared`` is None where nothing can.

    ``cloud`` is the connection the facts were read with.
    """

    decision: Decision
    cloud: Cloud
    prepared: Prepared | None = None


def decide_delete(request: DeleteRequest, context: Context, *, event_id: str) -> Decision:
    """Decide whether the groups may be deleted together.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    (outcome,) = decide_deletes([(request, event_id)], context)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def decide_deletes(asked: Sequence[tuple[DeleteRequest, str]], context: Context) -> list[Outcome]:
    """Decide many deletes, each with its event id, each by itself, in the order asked.

    What is asked of one scope is read together. Of each the decision or what
    :func:`decide_delete` would raise is returned.
    """
    return [_bare(one) for one in settle_deletes(asked, context)]


def settle_deletes(
    asked: Sequence[tuple[DeleteRequest, str]], context: Context, ids: Sequence[str] = ()
) -> list[Decided | Exception]:
    """Decide as :func:`decide_deletes` does and keep what carrying it out takes.

    ``ids`` are the decisions' ids, in order; without them each gets a new one.
    """
    names = [
        (event_id, ids[n] if ids else context.new_id()) for n, (_, event_id) in enumerate(asked)
    ]
    by_scope: dict[Scope, list[int]] = {}
    for n, (request, _) in enumerate(asked):
        by_scope.setdefault(request.targets[0].scope, []).append(n)
    found = parallel(
        [
            partial(_settle_scope, scope, [(n, asked[n][0], names[n]) for n in numbers], context)
            for scope, numbers in by_scope.items()
        ]
    )
    settled = {n: one for part in found for n, one in part.items()}
    return [settled[n] for n in range(len(asked))]


def _settle_scope(
    scope: Scope,
    asked: Sequence[tuple[int, DeleteRequest, tuple[str, str]]],
    context: Context,
) -> dict[int, Decided | Exception]:
    begun_s = context.deadline.clock()
    try:
        cloud = connect(scope, context)
    except Exception as error:  # noqa: BLE001 - no way into this scope: each of its events hears it
        return {n: error for n, _, _ in asked}
    read: Sequence[DeleteFacts | Exception]
    try:
        read = batch.gather_deletes(cloud, [request for _, request, _ in asked])
    except Exception as error:  # noqa: BLE001 - as above
        read = [error] * len(asked)
    return {
        n: _attempted(
            partial(_judge_delete, request, found, _Begun(context, begun_s, cloud, scope, ids))
        )
        for (n, request, ids), found in zip(asked, read, strict=True)
    }


def _bare(settled: Decided | Exception) -> Outcome:
    return settled.decision if isinstance(settled, Decided) else settled


@dataclass(frozen=True, slots=True)
class _Begun:
    """A question that is being asked: with what, since when (monotonic), where, with which ids."""

    context: Context
    begun_s: float
    cloud: Cloud
    scope: Scope
    ids: tuple[str, str]


def _judge_delete(request: DeleteRequest, found: DeleteFacts | Exception, begun: _Begun) -> Decided:
    target = tuple(str(address) for address in request.targets)
    if not isinstance(found, Exception):
        return _decided("delete", target, found, delete.judge, begun)
    policy = for_groups(begun.context.policy, [(address, None) for address in request.targets])
    if not governing.is_verdict(found, policy.delete.when_unreachable):
        raise found
    nothing = DeleteFacts(begun.cloud.capabilities, (), visibility=begun.cloud.visibility)
    blocked = _unanswered(target, found)
    return _decided("delete", target, nothing, blocked, begun, is_answered=False)


def _unanswered(target: Sequence[str], error: Exception) -> Judge:
    """Return the guard of a cloud that does not answer: it blocks, for nothing is known."""
    return lambda _facts, _policy, _now: unanswered(target, str(error))


def _decided(
    guard: Guard,
    target: tuple[str, ...],
    found: Facts,
    judge: Judge,
    begun: _Begun,
    *,
    is_answered: bool = True,
) -> Decided:
    context, cloud, scope, now = begun.context, begun.cloud, begun.scope, _now(begun.context)
    judgement = judge(found, context.policy, now)
    policy = governing.governing(context.policy, found, judgement)
    if is_answered:
        governing.insist_on_facts(scope.provider, guard, judgement, policy)
    judgement, prepared = _prepared(begun, found, judgement, policy, now)
    decision = Decision(
        decision_id=begun.ids[1],
        event_id=begun.ids[0],
        guard=guard,
        judgement=judgement,
        facts=found,
        mode=context.settings.mode or mode_of(policy, guard),
        target=target,
        decided_at=now,
        took_ms=_ms_since(begun.begun_s, context),
    )
    _log(decision, scope)
    return Decided(decision, cloud, prepared)


def _prepared(
    begun: _Begun, found: Facts, judgement: Judgement, policy: Policy, now: datetime
) -> tuple[Judgement, Prepared | None]:
    """Make the guard's outline exact where there is one; most decisions have none."""
    is_planned = isinstance(found, LaunchFacts) and not found.instance_id
    if judgement.verdict is not Verdict.REMEDIATE or is_planned:
        return judgement, None  # of a planned launch whoever asked changes what is asked for
    from sgguard.remedy.prepare import prepare  # noqa: PLC0415 - most cold starts need none

    return prepare(begun.cloud, begun.scope, found, judgement, policy, now=now)


def decide_launch(request: LaunchRequest, context: Context, *, event_id: str) -> Decision:
    """Decide whether instances may be launched with the groups, or an instance carry them.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    return settle_launch(request, context, (event_id, context.new_id())).decision


def settle_launch(request: LaunchRequest, context: Context, ids: tuple[str, str]) -> Decided:
    """Decide as :func:`decide_launch` does and keep what carrying it out takes.

    ``ids`` are those of the event and of the decision.
    """
    from sgguard.guards import launch  # noqa: PLC0415 - a cold start to judge a delete needs none

    scope = request.scope
    begun = _Begun(context, context.deadline.clock(), connect(scope, context), scope, ids)
    target = (f"{scope}:{request.instance_id}" if request.instance_id else str(scope),)
    try:
        found = gather.gather_launch(begun.cloud, request)
    except SgguardError as error:
        policy = for_groups(context.policy, [(Address(scope, request.instance_id), None)])
        if not governing.is_verdict(error, policy.launch.when_unreachable):
            raise
        found = LaunchFacts(begun.cloud.capabilities, scope, (), instance_id=request.instance_id)
        blocked = _unanswered(target, error)
        return _decided("launch", target, found, blocked, begun, is_answered=False)
    return _decided("launch", target, found, launch.judge, begun)


def settle_launches(
    asked: Sequence[tuple[LaunchRequest, str]], context: Context, ids: Sequence[str] = ()
) -> list[Decided | Exception]:
    """Decide many launches side by side, as :func:`settle_deletes` does deletes."""
    names = ids or [context.new_id() for _ in asked]
    decide = [
        partial(settle_launch, request, context, (event_id, names[n]))
        for n, (request, event_id) in enumerate(asked)
    ]
    return parallel([partial(_attempted, one) for one in decide])


def _attempted(decide: Callable[[], Decided]) -> Decided | Exception:
    try:
        return decide()
    except Exception as error:  # noqa: BLE001 - of a batch only this one is concerned
        return error


def _now(context: Context) -> datetime:
    return datetime.fromtimestamp(context.now(), UTC)


def _ms_since(begun_s: float, context: Context) -> float:
    return round((context.deadline.clock() - begun_s) * 1000, 3)


def _log(decision: Decision, scope: Scope) -> None:
    logs.log(
        logging.INFO,
        "decided",
        event_id=decision.event_id,
        decision_id=decision.decision_id,
        provider=scope.provider,
        account=scope.account,
        region=scope.region,
        groups=[group.address.group_id for group in decision.facts.groups],
        mode=decision.mode,
        verdict=decision.judgement.verdict,
        reasons=[reason.code for reason in decision.judgement.reasons],
        outcome=decision.outcome,
        duration_ms=decision.took_ms,
    )


def remaining_blockers(
    cloud: Cloud, plan: Plan, group_ids: Sequence[str], context: Context
) -> tuple[str, ...]:
    """Say what still stands in the way of the groups that a plan deletes, read anew.

    A group that somebody else deleted meanwhile stands in nobody's way. What carries one that is
    deleted by force does not either, as long as force alone would still be the remedy.
    """
    scope: Scope = plan.scope
    request = DeleteRequest(tuple(Address(scope, group_id) for group_id in group_ids))
    now = datetime.fromtimestamp(context.now(), UTC)
    judgement = delete.judge(gather.gather_delete(cloud, request), context.policy, now)
    forced = {
        f"{scope}:{one.change.group_id}"
        for one in plan.planned
        if one.change.kind == "delete-group" and one.change.is_forced
    }
    if {step.action for step in judgement.plan} != {"delete"}:
        forced.clear()
    return tuple(
        reason.message
        for reason in judgement.reasons
        if reason.effect == "block"
        and reason.code != ReasonCode.NOT_FOUND
        and not (reason.code == ReasonCode.BOUND and reason.target in forced)
    )
