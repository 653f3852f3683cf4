"""Every error sgguard raises on purpose.

::

    SgguardError
    ├── InputError            the request is wrong; asking again unchanged will not help
    │   ├── AddressError      a group address that cannot be read
    │   └── EventError        an event, body or header that cannot be read (lists every problem)
    ├── SettingsError         the operator's configuration is wrong
    │   ├── CredentialsError  no usable credentials for a cloud
    │   │   └── NotSetUpError no variable of that cloud is set here at all
    │   └── PolicyError       a policy file that cannot be used
    ├── DeadlineError         the time for this event is used up
    ├── UntrustedError        a request that proves no caller
    ├── BudgetError           a caller asked more often than it may
    ├── KeysError             what a proof is checked with cannot be read now
    ├── BusyError             the same event, or a group it changes, is being worked on
    ├── HaltedError           an operator stopped all changes
    ├── StoreError            what is kept between deliveries cannot be read or written
    │   └── LeaseLostError    another worker took over: stop at once
    └── CloudError            a cloud's answer, or the lack of one
        ├── UnreachableError  no answer came
        ├── ThrottledError    asked too often
        ├── UnavailableError  the cloud has a problem of its own (5xx, "try again later")
        ├── UnauthenticatedError  signature, key, token or clock was refused
        ├── ForbiddenError    known caller, missing permission
        ├── InvalidRequestError   the cloud says that what was asked cannot exist
        ├── ApiAbsentError    the cloud does not offer this call here
        ├── NotFoundError     the thing asked for does not exist (or is hidden)
        ├── InUseError        refused because something references or carries the group
        ├── LimitError        refused because a documented limit would break
        ├── ConflictError     what was to be changed is no longer what it was
        └── UnknownShapeError an answer that is not what the document describes
            └── GarbledError  not even of its format: a page of HTML, half a document

Three questions are answered by attributes of every one of them: may the same call be made again
(``is_retryable``, ``retry_after_s``), whose fault it is (``fault``), and whether a change that
ended so is known not to have been made (``is_outcome_known``).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from sgguard.telemetry.redaction import redacted_outside

Fault = Literal["caller", "operator", "cloud"]
Part = Literal["", "provider", "account", "region"]
"""A part of a request that a cloud, or what is set up here, decides about."""

_FREE_TEXT_MAX = 256
_CODE_MAX = 128


class SgguardError(Exception):
    """Something sgguard knows how to explain; show ``str(error)`` to the person who asked."""

    fault: ClassVar[Fault] = "operator"
    is_retryable: ClassVar[bool] = False
    is_outcome_known: ClassVar[bool] = True
    retry_after_s: float | None = None
    sentence: object = None  # as ``render/language/refusal.py`` makes it


class InputError(SgguardError):
    """The request is wrong, in this ``part`` alone if one is named: do not retry it."""

    fault: ClassVar[Fault] = "caller"

    def __init__(self, message: str, *, part: Part = "") -> None:
        super().__init__(message)
        self.part = part


class AddressError(InputError):
    """A group address is not ``provider:account:region:group-id``: show the message."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with an event: where (a JSON pointer), what, and what would be right."""

    path: str
    problem: object  # a text or a sentence, as ``render/language/refusal.py`` reads both
    expected: object = ""


class EventError(InputError):
    """An event cannot be read: answer ``status`` with every problem, never retry.

    ``status`` is the HTTP status to answer with: 400 malformed, 413 too large, 415 unknown
    format, 422 well-formed but impossible. Of a decision on an approval request: 403 not theirs to
    give, 404 no such approval request, 409 decided already, 410 too late.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        problems: tuple[Problem, ...] = (),
        part: Part = "",
    ) -> None:
        super().__init__(message, part=part)
        self.status = status
        self.problems = problems


class SettingsError(SgguardError):
    """A setting is missing or wrong: the operator must change it, retrying is pointless."""


class CredentialsError(SettingsError):
    """No usable credentials: name the variables to set."""


class NotSetUpError(CredentialsError):
    """Nothing of the cloud is set up here: answer 422; of a half of it 503, for it is a slip."""


class PolicyError(SettingsError):
    """A policy file is wrong: refuse to start, name the file, the path and what would be right."""


class DeadlineError(SgguardError):
    """The event's time is used up: answer 503 so that the sender delivers it again."""

    fault: ClassVar[Fault] = "cloud"
    is_outcome_known: ClassVar[bool] = False
    retry_after_s: float | None = 1.0


class UntrustedError(SgguardError):
    """A request proves no caller: answer 401 and nothing else; its text is for the log alone."""

    fault: ClassVar[Fault] = "caller"


class BudgetError(SgguardError):
    """A caller asked more often than its budget permits: answer 429, ask again later."""

    fault: ClassVar[Fault] = "caller"
    retry_after_s: float | None = 60.0


class KeysError(SgguardError):
    """What a proof is checked with cannot be read now: answer 503, for a 401 would be lost."""

    retry_after_s: float | None = 30.0


class BusyError(SgguardError):
    """Somebody else works on the same event or group: answer 409, ask again a little later."""

    fault: ClassVar[Fault] = "caller"
    retry_after_s: float | None = 5.0


class MovedError(BusyError):
    """What was read is no longer so: read and judge again, or answer 409; no verdict is kept."""

    retry_after_s: float | None = 1.0


class LateError(SgguardError):
    """A newer event about the same was decided before: nothing is changed for this one."""


class HaltedError(SgguardError):
    """An operator stopped all changes; what was begun stays in the journal until they go on."""

    retry_after_s: float | None = 60.0


class StoreError(SgguardError):
    """What is kept between deliveries cannot be read or written: nothing is changed without it."""

    retry_after_s: float | None = 5.0


class LeaseLostError(StoreError):
    """The lease ran out and another worker took over: stop at once, the work is theirs."""


class CloudError(SgguardError):
    """A cloud answered with an error: see ``provider``, ``action``, ``code`` and ``status``.

    ``request_id`` is the vendor's own, for its support. ``detail`` is the vendor's text, cut to
    256 characters; match on ``code``, never on it. ``code`` and ``request_id`` are cut to 128:
    longer ones are no codes but something that was put in their place. Secrets and characters that
    cannot be printed are taken out of all three. ``words`` is an explanation of our own instead of
    the vendor's: it is kept also where a vendor's text is not.
    """

    fault: ClassVar[Fault] = "cloud"
    _may_quote: ClassVar[bool] = True

    def __init__(
        self,
        provider: str,
        action: str,
        *,
        code: str = "",
        detail: str = "",
        words: str = "",
        status: int | None = None,
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        self.provider = provider
        self.action = action
        self.code = redacted_outside(code)[:_CODE_MAX]
        quoted = detail if self._may_quote else ""
        self.detail = redacted_outside(words or quoted)[:_FREE_TEXT_MAX]
        self.status = status
        self.request_id = redacted_outside(request_id)[:_CODE_MAX]
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s
        super().__init__(self._describe())

    def _describe(self) -> str:
        message = " ".join(part for part in (self.code, self.detail) if part) or type(self).__name__
        status = f" (HTTP {self.status})" if self.status else ""
        request = f" [request id {self.request_id}]" if self.request_id else ""
        return f"{self.provider} {self.action}: {message}{status}{request}"


class UnreachableError(CloudError):
    """No answer came (refused, reset, timed out, unknown host): retry, then answer 503.

    ``unconnected`` is the address to which no connection could be made; nothing was sent there.
    """

    unconnected: str = ""
    is_outcome_known: ClassVar[bool] = False
    is_retryable: ClassVar[bool] = True


class ThrottledError(CloudError):
    """Asked too often: wait ``retry_after_s`` (or back off) and ask again."""

    is_retryable: ClassVar[bool] = True


class UnavailableError(CloudError):
    """The cloud has a problem of its own: retry, then answer 503."""

    is_outcome_known: ClassVar[bool] = False
    is_retryable: ClassVar[bool] = True


class UnauthenticatedError(CloudError):
    """Signature, key, token or clock was refused: never retried, nor quoted: it has our request."""

    fault: ClassVar[Fault] = "operator"
    _may_quote: ClassVar[bool] = False


class ForbiddenError(CloudError):
    """A permission is missing: becomes ``unseen``; never retried, nor quoted (as above)."""

    fault: ClassVar[Fault] = "operator"
    _may_quote: ClassVar[bool] = False


class InvalidRequestError(CloudError):
    """The cloud says that a region, address or parameter cannot exist: answer 422, never retry."""

    fault: ClassVar[Fault] = "caller"


class ApiAbsentError(CloudError):
    """The cloud does not offer this call, here or any more: it is ``unseen``; never retried."""


class NotFoundError(CloudError):
    """What was asked for does not exist, or is hidden from these credentials."""


class InUseError(CloudError):
    """The cloud refused a delete because something references or carries the group."""


class LimitError(CloudError):
    """The cloud refused a change because one of its limits would break."""


class ConflictError(CloudError):
    """What was to be changed is no longer what it was: read again and think again."""


class UnknownShapeError(CloudError):
    """An answer is not what the document describes: it is never read as "nothing there"."""

    is_outcome_known: ClassVar[bool] = False


class GarbledError(UnknownShapeError):
    """An answer is not even of its format: ask once more, then treat it as an unknown shape."""
