"""What a function says and checks when it starts, and what it answers to those who watch it.

A function whose settings or policy cannot be used does not start: its platform then keeps the old
version and shows the line. Where a platform needs the process up, ``SGGUARD_START=lenient`` keeps
it running; then it is alive, not ready, and answers every event with 503.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sgguard
from sgguard import clouds
from sgguard.engine.context import Context, begin
from sgguard.errors import SettingsError, SgguardError
from sgguard.events.base import Kind
from sgguard.outbox import late
from sgguard.settings import Settings
from sgguard.store import store_location
from sgguard.telemetry import logs
from sgguard.web import door, garbage, observe
from sgguard.web.response import Response, of_report

Json = dict[str, Any]

_BROKEN = 2
_OPEN = (
    "the policy has no [[caller]]: everybody who reaches this loopback address is answered, and "
    "nothing is changed"
)
_HASH_DIGITS = 12


def announce(kind: Kind, env: Mapping[str, str] = os.environ) -> None:
    """Check settings and policy and write one line: what runs here, with what.

    A function has started then: garbage is looked for from here on.

    Raises:
        SystemExit: they cannot be used; the line says why.
    """
    try:
        _announce(kind, env)
    finally:
        garbage.heed()


def _announce(kind: Kind, env: Mapping[str, str]) -> None:
    try:
        context = begin(env)
        is_open = door.is_open(context)
        door.require_usable(context)
        observe.require_usable(env)
    except SettingsError as error:
        logs.log(logging.ERROR, "not started", function=kind.name, detail=str(error))
        if env.get("SGGUARD_START", "").strip() != "lenient":
            sys.exit(_BROKEN)
        return
    settings = context.settings
    logs.log(
        logging.INFO,
        "started",
        function=kind.name,
        version=sgguard.__version__,
        policy=_policy_name(settings),
        mode=context.mode.value,
        store=store_location(settings.store_url) if settings.store_url else "none",
        providers=list(clouds.configured(env)),
        callers=[one.name for one in context.policy.callers if kind.name in one.functions],
    )
    if is_open:
        logs.log(logging.WARNING, "open", function=kind.name, detail=_OPEN)


def report(path: str, method: str, begin: Callable[[], Context]) -> Response | None:
    """Answer a question about the process; None where the path is no such question.

    ``/healthz``: it runs. ``/readyz``: settings, policy and store can be used now; 503 if not.
    ``/metrics``: what was counted, where SGGUARD_METRICS is on.
    """
    if method not in ("GET", "HEAD"):
        return None
    if path == "/healthz":
        return of_report(200, {"status": "alive", "version": sgguard.__version__})
    if path == "/readyz":
        return _readiness(begin)
    return observe.page(os.environ, begin) if path == observe.METRICS else None


def _readiness(begin: Callable[[], Context]) -> Response:
    """Return what can be used, one check after the other; what was not reached is not told."""
    checks: dict[str, str] = {}
    try:
        context = begin()
        checks = {"settings": "ok", "policy": _policy_name(context.settings) or "defaults"}
        checks["callers"] = "everybody" if door.is_open(context) else "ok"
        door.require_usable(context)
        if context.store is None:
            checks["store"] = "none: only observing" if context.only_observes else "none"
        else:
            context.store.halted()
            checks["store"] = "ok"
            checks["outbox"] = late.state_of(context.store)
            if letters := context.store.count_dead_letters():
                checks["dead_letters"] = f"{letters}: see sgguard deadletter list"
    except SgguardError as error:
        return of_report(503, {"status": "not ready", "checks": checks, "detail": str(error)})
    is_ready = context.store is not None or context.only_observes
    detail = {} if is_ready else {"detail": "a mode other than observe needs a store"}
    status = "ready" if is_ready else "not ready"
    return of_report(200 if is_ready else 503, {"status": status, "checks": checks, **detail})


def _policy_name(settings: Settings) -> str:
    """Return the policy file and the beginning of its SHA-256; empty without a file."""
    if settings.policy_path is None:
        return ""
    try:
        content = Path(settings.policy_path).read_bytes()
    except OSError:
        return settings.policy_path
    return f"{settings.policy_path} sha256:{hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]}"
