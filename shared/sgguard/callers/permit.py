"""What a caller may ask for: which events, about which targets, and on whose behalf.

What tells one event from another must be vouched for. Where a proof covers the body and nothing
else, attributes in ``ce-`` headers are anybody's words: such events are refused, and one without
an id in its body gets the signed id, or the hash of the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar, runtime_checkable

from msgspec.structs import replace

from sgguard.errors import EventError, Problem
from sgguard.events.base import Delivery, Kind
from sgguard.model.address import Address, Scope
from sgguard.model.caller import Caller, Identity
from sgguard.model.event import Event
from sgguard.model.occurrence import Happened, Occurrence
from sgguard.model.request import BindRequest, DeleteRequest, LaunchRequest, RestRequest
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal

T = TypeVar("T")

Accounts = Mapping[str, str]
"""The name of the configured account of each cloud, where it has one."""


def require_covered(identity: Identity, headers: Mapping[str, str]) -> None:
    """Refuse attributes in headers that the proof does not cover.

    Raises:
        EventError: 403 there are some.
    """
    if identity.covers == "body" and any(name.startswith("ce-") for name in headers):
        uncovered = said("caller.uncovered", caller=identity.caller.name)
        raise refusal(EventError, uncovered, status=403)


def named(identity: Identity, delivery: Delivery) -> Delivery:
    """Return the delivery with an id for each event whose proof would let it be sent again."""
    if identity.covers == "request":
        return delivery
    items = tuple(
        one
        if isinstance(one, EventError) or one.is_named
        else replace(one, event_id=identity.signed_id or one.event_id, is_named=True)
        for one in delivery.items
    )
    return replace(delivery, items=items)


def require_event(identity: Identity, event: Event, kind: Kind) -> None:
    """Refuse a source or type that the caller may not send; a bare body has no source.

    Raises:
        EventError: 403 it may not.
    """
    caller = identity.caller
    for key, value in (("sources", event.source), ("types", kind.event_type)):
        patterns = getattr(caller, key)
        if patterns and not (value and any(fnmatchcase(value, one) for one in patterns)):
            raise _forbidden(caller, key, "the event's source or type")


_STARTS = (Happened.DELETE_REFUSED, Happened.DELETED, Happened.BOUND)
"""What an event of a cloud must tell to start anything; the rest is answered from itself."""


def permitted_occurrence(identity: Identity, one: Occurrence, accounts: Accounts) -> Occurrence:
    """Return what a cloud's own event tells, where the caller may let it be judged.

    Who called the cloud is told by the event: the caller must be one that may speak for them.

    Raises:
        EventError: 403 a group or instance is outside the caller's targets, the one who called is
            nobody for whom it may speak, or it may not start what a timer is for.
    """
    caller = identity.caller
    if one.happened is Happened.DUE and "approval" not in caller.functions:
        raise _forbidden(caller, "functions", "what a timer starts")
    if one.happened not in _STARTS:
        return one
    scope = Scope(one.provider, one.account, one.region)
    if not all(
        may_see(caller, Address(scope, each), accounts) for each in (*one.groups, *one.instances)
    ):
        raise _forbidden(caller, "targets", "a target")
    if one.requester and not any(fnmatchcase(one.requester, each) for each in caller.speaks_for):
        raise _forbidden(caller, "speaks_for", "who called the cloud")
    return one


def permitted(identity: Identity, request: T, accounts: Accounts) -> T:
    """Return the request on behalf of whom the caller may speak for.

    Raises:
        EventError: 403 a target is outside the caller's, or the requester is nobody for whom it
            may speak.
    """
    caller = identity.caller
    if not all(may_see(caller, one, accounts) for one in _addresses(request)):
        raise _forbidden(caller, "targets", "a target")
    if not isinstance(request, DeleteRequest | LaunchRequest | BindRequest):
        return request  # of a cloud's own event more is asked: see permitted_occurrence
    by = request.requested_by
    if by and by != caller.name and not any(fnmatchcase(by, one) for one in caller.speaks_for):
        raise _forbidden(caller, "speaks_for", "requested_by")
    return replace(request, requested_by=by or caller.name)


def may_see(caller: Caller, address: Address, accounts: Accounts) -> bool:
    """Return whether an address is one of the caller's targets; each part is compared by itself.

    An account that is empty, in an address or in a pattern, is the configured one.
    """
    provider = address.scope.provider
    home = accounts.get(provider, "")
    given = (provider, address.scope.account or home, address.scope.region, address.group_id)
    for pattern in caller.targets:
        parts = pattern.split(":")
        parts[1:2] = [parts[1] or home]
        if all(fnmatchcase(text, part) for text, part in zip(given, parts, strict=True)):
            return True
    return False


@runtime_checkable
class _Reported(Protocol):
    """What an event of a cloud itself reports: the groups and instances of one scope."""

    provider: str
    account: str
    region: str
    groups: tuple[str, ...]
    instances: tuple[str, ...]


def _addresses(request: object) -> tuple[Address, ...]:
    """Return what a request is about; none for one about no group, such as a reminder."""
    if isinstance(request, DeleteRequest):
        return request.targets
    if isinstance(request, LaunchRequest):
        ids = [*request.group_ids, *([request.instance_id] if request.instance_id else [])]
        return tuple(Address(request.scope, one) for one in ids or [""])
    if isinstance(request, BindRequest):
        # What a filter finds is not known yet: only who may change anything there may ask so.
        ids = [request.group_id, *request.holders, *([""] if request.wanted else [])]
        return tuple(Address(request.scope, one) for one in ids)
    if isinstance(request, RestRequest):
        return (request.address,)
    if isinstance(request, _Reported):
        scope = Scope(request.provider, request.account, request.region)
        return tuple(Address(scope, one) for one in (*request.groups, *request.instances))
    return ()


def _forbidden(caller: Caller, key: str, what: str) -> EventError:
    message = said("caller.not-permitted", what=what, caller=caller.name)
    problem = Problem("", said("wrong.not-permitted"), key)
    return refusal(EventError, message, status=403, problems=(problem,))
