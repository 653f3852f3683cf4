"""What may keep callers from being proven: days, secrets, keys and clocks; old secrets in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any

from sgguard.callers import LIBRARIES, jwks, secret
from sgguard.callers.base import Fetch, Fetched, Tools
from sgguard.callers.fetch import fetch as fetch_now
from sgguard.engine.context import Context
from sgguard.errors import KeysError, StoreError
from sgguard.model.caller import Caller
from sgguard.operations.doctor.checkup import Finding
from sgguard.policy.caller import is_expired
from sgguard.policy.proof import holding
from sgguard.store.rows import Query

SOON = timedelta(days=30)
RECENT_S = 24 * 3600.0
SKEW_S = 30.0
"""Half of what times in tokens may be off."""

_DECISIONS = 500


def examine_callers(context: Context, fetch: Fetch = fetch_now) -> Iterator[Finding]:
    """Yield what is found about the callers of the policy."""
    callers = context.policy.callers
    if not callers:
        remedy = "add callers with `sgguard callers new`; until then functions only observe, and "
        remedy += "only on a loopback address"
        yield Finding("callers", "callers: none in the policy", remedy, "note")
        return
    yield Finding("callers", f"callers: {len(callers)}", "see `sgguard callers list`", "note")
    for caller in callers:
        yield from _days(caller, datetime.fromtimestamp(context.now(), UTC))
        yield from _means(caller, context, fetch)
    yield from _old_secrets(context)


def _days(caller: Caller, now: datetime) -> Iterator[Finding]:
    if is_expired(caller, now.date()):
        message = f"caller {caller.name}: not served since its last day, {caller.expires}"
        yield Finding("caller-expired", message, "set another day, or remove it from the policy")
    elif caller.expires is not None and caller.expires - now.date() <= SOON:
        message = f"caller {caller.name}: served until {caller.expires} only"
        yield Finding("caller-expires", message, "renew it in the policy in time", "note")
    for key in ("hashes", "tokens"):
        entries = caller.proof.get(key, ())
        soon = [one for one in entries if one not in _held(entries, now + SOON)]
        if soon:
            message = f"caller {caller.name}: {len(soon)} of {len(entries)} secrets end"
            message += f" within {SOON.days} days, or have ended"
            remedy = "`sgguard callers new` makes a new one; remove what has ended"
            yield Finding("caller-secret", message, remedy, "note")


def _held(entries: list[str], then: datetime) -> list[str]:
    digests = holding(entries, then.date())
    return [one for one in entries if one.removeprefix("sha256:")[:64] in digests]


def _means(caller: Caller, context: Context, fetch: Fetch) -> Iterator[Finding]:
    """Look for what the caller's proof is checked with: a library, secrets, published keys."""
    library = LIBRARIES.get(caller.kind, "")
    if library and find_spec(library) is None:
        message = f"caller {caller.name}: {library} is not installed"
        yield Finding("caller-library", message, "pip install 'sgguard[jwt]'", "setup")
        return
    try:
        for place in caller.proof.get("secrets", ()):
            secret.key(place, context.env)
        if caller.kind == "jwt":
            yield from _published(caller, context, fetch)
    except KeysError as error:
        message = f"caller {caller.name}: {error}"
        yield Finding("caller-keys", message, "until it can be read its events get 503", "problem")


def _published(caller: Caller, context: Context, fetch: Fetch) -> Iterator[Finding]:
    """Read the issuer's keys, and compare its clock with ours on the way."""
    dates: list[str] = []

    def noting(*where: Any) -> Fetched:
        found = fetch(*where)
        dates.append(found.date)
        return found

    tools = Tools(context.env, context.now, noting, context.deadline.clock)
    jwks.load(caller.proof, tools)
    for date in filter(None, dates):
        try:
            ahead_s = context.now() - parsedate_to_datetime(date).timestamp()
        except ValueError:
            continue
        if abs(ahead_s) > SKEW_S:
            side = "ahead of" if ahead_s > 0 else "behind"
            message = f"clock: this machine's is {abs(ahead_s):.0f} s {side} that of the keys of "
            message += f"caller {caller.name}: its tokens may be refused"
            yield Finding("clock", message, "set both by NTP")


def _old_secrets(context: Context) -> Iterator[Finding]:
    """Compare the secrets that recent decisions name with the newest of each caller."""
    newest = {one.name: key for one in context.policy.callers if (key := _newest(one, context))}
    if context.store is None or not newest:
        return
    old: dict[str, str] = {}
    try:
        since_s = context.store.now_s() - RECENT_S
        for record in context.store.decisions(Query(limit=_DECISIONS)):
            if record.at_s < since_s:
                break
            used = json.loads(record.document_json).get("caller") or {}
            name, key = used.get("name", ""), used.get("key", "")
            if key and key != newest.get(name, key):
                old.setdefault(name, key)
    except StoreError:
        return  # that it cannot be read is said already
    for name, key in sorted(old.items()):
        message = f"caller {name}: used its old secret {key} within a day"
        yield Finding("caller-old-secret", message, "switch the sender to the new one", "note")


def _newest(caller: Caller, context: Context) -> str:
    """Return what tells the newest of the caller's secrets; empty where it has none of its own."""
    for key in ("hashes", "tokens"):
        digests = holding(list(caller.proof.get(key, ())), datetime.now(UTC).date())
        if digests and caller.kind in ("bearer", "header", "basic", "alibaba"):
            return secret.shown(digests[0])
    if caller.kind not in ("hmac", "apig"):
        return ""
    try:
        return secret.key_name(secret.key(caller.proof["secrets"][0], context.env))
    except KeysError:
        return ""
