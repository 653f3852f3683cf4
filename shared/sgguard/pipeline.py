"""The way of an event: a request comes in, facts are gathered, a guard judges, a decision goes out.

The functions and the CLI call the same three functions here. Nothing in this module reads a
clock, an environment or the network by itself: all of it comes with :class:`Means`.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

import httpx

from sgguard import facts, logs, policy, providers
from sgguard.decision import Decision, Mode
from sgguard.errors import EventError, SettingsError
from sgguard.guards import delete, launch
from sgguard.model import (
    Address,
    DeleteFacts,
    DeleteRequest,
    LaunchRequest,
    Scope,
)
from sgguard.policy import Policy
from sgguard.providers import Access, Provider
from sgguard.settings import Settings, unknown_variables, variable_part
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline, EpochClock, MonotonicClock


def fresh_id() -> str:
    """Return a random id of 32 hexadecimal digits."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Means:
    """What one delivery is judged with; everything judged with it shares its ``deadline``.

    ``env`` holds the credentials under each cloud's own variable names. ``transport`` replaces
    the network: tests put the emulator there.
    """

    settings: Settings
    policy: Policy
    deadline: Deadline
    env: Mapping[str, str] = field(repr=False)
    transport: httpx.BaseTransport | None = field(default=None, repr=False)
    now: EpochClock = time.time
    new_id: Callable[[], str] = fresh_id

    @classmethod
    def from_env(
        cls,
        env: Mapping[str, str],
        *,
        transport: httpx.BaseTransport | None = None,
        now: EpochClock = time.time,
        clock: MonotonicClock = time.monotonic,
        new_id: Callable[[], str] = fresh_id,
    ) -> Means:
        """Read settings and policy; the time for the delivery starts to run.

        Raises:
            SettingsError: a setting or the policy file cannot be used.
        """
        settings = Settings.from_env(env)
        return cls(
            settings=settings,
            policy=_policy(settings.policy_path),
            deadline=Deadline.after(settings.deadline_s, clock),
            env=env,
            transport=transport,
            now=now,
            new_id=new_id,
        )

    @property
    def mode(self) -> Mode:
        """What may be done about a verdict: ``SGGUARD_MODE`` wins over the policy file."""
        return self.settings.mode or self.policy.mode


def decide_delete(request: DeleteRequest, means: Means, *, event_id: str) -> Decision:
    """Decide whether the groups may be deleted together.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    begun_s = means.deadline.clock()
    scope = request.targets[0].scope
    found = facts.gather_delete(_provider(scope, means), request)
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
    _log(decision, scope)
    return decision


def decide_launch(request: LaunchRequest, means: Means, *, event_id: str) -> Decision:
    """Decide whether instances may be launched with the groups, or an instance carry them.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
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


def explain(address: Address, means: Means) -> DeleteFacts:
    """Return everything known about one group: its rules, who references it, what carries it.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    return facts.gather_explanation(_provider(address.scope, means), address)


def begin(env: Mapping[str, str]) -> Means:
    """Return the means for one delivery to a function; the log is set up on the way.

    Raises:
        SettingsError: a setting or the policy file cannot be used.
    """
    try:
        means = Means.from_env(env)
    except SettingsError:
        logs.configure(Settings().log_level)  # or nobody would hear of it
        raise
    logs.configure(means.settings.log_level)
    _warn(unknown_variables(env, providers.names()))
    return means


@lru_cache(maxsize=8)
def _warn(variables: tuple[str, ...]) -> None:
    """Name misspelt variables once per process: they would be ignored in silence."""
    for name in variables:
        logs.log(logging.WARNING, "unknown setting", setting=name)


@lru_cache(maxsize=8)
def _policy(path: str | None) -> Policy:
    """Read a policy file once per process: a new policy is a new deployment."""
    return policy.load(path)


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
    wire = Wire(scope.provider, means.deadline, transport=means.transport)
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
