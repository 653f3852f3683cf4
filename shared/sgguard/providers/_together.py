"""Many changes with few calls: what clouds share that read many things at once.

A batch has a result for each of its changes: None, or the error that the change by itself would
have raised. Nothing is raised, so the outcome of one change is never lost with another's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sgguard.errors import (
    ApiAbsentError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
    UnknownShapeError,
)
from sgguard.model.change import Change, Holder
from sgguard.model.sending import MaySend, UnsentError
from sgguard.model.subject import holder_of
from sgguard.wire.parallel import parallel

F = TypeVar("F")

Result = SgguardError | None
Found = Mapping[str, F]
"""What a list tells of holders, by their ids."""

_NO_LIST = (
    ApiAbsentError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    UnknownShapeError,
)
"""Errors of a list after which each holder is read by itself: this cloud lacks the filter, say."""

_OF_ALL = (ApiAbsentError, ForbiddenError, ThrottledError, UnauthenticatedError)
"""Refusals that concern a call itself, and would meet each of its changes alone as well."""

LATE = "the time for this event was used up"
HELD = "a change that it goes together with could not be made"


def held() -> UnsentError:
    """Return the result of a change that another one's failure kept from being sent."""
    return UnsentError(HELD)


def late() -> UnsentError:
    """Return the result of a change for which there was no time."""
    return UnsentError(LATE, is_late=True)


def listed(ask: Callable[[], Found[F]]) -> Found[F]:
    """Return what a list of many holders brings; nothing where this cloud cannot make it.

    A holder that is missing is read by itself: that alone tells that it does not exist.

    Raises:
        CloudError, DeadlineError: any other error.
    """
    try:
        return ask()
    except _NO_LIST:
        return {}


def each_changed(
    changes: Sequence[Change],
    ask: Callable[[Sequence[Holder]], Found[F]],
    change_one: Callable[[Change, F | None], None],
    may_send: MaySend,
) -> list[Result]:
    """Read the holders of changes with one list, then change each, side by side.

    ``change_one`` gets what the list told of the holder, None where it must be read by itself.
    """
    holders = [holder_of(change) for change in changes]
    try:
        found = listed(partial(ask, holders)) if len(holders) > 1 else {}
    except SgguardError as error:
        return [error] * len(changes)
    calls = [
        partial(attempted, partial(change_one, change, found.get(holder.holder_id)), may_send)
        for change, holder in zip(changes, holders, strict=True)
    ]
    return parallel(calls)


def each_read(
    wanted: Sequence[Holder],
    ask: Callable[[Sequence[Holder]], Found[F]],
    read_one: Callable[[Holder, F | None], tuple[str, ...] | None],
) -> list[tuple[str, ...] | None]:
    """Return the groups of each holder: with one list, and by itself where that lacks it.

    Raises:
        CloudError, DeadlineError: one of them could not be read.
    """
    found = listed(partial(ask, wanted))
    return parallel([partial(read_one, one, found.get(one.holder_id)) for one in wanted])


def attempted(change: Callable[[], object], may_send: MaySend) -> Result:
    """Make one change while it may be sent; return its error."""
    if not may_send():
        return late()
    try:
        change()
    except SgguardError as error:
        return error
    return None


def is_of_one(error: SgguardError) -> bool:
    """Return whether a call for many was refused for the sake of one, and changed nothing."""
    return error.is_outcome_known and not isinstance(error, _OF_ALL)
