"""What went wrong, as RFC 9457 problem details: status, words, and when to ask again.

A problem tells its reader what to do and nothing else: no header, no body, no credential. A
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

from sgguard import logs
from sgguard.errors import (
    BusyError,
    CloudError,
    CredentialsError,
    DeadlineError,
    EventError,
    HaltedError,
    InputError,
    SettingsError,
    SgguardError,
    StoreError,
    ThrottledError,
    UnauthenticatedError,
)

BASE = "https://sgguard.dev/problems/"

_OPERATOR_RETRY_S = 60.0
_CLOUD_RETRY_S = 5.0
_RETRY_MAX_S = 3600.0
"""However long a cloud says to wait: a sender that heeds a nonsense would never come back."""


@dataclass(frozen=True, slots=True)
class Details:
    """One problem, ready to be answered. ``retry_after_s`` is None when asking again is useless."""

    status: int
    document: dict[str, Any]
    retry_after_s: int | None = None


def of(error: Exception, *, event_id: str = "", pointer: str = "") -> Details:
    """Describe an error and write its log line.

    ``pointer`` is where the event's data stood in the body; problems in the data are shown there.
    """
    if isinstance(error, EventError):
        details = _details(_slug(error.status), error.status, str(error))
        if error.problems:
            details.document["problems"] = [
                # What concerns a header has no leading slash and stays as it is.
                asdict(p) | {"path": pointer + p.path if p.path[:1] in ("", "/") else p.path}
                for p in error.problems
            ]
    elif isinstance(error, InputError):
        details = _details("not-possible", 422, str(error))
    elif isinstance(error, CloudError):
        details = _cloud(error)
    elif isinstance(error, SgguardError):
        details = _ours(error)
    else:
        return _unexpected(error, event_id)
    if event_id:
        details.document["event_id"] = event_id
    _log(error, details, event_id)
    return details


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
    "invalid-event": "The event cannot be read",
    "not-permitted": "Somebody else may do this",
    "unknown": "There is no such thing",
    "answered": "Somebody answered this already",
    "over": "The time for this is over",
    "too-large": "The event is too large",
    "unknown-format": "The event is of an unknown format",
    "not-possible": "The event asks for something that is not possible",
    "method-not-allowed": "Only POST asks a question",
    "throttled": "The cloud asks for patience",
    "cloud-unavailable": "The cloud could not be asked",
    "credentials": "The cloud refused the credentials, or there are none",
    "settings": "The function is not set up correctly",
    "deadline": "The time for this event is used up",
    "busy": "Somebody works on this already",
    "halted": "All changes are stopped",
    "store": "What is kept between deliveries cannot be used",
    "internal": "Something unexpected happened",
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


def method_not_allowed(method: str) -> Details:
    """Describe a request with a method that no function answers."""
    return _details("method-not-allowed", 405, f"{method[:16]} is not answered here: use POST")


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
    if isinstance(error, ThrottledError):
        return _details("throttled", 429, str(error), wait_s or _CLOUD_RETRY_S, **reported)
    return _details("cloud-unavailable", 503, str(error), wait_s or _CLOUD_RETRY_S, **reported)


_OURS: tuple[tuple[type[SgguardError], str, int], ...] = (
    (DeadlineError, "deadline", 503),
    (CredentialsError, "credentials", 503),
    (SettingsError, "settings", 503),
    (BusyError, "busy", 409),
    (HaltedError, "halted", 503),
    (StoreError, "store", 503),
)


def _ours(error: SgguardError) -> Details:
    for kind, slug, status in _OURS:
        if isinstance(error, kind):
            is_operators = isinstance(error, SettingsError)
            wait_s = _OPERATOR_RETRY_S if is_operators else error.retry_after_s
            return _details(slug, status, str(error), wait_s)
    return _details("internal", 500, str(error))


def _unexpected(
    error: Exception, event_id: str, new_id: Callable[[], str] = lambda: uuid.uuid4().hex
) -> Details:
    """Describe a bug: the answer has a number only, the log its place. Texts could quote."""
    incident_id = new_id()
    logs.log(
        logging.ERROR,
        "unexpected",
        event_id=event_id,
        incident_id=incident_id,
        error=type(error).__name__,
        where=_where(error),
    )
    detail = f"tell the operator the incident {incident_id}: the log has the place"
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
    if isinstance(error, SettingsError):
        fields["detail"] = str(error)
    logs.log(_LEVELS[error.fault], "not decided", **fields)
