"""Looking what came of a change that the cloud took: what goes wrong then says nothing about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sgguard.errors import CloudError, ConflictError, UnavailableError

T = TypeVar("T")


def look(ask: Callable[[], T], what: str) -> T:
    """Ask what came of ``what``, which the cloud took.

    A look that is refused leaves open whether the change was made, whatever its own error says:
    it is raised as one whose outcome is not known.

    Raises:
        ConflictError: ``ask`` itself says that something else was there, and nothing was changed.
        CloudError: it could not be looked at; none of them says that it was not made.
        DeadlineError: the time is used up.
    """
    try:
        return ask()
    except ConflictError:
        raise
    except CloudError as error:
        if not error.is_outcome_known:
            raise
        raise UnavailableError(
            error.provider,
            error.action,
            code=error.code,
            detail=f"the cloud accepted {what}, which could not be read back: {error.detail}",
            status=error.status,
            request_id=error.request_id,
            retry_after_s=error.retry_after_s,
        ) from error
