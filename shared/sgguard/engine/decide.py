"""From a request to a decision: connect, read the facts, judge them, prepare the plan.

Functions and CLI call the same here. Clock, environment and network come with the ``Context``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from sgguard import lazy
from sgguard.engine import report
from sgguard.engine.accounts.request import canonical
from sgguard.engine.context import Context, connect
from sgguard.engine.still import until_still
from sgguard.errors import SgguardError
from sgguard.facts import batch, gather
from sgguard.guards import delete
from sgguard.guards.base import unanswered
from sgguard.guards.delete.carry_out import carried_out, outcome_of
from sgguard.model.address import Address, Scope
from sgguard.model.caller import at_most
from sgguard.model.codes import Verdict
from sgguard.model.decision import Decision, Judgement
from sgguard.model.facts import DeleteFacts, Facts, LaunchFacts
from sgguard.model.failure import failure_of
from sgguard.model.request import DeleteRequest, LaunchRequest, callback_host
from sgguard.policy import Guard, Policy, for_groups, governing, mode_of
from sgguard.providers.base import Cloud
from sgguard.wire.parallel import caught, parallel

if TYPE_CHECKING:
    from sgguard.engine import advice
    from sgguard.remedy import prepare
    from sgguard.remedy.inputs import Carried
    from sgguard.remedy.prepare import Prepared
else:
    advice = lazy("sgguard.engine.advice")  # a function that judges deletes needs none of it
    prepare = lazy("sgguard.remedy.prepare")  # most verdicts have no plan

Judge = Callable[[Any, Policy, datetime], Judgement]


class Decided(msgspec.Struct, frozen=True):
    """A decision, the connection that it was read with, and its plan, None where there is none."""

    decision: Decision
    cloud: Cloud
    prepared: Prepared | None = None


class _RequestState(msgspec.Struct, frozen=True):
    """A request on its way to a decision; ``ids`` are those of the event and of the decision.

    ``begun_s`` is on the context's monotonic clock. ``earlier`` is that of :func:`judge_deletes`.
    """

    context: Context
    cloud: Cloud
    scope: Scope
    ids: tuple[str, str]
    begun_s: float
    request: DeleteRequest | LaunchRequest
    earlier: Carried = ()


# -- deletes ---------------------------------------------------------------------------------------


def decide_delete(request: DeleteRequest, context: Context, *, event_id: str) -> Decision:
    """Decide whether the groups may be deleted together.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    (decided,) = decide_deletes([(request, event_id)], context)
    if isinstance(decided, Exception):
        raise decided
    return decided


def decide_deletes(
    asked: Sequence[tuple[DeleteRequest, str]], context: Context
) -> list[Decision | Exception]:
    """Decide many deletes, each with its event id, each by itself, in the order asked.

    What is asked of one scope is read together. Of each the decision or what
    :func:`decide_delete` would raise is returned.
    """
    judged = judge_deletes(asked, context)
    return [one.decision if isinstance(one, Decided) else one for one in judged]


def judge_deletes(
    asked: Sequence[tuple[DeleteRequest, str]],
    context: Context,
    ids: Sequence[str] = (),
    earlier: Carried = (),
) -> list[Decided | Exception]:
    """Decide as :func:`decide_deletes` does and keep what carrying it out takes.

    ``ids`` are the decisions' ids, in order; without them each gets a new one. ``earlier`` is what
    holders carried when the same was decided a moment ago.
    """
    asked = [(canonical(request, context.accounts), event_id) for request, event_id in asked]
    both = [
        (event_id, ids[n] if ids else context.new_id()) for n, (_, event_id) in enumerate(asked)
    ]
    of = (context, earlier)
    # Requests of one scope are read together; the scopes are asked side by side.
    by_scope: dict[Scope, list[int]] = {}
    for n, (request, _) in enumerate(asked):
        by_scope.setdefault(request.targets[0].scope, []).append(n)
    found = parallel(
        [
            partial(_judge_scope, scope, [(n, asked[n][0], both[n]) for n in numbers], of)
            for scope, numbers in by_scope.items()
        ]
    )
    judged = {n: one for part in found for n, one in part.items()}
    return [judged[n] for n in range(len(asked))]


def _judge_scope(
    scope: Scope,
    asked: Sequence[tuple[int, DeleteRequest, tuple[str, str]]],
    of: tuple[Context, Carried],
) -> dict[int, Decided | Exception]:
    """Connect to one scope, read the facts of all its requests, and judge each by itself."""
    context, earlier = of
    begun_s = context.deadline.clock()
    try:
        cloud = connect(scope, context)
    except Exception as error:  # noqa: BLE001 - without a connection no request here is judged
        return {n: error for n, _, _ in asked}
    facts: Sequence[DeleteFacts | Exception]
    try:
        facts = batch.gather_deletes(cloud, [request for _, request, _ in asked])
    except Exception as error:  # noqa: BLE001 - each request is judged on having no facts
        facts = [error] * len(asked)
    state = partial(_RequestState, context, cloud, scope, begun_s=begun_s, earlier=earlier)
    return {
        n: caught(partial(_judged_still, request, one, state(ids=ids, request=request)))
        for (n, request, ids), one in zip(asked, facts, strict=True)
    }


def _judged_still(
    request: DeleteRequest, facts: DeleteFacts | Exception, state: _RequestState
) -> Decided:
    """Judge the facts; where the cloud moved meanwhile, read them again a few times."""
    first = [facts]

    def look() -> Decided:
        now = first.pop() if first else batch.gather_deletes(state.cloud, [request])[0]
        return _judge_delete(request, now, state)

    return until_still(look)


def _judge_delete(
    request: DeleteRequest, facts: DeleteFacts | Exception, state: _RequestState
) -> Decided:
    target = tuple(str(address) for address in request.targets)
    if not isinstance(facts, Exception):
        return _decided("delete", target, facts, delete.judge, state)
    policy = for_groups(state.context.policy, [(address, None) for address in request.targets])
    if not governing.is_verdict(facts, policy.delete.when_unreachable):
        raise facts
    nothing = DeleteFacts(state.cloud.capabilities, (), visibility=state.cloud.visibility)
    return _decided("delete", target, nothing, _blocking(target, facts), state, is_answered=False)


# -- launches --------------------------------------------------------------------------------------


def decide_launch(request: LaunchRequest, context: Context, *, event_id: str) -> Decision:
    """Decide whether instances may be launched with the groups, or an instance carry them.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    return judge_launch(request, context, (event_id, context.new_id())).decision


def judge_launches(
    asked: Sequence[tuple[LaunchRequest, str]], context: Context, ids: Sequence[str] = ()
) -> list[Decided | Exception]:
    """Decide many launches side by side, as :func:`judge_deletes` does deletes."""
    names = ids or [context.new_id() for _ in asked]
    judge = [
        partial(judge_launch, request, context, (event_id, names[n]))
        for n, (request, event_id) in enumerate(asked)
    ]
    return parallel([partial(caught, one) for one in judge])


def judge_launch(request: LaunchRequest, context: Context, ids: tuple[str, str]) -> Decided:
    """Decide as :func:`decide_launch` does and keep what carrying it out takes.

    ``ids`` are those of the event and of the decision.
    """
    request = canonical(request, context.accounts)
    scope, begun_s = request.scope, context.deadline.clock()
    state = _RequestState(context, connect(scope, context), scope, ids, begun_s, request)
    target = (f"{scope}:{request.instance_id}" if request.instance_id else str(scope),)
    return until_still(partial(_judge_launch, request, target, state))


def _judge_launch(request: LaunchRequest, target: tuple[str, ...], state: _RequestState) -> Decided:
    context, scope = state.context, request.scope
    try:
        facts = gather.gather_launch(state.cloud, request)
    except SgguardError as error:
        policy = for_groups(context.policy, [(Address(scope, request.instance_id), None)])
        if not governing.is_verdict(error, policy.launch.when_unreachable):
            raise
        capabilities = state.cloud.capabilities
        nothing = LaunchFacts(capabilities, scope, (), instance_id=request.instance_id)
        blocking = _blocking(target, error)
        return _decided("launch", target, nothing, blocking, state, is_answered=False)
    judge = partial(advice.judge, state.cloud, request)
    return _decided("launch", target, facts, judge, state)


# -- both ------------------------------------------------------------------------------------------


def _decided(
    guard: Guard,
    target: tuple[str, ...],
    facts: Facts,
    judge: Judge,
    state: _RequestState,
    *,
    is_answered: bool = True,
) -> Decided:
    """Judge the facts and say what may be done about it; ``is_answered``: the cloud was read."""
    context = state.context
    now = datetime.fromtimestamp(context.now(), UTC)
    # 1. What the facts mean.
    judgement = judge(facts, context.policy, now)
    # 2. The strictest policy of all groups that the verdict touches.
    policy = governing.governing(context.policy, facts, judgement)
    if is_answered:
        governing.insist_on_facts(state.scope.provider, guard, judgement, policy)
    mode = at_most(context.settings.mode or mode_of(policy, guard), context.caller)
    judgement = carried_out(judgement, facts, policy, mode)
    # 3. The exact plan, where the verdict is that something can be done.
    prepared: Prepared | None = None
    if _may_be_prepared(facts, judgement):
        of = (state.cloud, state.scope, facts, judgement, policy)
        judgement, prepared = prepare.prepare(*of, now=now, earlier=state.earlier)
    # 4. The decision, with the mode that says whether the plan is carried out.
    decision = Decision(
        decision_id=state.ids[1],
        event_id=state.ids[0],
        guard=guard,
        judgement=judgement,
        facts=facts,
        mode=mode,
        target=target,
        decided_at=now,
        took_ms=round((context.deadline.clock() - state.begun_s) * 1000, 3),
        outcome=outcome_of(judgement, facts),
        caller=context.caller.fact(state.request.requested_by) if context.caller else None,
        callback=callback_host(state.request),
    )
    report.decided(decision, state.scope)
    return Decided(decision, state.cloud, prepared)


def _may_be_prepared(facts: Facts, judgement: Judgement) -> bool:
    """Whether a plan is made exact; a launch that is only planned is changed by its caller."""
    is_planned = isinstance(facts, LaunchFacts) and not facts.instance_id
    return judgement.verdict is Verdict.REMEDIATE and not is_planned


def _blocking(target: Sequence[str], error: Exception) -> Judge:
    """Return the judge of a cloud that does not answer: it blocks, for nothing is known."""
    return lambda _facts, _policy, _now: unanswered(target, failure_of(error))
