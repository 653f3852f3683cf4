"""What one delivery is judged with: settings, policy, credentials, clocks and the time it has."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache

import httpx
import msgspec
from msgspec.structs import replace

from sgguard import hiding, providers
from sgguard.engine.accounts.read import accounts_of
from sgguard.engine.accounts.table import Accounts
from sgguard.engine.accounts.use import access_of
from sgguard.errors import PolicyError, SettingsError
from sgguard.model.address import Scope
from sgguard.model.caller import Identity
from sgguard.model.codes import Mode
from sgguard.policy import Policy, delete_remedies, modes
from sgguard.policy.account import at_home
from sgguard.policy.start import ended, load_started
from sgguard.providers import Access, Cloud
from sgguard.settings import PREFIX, Settings, unknown_variables
from sgguard.store import Store, find_store, open_store
from sgguard.telemetry import logs
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline, EpochClock, MonotonicClock, elapsed
from sgguard.wire.pacing import LANES, Lanes, Pace
from sgguard.wire.retry import Retry
from sgguard.wire.turns import SharedPace


def fresh_id() -> str:
    """Return a random id of 32 hexadecimal digits."""
    return uuid.uuid4().hex


_REBINDING = frozenset({"unbind", "move", "force"})


@hiding("env", "transport", "lanes", "store", "on_call")
class Context(msgspec.Struct, frozen=True):
    """What one delivery is judged with; everything judged with it shares its ``deadline``.

    ``env`` holds the credentials under each cloud's own variable names. ``transport`` replaces
    the network: tests put the emulator there. ``retry`` and ``lanes`` say how patiently and how
    fast clouds are asked; the lanes are those of the process. ``store`` is what is kept between
    deliveries, None where nothing is. ``caller`` is who asks, None where everybody may;
    ``on_call`` counts the cloud calls that this takes. With ``is_bulk`` they are of work that
    nobody waits for: other decisions pass before them. ``accounts`` are all that there are here.
    """

    settings: Settings
    policy: Policy
    deadline: Deadline
    env: Mapping[str, str]
    transport: httpx.BaseTransport | None = None
    now: EpochClock = time.time
    new_id: Callable[[], str] = fresh_id
    retry: Retry = msgspec.field(default_factory=Retry)
    lanes: Lanes = LANES
    store: Store | None = None
    caller: Identity | None = None
    on_call: Callable[[], None] | None = None
    is_bulk: bool = False
    accounts: Accounts = msgspec.field(default_factory=Accounts)

    def __post_init__(self) -> None:
        """Name the configured accounts also where no further ones are given."""
        if not self.accounts.home:
            home = replace(self.accounts, home=self.settings.accounts)
            msgspec.structs.force_setattr(self, "accounts", home)

    @classmethod
    def from_env(
        cls,
        env: Mapping[str, str],
        *,
        transport: httpx.BaseTransport | None = None,
        now: EpochClock = time.time,
        clock: MonotonicClock = elapsed,
        new_id: Callable[[], str] = fresh_id,
        makes_store: bool = True,
    ) -> Context:
        """Read settings and policy; the time for the delivery starts to run.

        Without ``makes_store`` there is no store where none was made before.

        Raises:
            SettingsError: a setting or the policy file cannot be used.
        """
        settings = Settings.from_env(env)
        accounts = accounts_of(settings.further_accounts, settings.accounts)
        policy = _usable(_policy(settings.policy_path), settings)
        return cls(
            settings=settings,
            policy=at_home(policy, settings.accounts, accounts.numbers()),
            accounts=accounts,
            deadline=Deadline.after(settings.deadline_s, clock),
            env=env,
            transport=transport,
            now=now,
            new_id=new_id,
            store=_store_of(settings, env, makes_store=makes_store),
        )

    @property
    def mode(self) -> Mode:
        """What may be done about a verdict: ``SGGUARD_MODE`` wins over the policy file."""
        return self.settings.mode or self.policy.mode

    @property
    def only_observes(self) -> bool:
        """Whether nothing can be changed, whatever group an event is about.

        ``SGGUARD_MODE`` wins over every mode that the policy names.
        """
        named = {self.settings.mode} if self.settings.mode else set(modes(self.policy))
        return named <= {Mode.OBSERVE}


def begin(env: Mapping[str, str]) -> Context:
    """Return the context of one delivery to a function; sets up the log on the way.

    Raises:
        SettingsError: a setting or the policy file cannot be used.
    """
    try:
        context = Context.from_env(env)
    except SettingsError:
        logs.configure(Settings().log_level)  # or the error would not be logged
        raise
    logs.configure(context.settings.log_level)
    _warn(unknown_variables(env, providers.names()))
    _warn_ended(ended(context.policy, datetime.fromtimestamp(context.now(), UTC)))
    return context


def of_store(
    env: Mapping[str, str], *, needs: Collection[str] = (), makes_store: bool = False
) -> tuple[Context, tuple[str, ...]]:
    """Return the context of what needs the store and nothing else, and what is wrong with the rest.

    No policy is read: that of the context permits nothing. A setting that cannot be used counts
    as not set, unless ``needs`` names it.

    Raises:
        SettingsError: the store, or a setting that is needed, cannot be used.
    """
    usable, problems = dict(env), []
    for name in sorted(name for name in env if name.startswith(PREFIX)):
        try:
            Settings.from_env({name: env[name]})
        except SettingsError as error:
            if name in needs:
                raise
            del usable[name]
            problems.append(str(error))
    settings = Settings.from_env(usable)
    store = _store_of(settings, usable, makes_store=makes_store)
    deadline = Deadline.after(settings.deadline_s)
    context = Context(settings, Policy(), deadline, usable, store=store)
    try:
        found = accounts_of(settings.further_accounts, settings.accounts)
        return replace(context, accounts=found), tuple(problems)
    except SettingsError as error:
        return context, (*problems, str(error))


def pace_of(context: Context) -> Pace:
    """Return the pace of cloud calls: that of all processes, where they share a store."""
    return Pace(
        share=context.settings.pace,
        lanes=context.lanes,
        on_call=context.on_call,
        shared=None if context.store is None else _shared(context.store, context.lanes),
        is_bulk=context.is_bulk,
    )


@lru_cache(maxsize=8)
def _shared(store: Store, lanes: Lanes) -> SharedPace:
    """Return this process's turns in a store: what it knows of them outlives an event."""

    def failed(why: str) -> None:
        logs.log(logging.WARNING, "pace not shared", detail=why)

    return SharedPace(store.paces(), lanes.clock, lanes.sleep, failed)


def connect(scope: Scope, context: Context, *, is_thorough: bool = False) -> Cloud:
    """Return the cloud of a scope, ready to be asked in this context.

    What only a remedy needs is read where the policy permits one, or with ``is_thorough``.

    Raises:
        InputError: the provider is unknown, or the account is no configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked for the credentials of the account's role.
    """
    other = context.accounts.require(scope)
    wire = Wire(
        scope.provider,
        # Asked right before each call. A lease lasts twice as long from the last intent: whoever
        # has time left has the lease, also after a pause during which one of the clocks stood.
        context.deadline.also_on(context.now),
        transport=context.transport,
        retry=context.retry,
        pace=pace_of(context),
    )
    access = Access(
        wire,
        scope.region,
        env=context.env,
        account=context.settings.accounts.get(scope.provider, ""),
        now=context.now,
        is_thorough=is_thorough or bool(delete_remedies(context.policy) & _REBINDING),
    )
    return providers.connect(scope.provider, access_of(other, access) if other else access)


@lru_cache(maxsize=8)
def _warn(variables: tuple[str, ...]) -> None:
    """Name misspelt variables once per process: they would be ignored in silence."""
    for name in variables:
        logs.log(logging.WARNING, "unknown setting", setting=name)


@lru_cache(maxsize=8)
def _warn_ended(warnings: tuple[str, ...]) -> None:
    """Name exemptions that are over once per process: they are not honoured any more."""
    for one in warnings:
        logs.log(logging.WARNING, "exemption ended", setting="SGGUARD_POLICY", detail=one)


def _store_of(settings: Settings, env: Mapping[str, str], *, makes_store: bool) -> Store | None:
    is_wished = bool(env.get("SGGUARD_STORE", "").strip())
    if makes_store:
        return _store(settings.store_url, is_wished=is_wished)
    try:
        return _found(settings.store_url) if settings.store_url else None
    except LookupError:
        return None
    except SettingsError:
        if is_wished:
            raise
        return None


@lru_cache(maxsize=8)
def _found(url: str) -> Store:
    """Find a store once per process; that there is none is not remembered.

    Raises:
        LookupError: there is none.
    """
    found = find_store(url)
    if found is None:
        raise LookupError(url)
    return found


@lru_cache(maxsize=8)
def _store(url: str | None, *, is_wished: bool) -> Store | None:
    """Open a store once per process: its connections outlive the event.

    Where none is set and the default place cannot be used (a function's home is often
    read-only) there is none, which is enough to observe.
    """
    if not url:
        return None
    try:
        return open_store(url)
    except SettingsError as error:
        if is_wished:
            raise
        logs.log(logging.WARNING, "no store", setting="SGGUARD_STORE", detail=str(error))
        return None


def _usable(policy: Policy, settings: Settings) -> Policy:
    """Refuse SGGUARD_MODE=approve where the policy names no approver."""
    if settings.mode is Mode.APPROVE and not policy.approval.approvers:
        where = settings.policy_path or "(SGGUARD_POLICY is not set)"
        raise PolicyError(
            f"policy {where}: approval.approvers is missing "
            "(expected the names of approvers: SGGUARD_MODE=approve needs one)"
        )
    return policy


@lru_cache(maxsize=8)
def _policy(path: str | None) -> Policy:
    """Read a policy file once per process: a new policy is a new deployment."""
    return load_started(path)
