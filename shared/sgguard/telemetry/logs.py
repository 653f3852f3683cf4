"""One JSON line per event handled, with the fields an operator may see and no others.

Bodies, headers, addresses with credentials in them and vendors' texts have no field here, so
they cannot be written by mistake. Lines go to standard error; standard output belongs to the CLI.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from sgguard.telemetry.redaction import redacted

LOGGER = logging.getLogger("sgguard")
# Without a handler of ours nothing is printed: the CLI and programs that import us stay quiet.
LOGGER.addHandler(logging.NullHandler())

_TEXT_MAX = 256


class Fields(TypedDict, total=False):
    """Everything a line may say beside ``ts``, ``level`` and ``msg``; durations in ms."""

    event_id: str
    event_source: str
    function: str
    provider: str
    account: str
    region: str
    groups: list[str]
    instance: str
    mode: str
    verdict: str
    outcome: str
    reasons: list[str]
    decision_id: str
    duration_ms: float
    status: int
    error: str
    detail: str
    code: str
    action: str
    request_id: str
    incident_id: str
    setting: str
    where: str
    version: str
    policy: str
    store: str
    providers: list[str]
    caller: str
    callers: list[str]


def log(level: int, msg: str, **fields: Unpack[Fields]) -> None:
    """Write one line: ``msg`` is a constant event name, everything that varies is a field."""
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, msg, extra={"sgguard": fields})


def configure(level: str) -> None:
    """Send the lines to standard error from this level on, once however often it is called.

    Nothing is handed on to the root logger, where a runtime could print it a second time.
    """
    LOGGER.setLevel(level)
    LOGGER.propagate = False
    if not any(isinstance(handler, JsonLines) for handler in LOGGER.handlers):
        LOGGER.addHandler(JsonLines())


class JsonLines(logging.Handler):
    """Writes each record as one line of JSON to whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. An exception's text and traceback are left out: they may quote."""
        sys.stderr.write(line(record) + "\n")


def line(record: logging.LogRecord) -> str:
    """Return a record as one line of JSON; fields that are not known are left out."""
    given = record.__dict__.get("sgguard", {})
    document: dict[str, object] = {
        "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "msg": record.getMessage()[:_TEXT_MAX],
    }
    document.update((n, _cut(given[n])) for n in Fields.__annotations__ if n in given)
    return redacted(json.dumps(document))


def _cut(value: object) -> object:
    if isinstance(value, str):
        return value[:_TEXT_MAX]
    if isinstance(value, list):
        return [_cut(item) for item in value]
    return value
