"""The way of an event: a request comes in, facts are gathered, a guard judges, a decision goes out.

The functions and the CLI call the same functions here. Nothing in this module reads a clock, an
environment or the network by itself: all of it comes with :class:`Means`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from sgguard import batch, facts, logs, providers
from sgguard.decision import Decision
from sgguard.errors import EventError
from sgguard.guards import delete
from sgguard.means import Means as Means  # noqa: PLC0414 - what everything here is called with
from sgguard.means import begin as begin  # noqa: PLC0414 - the first step of a function
from sgguard.model import (
    Address,
    DeleteFacts,
    DeleteRequest,
    LaunchRequest,
    Scope,
)
from sgguard.providers import Access, Provider
from sgguard.settings import variable_part
from sgguard.wire.client import Wire
from sgguard.wire.pacing import Pace
from sgguard.wire.parallel import parallel

Outcome = Decision | Exception
"""One request's decision, or why there is none."""


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
    begun_s = means.deadline.clock()
    by_scope: dict[Scope, list[int]] = {}
    for n, (request, _) in enumerate(asked):
        by_scope.setdefault(request.targets[0].scope, []).append(n)
    found = parallel(
        [
            partial(_read_deletes, scope, [asked[n][0] for n in numbers], means)
            for scope, numbers in by_scope.items()
        ]
    )
    outcomes: dict[int, Outcome] = {}
    for numbers, read in zip(by_scope.values(), found, strict=True):
        for n, one in zip(numbers, read, strict=True):
            outcomes[n] = (
                one
                if isinstance(one, Exception)
                else _outcome(partial(_judge_delete, *asked[n], one, means, begun_s))
            )
    return [outcomes[n] for n in range(len(asked))]


def _read_deletes(
    scope: Scope, requests: Sequence[DeleteRequest], means: Means
) -> list[batch.Outcome]:
    try:
        return batch.gather_deletes(_provider(scope, means), requests)
    except Exception as error:  # noqa: BLE001 - no way into this scope: each of its events hears it
        return [error] * len(requests)


def _judge_delete(
    request: DeleteRequest, event_id: str, found: DeleteFacts, means: Means, begun_s: float
) -> Decision:
    decision = Decision(
        decision_id=means.new_id(),
        event_id=event_id,
        guard="delete",
        judgement=delete.judge(found, means.policy),
        facts=found,
        mode=means.mode,
        target=tuple(str(address) for address in request.targets),
        decided_at=_now(means),
        took_ms=_ms_since(begun_s, means),
    )
    _log(decision, request.targets[0].scope)
    return decision


def decide_launch(request: LaunchRequest, means: Means, *, event_id: str) -> Decision:
    """Decide whether instances may be launched with the groups, or an instance carry them.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    from sgguard.guards import launch  # noqa: PLC0415 - a cold start to judge a delete needs none

    begun_s = means.deadline.clock()
    scope = request.scope
    found = facts.gather_launch(_provider(scope, means), request)
    decision = Decision(
        decision_id=means.new_id(),
        event_id=event_id,
        guard="launch",
        judgement=launch.judge(found, means.policy),
        facts=found,
        mode=means.mode,
        target=(f"{scope}:{request.instance_id}" if request.instance_id else str(scope),),
        decided_at=_now(means),
        took_ms=_ms_since(begun_s, means),
    )
    _log(decision, scope)
    return decision


def decide_launches(asked: Sequence[tuple[LaunchRequest, str]], means: Means) -> list[Outcome]:
    """Decide many launches side by side, each with its event id, each by itself.

    Of each the decision or what :func:`decide_launch` would raise is returned, in order.
    """
    decide = [partial(decide_launch, what, means, event_id=event_id) for what, event_id in asked]
    return parallel([partial(_outcome, one) for one in decide])


def _outcome(decide: Callable[[], Decision]) -> Outcome:
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

    return explanation.gather(_provider(address.scope, means), address, depth)


def _provider(scope: Scope, means: Means) -> Provider:
    account = means.settings.accounts.get(scope.provider, "")
    if scope.account not in ("", account):
        variable = f"SGGUARD_ACCOUNT_{variable_part(scope.provider)}"
        raise EventError(
            f"{scope}: the credentials here belong to "
            + (f"account {account!r}" if account else f"an account without a name ({variable})")
            + f", not to {scope.account!r}",
            status=422,
        )
    wire = Wire(
        scope.provider,
        means.deadline,
        transport=means.transport,
        retry=means.retry,
        pace=Pace(share=means.settings.pace, lanes=means.lanes),
    )
    access = Access(wire, scope.region, env=means.env, account=account, now=means.now)
    return providers.connect(scope.provider, access)


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
