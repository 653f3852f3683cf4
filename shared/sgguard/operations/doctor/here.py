"""What a verdict needs beside clouds: settings, policy, store, clock and approval key.

Nothing is made or changed, and one part that cannot be used keeps no other from being examined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from sgguard import clouds
from sgguard.engine.context import Context, of_store
from sgguard.errors import SettingsError, StoreError
from sgguard.model.codes import Mode
from sgguard.operations.doctor.callbacks import examine_callbacks
from sgguard.operations.doctor.callers import examine_callers
from sgguard.operations.doctor.checkup import Finding
from sgguard.operations.doctor.outbox import examine_outbox
from sgguard.operations.misspelt import misspelt
from sgguard.policy import modes
from sgguard.policy.start import ended
from sgguard.settings import PREFIX, Settings, unknown_variables
from sgguard.store import store_location
from sgguard.store.base import Store

CLOCK_TOLERANCE_S = 5.0
"""Leases last a minute: a store and a machine that differ by more than this are worth a look."""

_SETTINGS_REMEDY = "correct it: deploy/README.md lists every setting"


class Here(msgspec.Struct, frozen=True):
    """What was found on this machine, and a context of all that can be used."""

    context: Context
    findings: tuple[Finding, ...]

    @property
    def is_set_up(self) -> bool:
        """Whether every setting can be used."""
        return all(one.weight != "setup" for one in self.findings)

    @property
    def is_trusted(self) -> bool:
        """Whether nothing here takes the trust from a verdict."""
        return all(one.weight == "note" for one in self.findings)


def examine_here(env: Mapping[str, str]) -> Here:
    """Return what is found about this machine; every failure is a finding, not an error."""
    # 1. Each setting by itself: one that cannot be used counts as not set from here on.
    usable, found = dict(env), []
    for name in sorted(name for name in env if name.startswith(PREFIX)):
        try:
            Settings.from_env({name: env[name]})
        except SettingsError as error:
            found.append(Finding("setting", str(error), _SETTINGS_REMEDY, "setup"))
            del usable[name]
    known = clouds.names()
    found += [
        Finding("setting", misspelt(name, known), _SETTINGS_REMEDY, "note")
        for name in unknown_variables(env, known)
    ]
    # 2. The policy, then the store, as a function would take them.
    context, flaws = _context(usable)
    found += flaws
    if not any(one.code == "policy" for one in flaws):
        found += _policy(context)
    if not any(one.code == "store" for one in flaws):
        found += _store(context)
    # 3. Who may be asked: links need a key and an address.
    found += _approval(context)
    # 4. Who may ask, and what their proofs are checked with.
    found += examine_callers(context)
    found += examine_callbacks(context)
    return Here(context, tuple(found))


def _context(env: dict[str, str]) -> tuple[Context, list[Finding]]:
    """Return the context of everything that can be used, and what cannot."""
    flaws: list[Finding] = []
    try:
        return Context.from_env(env, makes_store=False), flaws
    except SettingsError as error:
        first = str(error)
    try:
        context, _ = of_store(env)
    except SettingsError as error:
        remedy = "set SGGUARD_STORE to where a store is or can be made"
        flaws.append(Finding("store", f"store: {error}", remedy, "setup"))
        env = {name: value for name, value in env.items() if name != "SGGUARD_STORE"}
        context, _ = of_store(env)
        first = "" if first == str(error) else first
    if first:
        remedy = "see `sgguard policy check`; until then functions do not start"
        flaws.append(Finding("policy", first, remedy, "setup"))
    return context, flaws


def _policy(context: Context) -> Iterator[Finding]:
    path = context.settings.policy_path
    if path is None:
        remedy = "set SGGUARD_POLICY to protect groups or permit remedies"
        yield Finding("policy", "policy: none; nothing is protected or changed", remedy, "note")
    else:
        mode = context.settings.mode or context.policy.mode
        message = f"policy: {path} is valid, its mode is {mode}"
        yield Finding("policy", message, "`sgguard policy show` has every value", "note")
    for one in ended(context.policy, datetime.fromtimestamp(context.now(), UTC)):
        yield Finding("exemption", f"policy: {one}", "see `sgguard policy exemptions`", "note")


def _store(context: Context) -> Iterator[Finding]:
    url = context.settings.store_url
    if url is None or context.store is None:
        where = f"there is none yet at {store_location(url)}" if url else "SGGUARD_STORE is not set"
        remedy = "modes approve and enforce need one; a function makes it"
        yield Finding("store", f"store: {where}", remedy, "note")
        return
    where = store_location(url)
    try:
        yield from _content(context.store, where, context.now())
    except StoreError as error:
        remedy = "repair it: while it fails, nothing is decided in modes approve and enforce"
        yield Finding("store", f"store: {where} cannot be read: {error}", remedy)


def _content(store: Store, where: str, now_s: float) -> Iterator[Finding]:
    ahead_s = now_s - store.now_s()
    runs, halt = store.open_runs(), store.halted()
    waiting = len(store.approvals("pending"))
    message = f"store: {where} can be read; pending approvals: {waiting}"
    yield Finding("store", message, "see `sgguard approvals list`", "note")
    if abs(ahead_s) > CLOCK_TOLERANCE_S:
        side = "ahead of" if ahead_s > 0 else "behind"
        message = f"clock: this machine's is {abs(ahead_s):.0f} s {side} the store's"
        yield Finding("clock", message, "set both by NTP")
    if letters := store.count_dead_letters():
        message = f"store: dead letters, which could not be judged: {letters}"
        yield Finding("dead-letters", message, "see `sgguard deadletter list`", "note")
    if runs:
        message = f"store: plans that are open or stuck: {len(runs)}"
        yield Finding("store", message, "see `sgguard resume`", "note")
    if halt is not None:
        message = f"store: {halt.by} stopped all changes: {halt.reason}"
        yield Finding("halt", message, "see `sgguard halt status`", "note")
    yield from examine_outbox(store)


def _approval(context: Context) -> Iterator[Finding]:
    settings = context.settings
    asks = Mode.APPROVE in {settings.mode, *modes(context.policy)}
    if settings.approval_url and not settings.approval_keys:
        message = "approval key: SGGUARD_APPROVAL_URL is set, SGGUARD_APPROVAL_KEY is not"
        yield Finding("approval-key", message, "set one, such as `openssl rand -hex 32` gives")
    elif not settings.approval_keys:
        remedy = "set SGGUARD_APPROVAL_KEY for links; `sgguard approvals approve` needs none"
        why = "; the mode is approve" if asks else ""
        yield Finding("approval-key", f"approval key: not set{why}", remedy, "note")
    else:
        url = settings.approval_url or "no address (SGGUARD_APPROVAL_URL)"
        message = f"approval key: {len(settings.approval_keys)} set, links lead to {url}"
        remedy = "try one with `sgguard approvals link`"
        yield Finding("approval-key", message, remedy, "note")
