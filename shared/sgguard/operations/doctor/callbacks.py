"""What may keep callbacks from being sent: keys, and what is permitted for tests alone."""

from __future__ import annotations

from collections.abc import Iterator

from sgguard.engine.context import Context
from sgguard.errors import KeysError
from sgguard.operations.doctor.checkup import Finding
from sgguard.webhooks import sign


def examine_callbacks(context: Context) -> Iterator[Finding]:
    """Yield what is found about the policy's table ``[callbacks]``; nothing is sent."""
    callbacks = context.policy.callbacks
    if not callbacks.hosts and not callbacks.loopback:
        return
    try:
        count = len(sign.keys(callbacks.keys, context.env))
    except KeysError as error:
        remedy = "functions do not start without it; `sgguard callbacks key` makes one"
        yield Finding("callback-key", f"callbacks: {error}", remedy, "setup")
        return
    hosts = ", ".join(callbacks.hosts) or "no host"
    message = f"callbacks: {hosts}; keys that sign: {count}"
    yield Finding("callbacks", message, "try one with `sgguard callbacks test`", "note")
    if callbacks.loopback:
        message = "callbacks: this machine may be called without TLS (callbacks.loopback)"
        yield Finding("callback-loopback", message, "remove it where functions are deployed")
