"""One JSON line per event handled, with the fields an operator may see and no others.

Bodies, headers, addresses with credentials in them and vendors' texts have no field here, so
they cannot be written by mistake. Lines go to standard error; standard output belongs to the CLI.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypedDict, Unpack

from sgguard.telemetry import traces
from sgguard.telemetry.redaction import redacted

LOGGER = logging.getLogger("sgguard")
# Without a handler of ours nothing is printed: the CLI and programs that import us stay quiet.
LOGGER.addHandler(logging.NullHandler())

_TEXT_MAX = 256


class Fields(TypedDict, total=False):
    """Everything a line may say beside :data:`ALWAYS`; :data:`FIELDS` says what each means."""

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
    trace_id: str


ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "ts": "when, ISO 8601 in UTC with milliseconds",
        "level": "DEBUG, INFO, WARNING (look this week) or ERROR (look now)",
        "msg": "what happened: one of a fixed set of texts, such as `decided`",
    }
)
"""The fields that every line has, and what each means."""

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "event_id": "id of the event, as its sender gave it",
        "event_source": "source of the event",
        "function": "name of the function",
        "provider": "cloud: tencent, tencent-dfw, alibaba, huawei or openstack",
        "account": "name of the account; empty: the one of the credentials",
        "region": "region of the cloud",
        "groups": "ids of the groups that were judged",
        "instance": "id of the instance",
        "mode": "observe, approve or enforce",
        "verdict": "allow, block or remediate",
        "outcome": "what was done to the cloud",
        "reasons": "reason codes, in the order of the decision",
        "decision_id": "id of the decision, as `sgguard decisions show` takes it",
        "duration_ms": "how long it took, in milliseconds",
        "status": "HTTP status of the answer",
        "error": "class of the error",
        "detail": "a sentence of ours about it; never a body, a header or a credential",
        "code": "the cloud's own error code",
        "action": "the cloud's own name of the call",
        "request_id": "the cloud's own id of the call, for its support",
        "incident_id": "id that an answer with status 500 carries",
        "setting": "variable that is concerned",
        "where": "place: of an unexpected error in the code, else a channel or topic",
        "version": "version of sgguard",
        "policy": "path of the policy, and the beginning of its SHA-256",
        "store": "place of the store, without password",
        "providers": "clouds with credentials here",
        "caller": "name of the caller who asked",
        "callers": "names of the callers that may ask this function",
        "trace_id": "id of the trace, where SGGUARD_OTEL is set",
    }
)
"""What each field of a line means: the table in deploy/observability is made from it."""


def log(level: int, msg: str, **fields: Unpack[Fields]) -> None:
    """Write one line: ``msg`` is a constant event name, everything that varies is a field."""
    if LOGGER.isEnabledFor(level):
        if trace_id := traces.trace_id():
            fields["trace_id"] = trace_id
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
