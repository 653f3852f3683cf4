"""An example of every problem there is, described as a function describes it."""

from __future__ import annotations

from sgguard.errors import (
    BudgetError,
    BusyError,
    CredentialsError,
    DeadlineError,
    EventError,
    HaltedError,
    InputError,
    KeysError,
    Problem,
    SettingsError,
    StoreError,
    ThrottledError,
    UnavailableError,
    UntrustedError,
)
from sgguard.events.base import unknown_format
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal
from sgguard.web import problem
from sgguard.web.problem import Details

_CALL = ("tencent", "DescribeSecurityGroups")

_ERRORS: dict[str, Exception] = {
    "invalid-event": refusal(
        EventError,
        said("unread.data"),
        problems=(Problem("/targte", said("wrong.unknown-key"), "target"),),
    ),
    "untrusted": UntrustedError("it has no proof of any caller"),
    "not-permitted": refusal(
        EventError, said("caller.function", caller="portal", function="delete_request"), status=403
    ),
    "budget": refusal(
        BudgetError, said("caller.budget", caller="portal", most=60, what="decisions")
    ),
    "keys": KeysError("the issuer's keys cannot be fetched"),
    "unknown": refusal(EventError, said("chat.no-decision"), status=404),
    "answered": EventError("it was approved by ada already", status=409),
    "over": refusal(EventError, said("link.expired"), status=410),
    "too-large": refusal(EventError, said("unread.too-large", bytes=1048576), status=413),
    "unknown-format": unknown_format("content-type", "application/json"),
    "not-possible": InputError("tencent has no region 'mars-1'", part="region"),
    "throttled": ThrottledError(*_CALL, code="RequestLimitExceeded", retry_after_s=2.0),
    "cloud-unavailable": UnavailableError(*_CALL, code="InternalError", status=500),
    "credentials": CredentialsError("TENCENTCLOUD_SECRET_KEY is not set"),
    "settings": SettingsError("SGGUARD_MODE: expected observe, approve or enforce"),
    "deadline": DeadlineError("the time for this event is used up"),
    "busy": refusal(BusyError, said("event.busy")),
    "halted": HaltedError("all changes are halted: maintenance"),
    "store": StoreError("what is kept between deliveries cannot be read or written now"),
}
_INCIDENT = "4e0f6a2b9c8d4f7e8a1b2c3d4e5f6a7b"


def _all() -> dict[str, Details]:
    found = {slug: problem.described(error) for slug, error in _ERRORS.items()}
    found["method-not-allowed"] = problem.method_not_allowed("PUT")
    internal = problem.described(RuntimeError())
    internal.document.update(
        incident_id=_INCIDENT,
        detail=internal.document["detail"].replace(internal.document["incident_id"], _INCIDENT),
    )
    return {**found, "internal": internal}


PROBLEMS = _all()
"""One example of each kind of problem, by the end of its type."""
