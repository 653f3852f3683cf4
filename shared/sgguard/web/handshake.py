"""The handshake of CloudEvents' webhooks: who may begin to send events here.

A sender asks with OPTIONS before its first delivery. Consent is given by headers, to senders that
the operator names and to nobody else; without them no sender may begin. The address that a sender
names for a later answer (``WebHook-Request-Callback``) is never called.

Source: https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md (4), read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from sgguard.errors import SettingsError

RATE_MAX = 600
"""The most requests a minute that are promised to be taken, to whoever asks for more."""

_RATE_DIGITS = 9
_SETTING = "SGGUARD_WEBHOOK_ORIGINS"
# A name of a host: * would let everybody begin.
_ORIGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?", re.ASCII)


class Headers(Protocol):
    """The headers of a request, found whatever the case of their names."""

    def get(self, name: str, default: str, /) -> str:
        """Return a header's value, or the default."""
        ...


def consent(headers: Headers, env: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that answer a sender which asks to begin; none where it may not.

    Raises:
        SettingsError: the senders that may (``SGGUARD_WEBHOOK_ORIGINS``) are not names of hosts.
    """
    asked = headers.get("WebHook-Request-Origin", "").strip().lower()
    origin = next((one for one in _origins(env) if one.lower() == asked), "")
    if not origin:
        return {}
    found = {"WebHook-Allowed-Origin": origin}
    rate = headers.get("WebHook-Request-Rate", "").strip()
    if rate:
        found["WebHook-Allowed-Rate"] = str(_rate(rate))
    return found


def _origins(env: Mapping[str, str]) -> tuple[str, ...]:
    given = env.get(_SETTING, "").strip()
    origins = tuple(one.strip() for one in given.split(",")) if given else ()
    if not all(_ORIGIN.fullmatch(one) for one in origins):
        raise SettingsError(f"{_SETTING}: expected names of hosts by comma, such as bus.example")
    return origins


def _rate(asked: str) -> int:
    is_number = asked.isascii() and asked.isdecimal() and len(asked) < _RATE_DIGITS
    return max(1, min(int(asked), RATE_MAX)) if is_number else RATE_MAX
