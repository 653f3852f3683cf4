"""Errors as RFC 9457 problem details: status, title, detail, and when to retry.

A problem contains what the sender needs and nothing else: no header, no body, no credential. A
cloud's free text is left out where a signature was refused, because some clouds quote the signed
request there, session token included.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

from sgguard.errors import (
    ApiAbsentError,
    BudgetError,
    BusyError,
    CloudError,
    CredentialsError,
    DeadlineError,
    EventError,
    HaltedError,
    InputError,
    InvalidRequestError,
    KeysError,
    NotSetUpError,
    SettingsError,
    SgguardError,
    StoreError,
    ThrottledError,
    UnauthenticatedError,
    UntrustedError,
)
from sgguard.telemetry import logs, metrics, registry
from sgguard.web import place

BASE = "https://sgguard.dev/problems/"

_IMPOSSIBLE = 422
_FORBIDDEN = 403
_FOR_THE_LOG: dict[type[SgguardError], str] = {
    UntrustedError: "this request does not prove who sent it: the log of the function says why",
    KeysError: "what callers prove cannot be checked now: send the event again later",
}
"""What is told in place of the text of an error that is for the log alone."""
_OPERATOR_RETRY_S = 60.0
_CLOUD_RETRY_S = 5.0
_RETRY_MAX_S = 3600.0
"""The longest wait that is passed on, whatever a cloud asks for: an hour."""


@dataclass(frozen=True, slots=True)
class Details:
    """One problem, ready to be sent. ``retry_after_s`` is None where a retry cannot succeed."""

    status: int
    document: dict[str, Any]
    retry_after_s: int | None = None


def of(error: Exception, *, event_id: str = "", pointer: str = "", data: object = None) -> Details:
    """Describe an error and write its log line.

    ``pointer`` is the JSON pointer to the event's data in the body; problems in the data get it.
    ``data`` is that of an event that could be read: what is impossible about it gets its path.
    """
    if isinstance(error, EventError):
        details = _details(_slug(error.status), error.status, str(error))
    elif isinstance(error, InputError):
        details = _details("not-possible", 422, str(error))
    elif isinstance(error, CloudError):
        details = _cloud(error)
    elif isinstance(error, SgguardError):
        details = _of_kind(error)
    else:
        return _unexpected(error, event_id)
    metrics.count(registry.PROBLEMS, problem=details.document["type"].removeprefix(BASE))
    _add_problems(details, error, pointer, data)
    if event_id:
        details.document["event_id"] = event_id
    _log(error, details, event_id)
    return details


def _add_problems(details: Details, error: Exception, pointer: str, data: object) -> None:
    found = error.problems if isinstance(error, EventError) else ()
    if not found and data is not None and details.status == _IMPOSSIBLE:
        found = place.problems_of(error, data)
    if found:
        details.document["problems"] = [
            # The path of a header has no leading slash and stays as it is.
            asdict(p) | {"path": pointer + p.path if p.path[:1] in ("", "/") else p.path}
            for p in found
        ]


def _slug(status: int) -> str:
    return {
        400: "invalid-event",
        403: "not-permitted",
        404: "unknown",
        409: "answered",
        410: "over",
        413: "too-large",
        415: "unknown-format",
    }.get(status, "not-possible")


_TITLES = {
    "invalid-event": "Invalid event",
    "untrusted": "Not authenticated",
    "not-permitted": "Forbidden",
    "budget": "Budget used up",
    "keys": "Caller cannot be verified now",
    "unknown": "Not found",
    "answered": "Already approved or denied",
    "over": "Link expired",
    "too-large": "Event too large",
    "unknown-format": "Unsupported event format",
    "not-possible": "Request not possible",
    "method-not-allowed": "Method not allowed",
    "throttled": "Too many requests to the cloud",
    "cloud-unavailable": "Cloud unavailable",
    "credentials": "Cloud credentials missing or refused",
    "settings": "Invalid settings",
    "deadline": "Deadline exceeded",
    "busy": "Already in progress",
    "halted": "Changes are halted",
    "store": "Store unavailable",
    "internal": "Internal error",
}


def _details(
    slug: str, status: int, detail: str, retry_after_s: float | None = None, **more: Any
) -> Details:
    retry = None if retry_after_s is None else max(1, math.ceil(min(retry_after_s, _RETRY_MAX_S)))
    document = {
        "type": BASE + slug,
        "title": _TITLES[slug],
        "status": status,
        "detail": detail,
        **{name: value for name, value in more.items() if value},
    }
    return Details(status, document, retry)


def not_found(path_prefix: str) -> Details:
    """Describe a request to a path where nothing is."""
    known = ", ".join(f"{path_prefix}{path}" for path in ("/", "/healthz", "/readyz"))
    hint = "SGGUARD_PATH_PREFIX names the part that a gateway puts before them"
    return _details("unknown", 404, f"known paths: {known}; {hint}")


def method_not_allowed(method: str) -> Details:
    """Describe a request with a method that no function accepts."""
    return _details("method-not-allowed", 405, f"{method[:16]} is not supported: use POST")


def _cloud(error: CloudError) -> Details:
    reported = {
        "provider": error.provider,
        "action": error.action,
        "code": error.code,
        "request_id": error.request_id,
    }
    wait_s = error.retry_after_s
    if isinstance(error, UnauthenticatedError):
        detail = f"{error.provider} {error.action}: refused with {error.code or 'no code'}"
        return _details("credentials", 503, detail, _OPERATOR_RETRY_S, **reported)
    if isinstance(error, InvalidRequestError | ApiAbsentError):
        return _details("not-possible", 422, str(error), None, **reported)
    if isinstance(error, ThrottledError):
        return _details("throttled", 429, str(error), wait_s or _CLOUD_RETRY_S, **reported)
    return _details("cloud-unavailable", 503, str(error), wait_s or _CLOUD_RETRY_S, **reported)


_KINDS: tuple[tuple[type[SgguardError], str, int], ...] = (
    (DeadlineError, "deadline", 503),
    (NotSetUpError, "not-possible", 422),
    (CredentialsError, "credentials", 503),
    (SettingsError, "settings", 503),
    (UntrustedError, "untrusted", 401),
    (BudgetError, "budget", 429),
    (KeysError, "keys", 503),
    (BusyError, "busy", 409),
    (HaltedError, "halted", 503),
    (StoreError, "store", 503),
)


def _of_kind(error: SgguardError) -> Details:
    for kind, slug, status in _KINDS:
        if isinstance(error, kind):
            wait_s = error.retry_after_s
            if isinstance(error, SettingsError):
                wait_s = None if status == _IMPOSSIBLE else _OPERATOR_RETRY_S
            # Whoever is told has proven nothing: where secrets and keys are is for the log.
            detail = _FOR_THE_LOG.get(kind) or str(error)
            return _details(slug, status, detail, wait_s)
    return _details("internal", 500, str(error))


def _unexpected(
    error: Exception, event_id: str, new_id: Callable[[], str] = lambda: uuid.uuid4().hex
) -> Details:
    """Describe a bug: the response has only an incident id, the log its place.

    The error's own text is left out: it could quote credentials.
    """
    incident_id = new_id()
    metrics.count(registry.PROBLEMS, problem="internal")
    logs.log(
        logging.ERROR,
        "unexpected",
        event_id=event_id,
        incident_id=incident_id,
        error=type(error).__name__,
        where=_where(error),
    )
    detail = f"report the incident {incident_id} to the operator: the log has its details"
    more = {"incident_id": incident_id, "event_id": event_id}
    return _details("internal", 500, detail, None, **more)


def _where(error: Exception) -> str:
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{PurePath(code.co_filename).name}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next
    return place


_LEVELS = {"caller": logging.INFO, "cloud": logging.WARNING, "operator": logging.ERROR}


def _log(error: SgguardError, details: Details, event_id: str) -> None:
    fields: logs.Fields = {"error": type(error).__name__, "status": details.status}
    if event_id:
        fields["event_id"] = event_id
    if isinstance(error, CloudError):
        fields["provider"] = error.provider
        fields["action"] = error.action
        fields["code"] = error.code
        fields["request_id"] = error.request_id
    if isinstance(error, SettingsError | KeysError | UntrustedError):
        fields["detail"] = str(error)
    if isinstance(error, EventError) and error.status == _FORBIDDEN:
        fields["detail"] = str(error)
    logs.log(_LEVELS[error.fault], "not decided", **fields)
