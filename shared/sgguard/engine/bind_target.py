"""Where events about a bind under way go: a broker, or whatever else takes CloudEvents.

The address is ``SGGUARD_BIND_TARGET``, else ``K_SINK``, which Knative's SinkBinding sets together
with ``K_CE_OVERRIDES`` (https://knative.dev/docs/eventing/custom-event-source/sinkbinding/, read
2026-11). Events go in binary mode. Those of one decision have one ``partitionkey`` (the extension
of that name), so a Kafka broker keeps them in order.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from sgguard import hiding
from sgguard.engine.context import Context
from sgguard.telemetry import logs
from sgguard.wire.body import TooLargeError
from sgguard.wire.clock import Deadline
from sgguard.wire.connection import exchange

Json = dict[str, Any]

REST_TYPE = "sgguard.bind.requested.v1"
PROGRESS_TYPE = "sgguard.bind.progress.v1"
TIMEOUT_S = 2.0
PROGRESS_S = 5.0
"""How often a bind under way tells how far it is."""

_SOURCE = "/sgguard/bind_request"
_OK, _REDIRECTS = 200, 300


class NotTakenError(Exception):
    """The target did not take an event; the text has its status, and nothing that it said."""


@hiding("url")
class Target(msgspec.Struct, frozen=True):
    """Takes events by POST. ``extensions`` are further attributes that every event gets."""

    url: str  # it may have a secret in its path
    extensions: Mapping[str, str] = msgspec.field(default_factory=dict)

    def post(self, attributes: Mapping[str, str], data: Json, timeout_s: float) -> None:
        """Post one event; ``attributes`` are those besides ``specversion`` and ``source``.

        Raises:
            NotTakenError: it was not taken, or it is not known whether it was.
        """
        given = {"specversion": "1.0", "source": _SOURCE, **self.extensions, **attributes}
        headers = {f"ce-{name}": value for name, value in given.items()}
        headers |= {"content-type": "application/json", "connection": "close"}
        timeout = httpx.Timeout(timeout_s).as_dict()
        try:
            request = httpx.Request(
                "POST",
                self.url,
                headers=headers,
                content=json.dumps(data),
                extensions={"timeout": timeout},
            )
            # One that answers byte by byte has no more time than one that does not answer.
            answer = exchange(request, None, None, Deadline.after(timeout_s))
        except (httpx.HTTPError, httpx.InvalidURL, TooLargeError) as error:
            raise NotTakenError(type(error).__name__) from None
        if not _OK <= answer.status_code < _REDIRECTS:
            raise NotTakenError(f"it answers {answer.status_code}")


def of_context(context: Context) -> Target | None:
    """Return the target that is set; None where the rest of a bind stays in the store."""
    url = context.settings.bind_target
    if not url:
        return None
    return Target(url, _overrides(context.env.get("K_CE_OVERRIDES", "")))


def _overrides(text: str) -> dict[str, str]:
    """Return the extensions in ``K_CE_OVERRIDES``; none where they cannot be read."""
    try:
        found = json.loads(text or "{}").get("extensions") or {}
        return {
            str(name): str(value)
            for name, value in found.items()
            if str(name).isascii() and str(name).isalnum() and str(value).isascii()
        }
    except (ValueError, AttributeError):
        logs.log(logging.WARNING, "unknown setting", setting="K_CE_OVERRIDES")
        return {}


def attributes(event_type: str, event_id: str, decision_id: str, now_s: float) -> dict[str, str]:
    """Return the attributes of an event about a decision."""
    return {
        "id": event_id,
        "type": event_type,
        "time": datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds"),
        "partitionkey": decision_id,
    }


class Progress(msgspec.Struct):
    """Tells the log and the target how far a bind is, every :data:`PROGRESS_S` seconds.

    A target that does not take one is not told again: nothing waits for a progress event.
    """

    context: Context
    decision_id: str
    group: str
    target: Target | None
    then: Callable[[int, int], None]
    last_s: float | None = None

    def __call__(self, done: int, total: int) -> None:
        """Note that so many holders of all are over."""
        self.then(done, total)
        now_s = self.context.deadline.clock()
        if self.last_s is None:
            self.last_s = now_s
        if now_s - self.last_s < PROGRESS_S:
            return
        self.last_s = now_s
        told = f"{done} of {total} holders are over"
        logs.log(logging.INFO, "progress", decision_id=self.decision_id, detail=told)
        if self.target is not None:
            self._post(self.target, done, total)

    def _post(self, target: Target, done: int, total: int) -> None:
        event_id = f"{self.decision_id}/{done}"
        given = attributes(PROGRESS_TYPE, event_id, self.decision_id, self.context.now())
        data = {"decision": self.decision_id, "group": self.group, "over": done, "of": total}
        try:
            left_s = self.context.deadline.remaining_s()
            target.post(given, data, max(0.1, min(TIMEOUT_S, left_s / 4)))
        except NotTakenError as error:
            self.target = None
            logs.log(
                logging.WARNING, "progress", decision_id=self.decision_id, detail=f"target: {error}"
            )
