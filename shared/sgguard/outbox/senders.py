"""The senders of all kinds of notices: a kind is one module with ``sender(context)``.

They are found by name and imported when something is delivered: a function that only decides needs
none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from sgguard.outbox.base import Sender

MODULES: Mapping[str, str] = {
    "callback": "sgguard.webhooks.outgoing",
    "chat": "sgguard.chat.outgoing",
    "approve": "sgguard.chat.handover",
    "bind": "sgguard.engine.bind_again",
}
"""By kind, the module whose ``sender(context)`` makes its :class:`~sgguard.outbox.base.Sender`."""


def senders(context: Any) -> dict[str, Sender]:
    """Return a sender for every kind, each in an engine's context."""
    return {kind: _maker(name)(context) for kind, name in MODULES.items()}


def _maker(name: str) -> Callable[[Any], Sender]:
    return cast(Callable[[Any], Sender], import_module(name).sender)
