"""What a response or an error means: a finding with what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import httpx

from sgguard.errors import (
    CloudError,
    DeadlineError,
    ForbiddenError,
    NotFoundError,
    SettingsError,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.model.resource import Limit, Visibility
from sgguard.operations.doctor.checkup import Clock, Finding, Weight
from sgguard.policy import Policy
from sgguard.providers import Grant, PermissionCheck, Probe
from sgguard.settings import variable_part

_DRIFT = 5
"""A clock that is off by more than this fraction (1/5) of what is accepted gets a note."""

_FAR = tuple(Visibility)
"""From the narrowest view to the widest."""

_WIDER = "use administrator credentials where the cloud has them"

# Errors that every call would get: after one of them no other call is made.
_EVERYWHERE = (
    UnauthenticatedError,
    UnreachableError,
    SettingsError,
    DeadlineError,
)

_MESSAGES: dict[type[SgguardError], tuple[str, str, str]] = {
    SettingsError: ("settings-refused", "{error}", "change the setting, or give --region"),
    ThrottledError: (
        "throttled",
        "the cloud throttles these calls",
        "run again in a minute: other clients may use up this account's rate",
    ),
    UnavailableError: (
        "unavailable",
        "the cloud reports an internal error ({code})",
        "run again later",
    ),
    DeadlineError: (
        "too-slow",
        "the deadline passed before every call was made",
        "run again, or raise SGGUARD_DEADLINE_S",
    ),
}


def is_about_everything(error: SgguardError | None, probe: Probe) -> bool:
    """Tell whether every other call would end with the same error."""
    return isinstance(error, _EVERYWHERE) or _has_code(error, probe.region_codes)


def grant_of(error: SgguardError | None, probe: Probe) -> Grant:
    """Return what the result of a call shows about its permission.

    Clouds check the permission before they look up the id, so "not found" means granted.
    """
    if error is None:
        return Grant.GRANTED
    if _has_code(error, probe.region_codes):
        return Grant.NOT_TOLD
    if _has_code(error, probe.absent_codes):
        return Grant.ABSENT
    if isinstance(error, NotFoundError):
        return Grant.GRANTED
    return Grant.MISSING if isinstance(error, ForbiddenError) else Grant.NOT_TOLD


def of_reply(
    question: PermissionCheck, grant: Grant, error: SgguardError | None, *, systemic: Finding | None
) -> Finding | None:
    """Return the finding of one call, None when it is as expected."""
    if systemic is not None:
        return systemic
    weight: Weight = "problem" if question.need == "read" else "note"
    named = f"{question.brings}: {question.action}"
    if grant is Grant.MISSING and error is not None:
        message = f"{named} is refused ({_brief(error)})"
        return Finding("permission-missing", message, f"grant {question.grant}", weight)
    if grant is Grant.ABSENT:
        if question.if_absent:
            message = f"{named} is not offered here"
            return Finding("api-absent", message, question.if_absent, "note")
        remedy = "none: verdicts that need it are blocked here"
        return Finding("api-absent", f"{named} is not offered here", remedy, weight)
    if grant is Grant.NOT_TOLD and question.need == "read":
        return _not_told(question, named, error)
    return None


def _not_told(question: PermissionCheck, named: str, error: SgguardError | None) -> Finding | None:
    """Return the finding of a read that shows no permission; None where none would show it."""
    if error is not None:
        remedy = "check that the endpoint is this cloud's API; if it is, report this as a bug"
        return Finding("unclear", f"{named} ended with {_brief(error)}", remedy)
    if question.why_untested:
        return None
    message = f"{named} shows nothing, and nothing proves that there is nothing"
    remedy = f"grant {question.grant}; without a proof, verdicts that need it are blocked"
    return Finding("not-proved", message, remedy, "note")


def of_error(
    error: SgguardError, probe: Probe, clock: Clock | None, *, region: str, credentials: str
) -> Finding | None:
    """Return the finding of an error that is not about one permission, None when it is."""
    if isinstance(error, UnauthenticatedError):
        return _unauthenticated(error, probe, clock, credentials)
    if isinstance(error, UnreachableError):
        return _unreachable(error)
    if _has_code(error, probe.region_codes):
        message = f"{_code(error)}: these credentials have no region {region!r} here"
        remedy = "give another one with --region, or correct the project where one is set"
        return Finding("no-such-region", message, remedy)
    for kind, (code, message, remedy) in _MESSAGES.items():
        if isinstance(error, kind):
            return Finding(code, message.format(error=one_line(error), code=_code(error)), remedy)
    return None


def of_endpoint(error: SgguardError) -> Finding:
    """Return the finding of an endpoint that could not be called."""
    if isinstance(error, CloudError):
        return _unreachable(error)
    code, message, remedy = _MESSAGES[DeadlineError]
    return Finding(code, message, remedy)


def _unreachable(error: CloudError) -> Finding:
    variable = f"SGGUARD_ENDPOINT_{variable_part(error.provider)}"
    remedy = f"check network, proxy and the region's name (and {variable}, where it is set)"
    return Finding("unreachable", f"no response from {error.detail or error.code}", remedy)


def of_clock(clock: Clock) -> Finding | None:
    """Return the finding of a wrong clock, None when it is right."""
    limit = f"{clock.tolerance_s:.0f} s"
    message = f"the clock here is {clock} of the cloud's"
    remedy = "synchronise this machine's clock, for example with NTP"
    if not clock.is_accepted:
        return Finding("clock-off", f"{message}; at most {limit} are accepted", remedy)
    if abs(clock.ahead_s) > clock.tolerance_s / _DRIFT:
        return Finding(
            "clock-drifts", f"{message}; beyond {limit} requests are refused", remedy, "note"
        )
    return None


def of_view(visibility: Visibility | None, policy: Policy) -> list[Finding]:
    """Return a finding where these credentials see less than required, or one project only."""
    if visibility is None:
        return []
    required = (policy.delete.require_visibility, policy.launch.require_visibility)
    wanted = max((_FAR.index(one) for one in required if one is not None), default=0)
    if wanted > _FAR.index(visibility):
        message = f"these credentials see one {visibility}, the policy requires {_FAR[wanted]}"
        return [Finding("view-too-narrow", message, f"{_WIDER}, or require less in the policy")]
    if visibility is Visibility.PROJECT:
        message = "these credentials see one project, not the rules and bindings of others"
        remedy = f"a group that may be shared is blocked; to see more, {_WIDER}"
        return [Finding("project-only", message, remedy, "note")]
    return []


def of_limits(limits: Sequence[Limit], provider: str) -> list[Finding]:
    """Return a note when limits are not the account's own."""
    ceilings = [limit for limit in limits if limit.ceiling is not None]
    documented = [limit for limit in ceilings if limit.source == "documented"]
    if not documented:
        return []
    many = "all" if len(documented) == len(ceilings) else f"{len(documented)} of {len(ceilings)}"
    message = f"{many} limits are documented values, not read live"
    remedy = f"where yours differ, set them in the policy: [limits.{provider}]"
    return [Finding("limits-documented", message, remedy, "note")]


def one_line(error: BaseException) -> str:
    """Return an error's own words on one line."""
    return " ".join(str(error).split())


def _unauthenticated(
    error: UnauthenticatedError, probe: Probe, clock: Clock | None, credentials: str
) -> Finding:
    # The text of a refused signature may quote the signed request, so it is not repeated.
    if clock is not None and not clock.is_accepted:
        return of_clock(clock) or _refused(error, credentials)
    if _has_code(error, probe.skew_codes):
        return Finding(
            "clock-off",
            f"{error.code}: the cloud refuses our time and does not report the difference",
            "synchronise this machine's clock, for example with NTP",
        )
    return _refused(error, credentials)


def _refused(error: UnauthenticatedError, credentials: str) -> Finding:
    return Finding(
        "credentials-refused",
        f"{error.code or 'refused'}: the cloud does not accept these credentials",
        f"check {credentials}, and the session token where there is one",
    )


def _has_code(error: SgguardError | None, patterns: Sequence[str]) -> bool:
    code = getattr(error, "code", "")
    return bool(code) and any(fnmatchcase(code, pattern) for pattern in patterns)


def _code(error: SgguardError) -> str:
    return str(getattr(error, "code", "") or type(error).__name__)


def _brief(error: SgguardError) -> str:
    """Return code and status of a cloud's refusal; its text belongs in the log only."""
    if not isinstance(error, CloudError):
        return one_line(error)
    is_refusal = (error.status or 0) >= httpx.codes.BAD_REQUEST  # some clouds refuse with 200
    status = f"HTTP {error.status}" if is_refusal else ""
    detail = error.detail if isinstance(error, UnknownShapeError) else ""
    return ", ".join(filter(None, (error.code, status, detail))) or type(error).__name__
