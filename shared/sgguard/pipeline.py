"""The way of an event: a request comes in, facts are gathered, a guard judges, a decision goes out.

The functions and the CLI call the same functions here. Nothing in this module reads a clock, an
environment or the network by itself: all of it comes with :class:`Means`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sgguard import batch, facts, logs
from sgguard.decision import Decision, Judgement, Verdict
from sgguard.guards import delete
from sgguard.means import Means as Means  # noqa: PLC0414 - what everything here is called with
from sgguard.means import begin as begin  # noqa: PLC0414 - the first step of a function
from sgguard.means import connect
from sgguard.model import (
    Address,
    DeleteFacts,
    DeleteRequest,
    LaunchFacts,
    LaunchRequest,
    Scope,
)
from sgguard.providers.base import Cloud
from sgguard.wire.parallel import parallel

if TYPE_CHECKING:
    from sgguard.remedy.prepare import Prepared

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


def decide_delete(request: DeleteRequest, means: Means, *, event_id: str) -> Decision:
    """Decide whether the groups may be deleted together.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    (outcome,) = decide_deletes([(request, event_id)], means)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def decide_deletes(asked: Sequence[tuple[DeleteRequest, str]], means: Means) -> list[Outcome]:
    """Decide many deletes, each with its event id, each by itself, in the order asked.

    What is asked of one scope is read together. Of each the decision or what
    :func:`decide_delete` would raise is returned.
    """
    return [_bare(one) for one in settle_deletes(asked, means)]


def settle_deletes(
    asked: Sequence[tuple[DeleteRequest, str]], means: Means, ids: Sequence[str] = ()
) -> list[Decided | Exception]:
    """Decide as :func:`decide_deletes` does and keep what carrying it out takes.

    ``ids`` are the decisions' ids, in order; without them each gets a new one.
    """
    names = [(event_id, ids[n] if ids else means.new_id()) for n, (_, event_id) in enumerate(asked)]
    by_scope: dict[Scope, list[int]] = {}
    for n, (request, _) in enumerate(asked):
        by_scope.setdefault(request.targets[0].scope, []).append(n)
    found = parallel(
        [
            partial(_settle_scope, scope, [(n, asked[n][0], names[n]) for n in numbers], means)
            for scope, numbers in by_scope.items()
        ]
    )
    settled = {n: one for part in found for n, one in part.items()}
    return [settled[n] for n in range(len(asked))]


def _settle_scope(
    scope: Scope,
    asked: Sequence[tuple[int, DeleteRequest, tuple[str, str]]],
    means: Means,
) -> dict[int, Decided | Exception]:
    begun_s = means.deadline.clock()
    try:
        cloud = connect(scope, means)
        read = batch.gather_deletes(cloud, [request for _, request, _ in asked])
    except Exception as error:  # noqa: BLE001 - no way into this scope: each of its events hears it
        return {n: error for n, _, _ in asked}
    begun = _Begun(means, begun_s, cloud)
    settle = [
        found
        if isinstance(found, Exception)
        else _attempted(partial(_judge_delete, request, names, found, begun))
        for (_, request, names), found in zip(asked, read, strict=True)
    ]
    return {n: one for (n, _, _), one in zip(asked, settle, strict=True)}


def _bare(settled: Decided | Exception) -> Outcome:
    return settled.decision if isinstance(settled, Decided) else settled


@dataclass(frozen=True, slots=True)
class _Begun:
    """A scope that is being asked: with what, since when (monotonic), and where."""

    means: Means
    begun_s: float
    cloud: Cloud


def _judge_delete(
    request: DeleteRequest, ids: tuple[str, str], found: DeleteFacts, begun: _Begun
) -> Decided:
    means, cloud = begun.means, begun.cloud
    judgement = delete.judge(found, means.policy)
    scope = request.targets[0].scope
    judgement, prepared = _prepared(cloud, scope, found, judgement, means)
    decision = Decision(
        decision_id=ids[1],
        event_id=ids[0],
        guard="delete",
        judgement=judgement,
        facts=found,
        mode=means.mode,
        target=tuple(str(address) for address in request.targets),
        decided_at=_now(means),
        took_ms=_ms_since(begun.begun_s, means),
    )
    _log(decision, scope)
    return Decided(decision, cloud, prepared)


def _prepared(
    cloud: Cloud,
    scope: Scope,
    found: DeleteFacts | LaunchFacts,
    judgement: Judgement,
    means: Means,
) -> tuple[Judgement, Prepared | None]:
    """Make the guard's outline exact where there is one; most decisions have none."""
    if judgement.verdict is not Verdict.REMEDIATE:
        return judgement, None
    from sgguard.remedy.prepare import prepare  # noqa: PLC0415 - most cold starts need none

    return prepare(cloud, scope, found, judgement, means.policy)


def decide_launch(request: LaunchRequest, means: Means, *, event_id: str) -> Decision:
    """Decide whether instances may be launched with the groups, or an instance carry them.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    return settle_launch(request, means, (event_id, means.new_id())).decision


def settle_launch(request: LaunchRequest, means: Means, ids: tuple[str, str]) -> Decided:
    """Decide as :func:`decide_launch` does and keep what carrying it out takes.

    ``ids`` are those of the event and of the decision.
    """
    from sgguard.guards import launch  # noqa: PLC0415 - a cold start to judge a delete needs none

    begun_s = means.deadline.clock()
    scope = request.scope
    cloud = connect(scope, means)
    found = facts.gather_launch(cloud, request)
    judgement = launch.judge(found, means.policy)
    judgement, prepared = _prepared(cloud, scope, found, judgement, means)
    decision = Decision(
        decision_id=ids[1],
        event_id=ids[0],
        guard="launch",
        judgement=judgement,
        facts=found,
        mode=means.mode,
        target=(f"{scope}:{request.instance_id}" if request.instance_id else str(scope),),
        decided_at=_now(means),
        took_ms=_ms_since(begun_s, means),
    )
    _log(decision, scope)
    return Decided(decision, cloud, prepared)


def settle_launches(
    asked: Sequence[tuple[LaunchRequest, str]], means: Means, ids: Sequence[str] = ()
) -> list[Decided | Exception]:
    """Decide many launches side by side, as :func:`settle_deletes` does deletes."""
    names = ids or [means.new_id() for _ in asked]
    decide = [
        partial(settle_launch, request, means, (event_id, names[n]))
        for n, (request, event_id) in enumerate(asked)
    ]
    return parallel([partial(_attempted, one) for one in decide])


def decide_launches(asked: Sequence[tuple[LaunchRequest, str]], means: Means) -> list[Outcome]:
    """Decide many launches side by side, each with its event id, each by itself.

    Of each the decision or what :func:`decide_launch` would raise is returned, in order.
    """
    return [_bare(one) for one in settle_launches(asked, means)]


def _attempted(decide: Callable[[], Decided]) -> Decided | Exception:
    try:
        return decide()
    except Exception as error:  # noqa: BLE001 - of a batch only this one is concerned
        return error


def explain(address: Address, means: Means, depth: int = 1) -> DeleteFacts:
    """Return everything known about one group: its rules, who references it, what carries it.

    The group is the first one of the facts. With a ``depth`` of more than 1 the groups that
    reference it follow, then those that reference these, up to that many levels.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    from sgguard import explanation  # noqa: PLC0415 - nor does it explain anything

    return explanation.gather(connect(address.scope, means), address, depth)


def _now(means: Means) -> datetime:
    return datetime.fromtimestamp(means.now(), UTC)


def _ms_since(begun_s: float, means: Means) -> float:
    return round((means.deadline.clock() - begun_s) * 1000, 3)


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
