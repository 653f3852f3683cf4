"""Errors as RFC 9457 problem details: status, title, detail, and when to retry.

A problem contains what the sender needs and nothing else: no header, no body, no credential. A
cloud's free text is left out where a signature was refused, because some clouds quote the signed
request there, session token included.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

import msgspec

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
from sgguard.model.sentence import Sentence, listed, said
from sgguard.render.language.refusal import problem_json, sentence_of
from sgguard.render.language.sentence import whole_english
from sgguard.render.said import sentence_json
from sgguard.telemetry import logs, metrics, registry
from sgguard.web import place

BASE = "https://sgguard.dev/problems/"

DOCUMENT = "/openapi.json"
"""Where a function describes itself (:mod:`sgguard.web.openapi`)."""

WATCHED = ("/healthz", "/readyz", DOCUMENT)
"""The paths of a function beside those of its events: they are read and change nothing."""

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


class Details(msgspec.Struct, frozen=True):
    """One problem, ready to be sent. ``retry_after_s`` is None where a retry cannot succeed."""

    status: int
    document: dict[str, Any]
    retry_after_s: int | None = None


def of(error: Exception, *, event_id: str = "", pointer: str = "", data: object = None) -> Details:
    """Describe an error (:func:`described`) and write its log line."""
    details = described(error, event_id=event_id, pointer=pointer, data=data)
    metrics.count(registry.PROBLEMS, problem=details.document["type"].removeprefix(BASE))
    if isinstance(error, SgguardError):
        _log(error, details, event_id)
    else:
        _log_unexpected(error, details, event_id)
    return details


def described(
    error: Exception, *, event_id: str = "", pointer: str = "", data: object = None
) -> Details:
    """Describe an error.

    ``pointer`` is the JSON pointer to the event's data in the body; problems in the data get it.
    ``data`` is that of an event that could be read: what is impossible about it gets its path.
    """
    if isinstance(error, EventError):
        details = _details(_SLUGS.get(error.status, "not-possible"), str(error))
    elif isinstance(error, InputError):
        details = _details("not-possible", str(error))
    elif isinstance(error, CloudError):
        details = _cloud(error)
    elif isinstance(error, SgguardError):
        details = _of_kind(error)
    else:
        return _unexpected(event_id)
    _add_problems(details, error, pointer, data)
    sentence = sentence_of(error)
    if sentence is not None and type(error) not in _FOR_THE_LOG:
        details.document["sentence"] = sentence_json(sentence)
    if event_id:
        details.document["event_id"] = event_id
    return details


def _add_problems(details: Details, error: Exception, pointer: str, data: object) -> None:
    found = error.problems if isinstance(error, EventError) else ()
    if not found and data is not None and details.status == _IMPOSSIBLE:
        found = place.problems_of(error, data)
    if found:
        details.document["problems"] = [
            # The path of a header has no leading slash and stays as it is.
            problem_json(p) | {"path": pointer + p.path if p.path[:1] in ("", "/") else p.path}
            for p in found
        ]


PROBLEMS: dict[str, tuple[int, str]] = {
    "invalid-event": (400, "Invalid event"),
    "untrusted": (401, "Not authenticated"),
    "not-permitted": (403, "Forbidden"),
    "budget": (429, "Budget used up"),
    "keys": (503, "Caller cannot be verified now"),
    "unknown": (404, "Not found"),
    "answered": (409, "Already approved or denied"),
    "over": (410, "Link expired"),
    "too-large": (413, "Event too large"),
    "unknown-format": (415, "Unsupported event format"),
    "not-possible": (422, "Request not possible"),
    "method-not-allowed": (405, "Method not allowed"),
    "throttled": (429, "Too many requests to the cloud"),
    "cloud-unavailable": (503, "Cloud unavailable"),
    "credentials": (503, "Cloud credentials missing or refused"),
    "settings": (503, "Invalid settings"),
    "deadline": (503, "Deadline exceeded"),
    "busy": (409, "Already in progress"),
    "halted": (503, "Changes are halted"),
    "store": (503, "Store unavailable"),
    "internal": (500, "Internal error"),
}
"""Every problem by the end of its type: status and title. The OpenAPI document is made of it."""

_SLUGS = {
    400: "invalid-event",
    403: "not-permitted",
    404: "unknown",
    409: "answered",
    410: "over",
    413: "too-large",
    415: "unknown-format",
}
"""The problem of an ``EventError`` by its status; any other is ``not-possible``."""


def _details(slug: str, detail: str, retry_after_s: float | None = None, **more: Any) -> Details:
    status, title = PROBLEMS[slug]
    retry = None if retry_after_s is None else max(1, math.ceil(min(retry_after_s, _RETRY_MAX_S)))
    document = {
        "type": BASE + slug,
        "title": title,
        "status": status,
        "detail": detail,
        **{name: value for name, value in more.items() if value},
    }
    return Details(status, document, retry)


def not_found(path_prefix: str) -> Details:
    """Describe a request to a path where nothing is."""
    known = listed(f"{path_prefix}{path}" for path in ("/", *WATCHED))
    return _told("unknown", said("unread.paths", known=known, variable="SGGUARD_PATH_PREFIX"))


def no_function(names: Iterable[str]) -> Details:
    """Describe a request to a path of a server where no function is."""
    return _told("unknown", said("unread.no-function", known=listed(names)))


def method_not_allowed(method: str, right: str = "POST") -> Details:
    """Describe a request with a method that is not accepted where it was sent."""
    found = said("unread.method", method=method[:16], right=right)
    return _told("method-not-allowed", found)


def _told(slug: str, sentence: Sentence) -> Details:
    return _details(slug, whole_english(sentence), sentence=sentence_json(sentence))


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
        return _details("credentials", detail, _OPERATOR_RETRY_S, **reported)
    if isinstance(error, InvalidRequestError | ApiAbsentError):
        return _details("not-possible", str(error), None, **reported)
    if isinstance(error, ThrottledError):
        return _details("throttled", str(error), wait_s or _CLOUD_RETRY_S, **reported)
    return _details("cloud-unavailable", str(error), wait_s or _CLOUD_RETRY_S, **reported)


_KINDS: tuple[tuple[type[SgguardError], str], ...] = (
    (DeadlineError, "deadline"),
    (NotSetUpError, "not-possible"),
    (CredentialsError, "credentials"),
    (SettingsError, "settings"),
    (UntrustedError, "untrusted"),
    (BudgetError, "budget"),
    (KeysError, "keys"),
    (BusyError, "busy"),
    (HaltedError, "halted"),
    (StoreError, "store"),
)


def _of_kind(error: SgguardError) -> Details:
    for kind, slug in _KINDS:
        if isinstance(error, kind):
            wait_s = error.retry_after_s
            if isinstance(error, SettingsError):
                wait_s = None if isinstance(error, NotSetUpError) else _OPERATOR_RETRY_S
            # Whoever is told has proven nothing: where secrets and keys are is for the log.
            detail = _FOR_THE_LOG.get(kind) or str(error)
            return _details(slug, detail, wait_s)
    return _details("internal", str(error))


def _unexpected(event_id: str, new_id: Callable[[], str] = lambda: uuid.uuid4().hex) -> Details:
    """Describe a bug: the response has only an incident id, the log its place.

    The error's own text is left out: it could quote credentials.
    """
    incident_id = new_id()
    detail = f"report the incident {incident_id} to the operator: the log has its details"
    return _details("internal", detail, None, incident_id=incident_id, event_id=event_id)


def _log_unexpected(error: Exception, details: Details, event_id: str) -> None:
    logs.log(
        logging.ERROR,
        "unexpected",
        event_id=event_id,
        incident_id=details.document["incident_id"],
        error=type(error).__name__,
        where=_where(error),
    )


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
