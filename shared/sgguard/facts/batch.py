"""Reading the facts of many deletes of one scope together, in as few calls as the API takes ids.

What goes wrong with one group must not reach the others. A read that fails for all of them, or
that has a gap which names no group, is made again in halves until it is known which group causes
it. That is bounded: what concerns every group stays a failure of every group.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.errors import DeadlineError, SgguardError, UnauthenticatedError
from sgguard.facts import gather
from sgguard.model.codes import UnseenCode
from sgguard.model.facts import DeleteFacts
from sgguard.model.request import DeleteRequest
from sgguard.providers.base import Provider
from sgguard.wire.parallel import caught, parallel

SPLITS_MAX = 16
"""How often a batch is split and read again: enough to find two groups in a hundred."""

Gathered = DeleteFacts | Exception
"""What was read for one request, or why nothing was."""


def gather_deletes(provider: Provider, requests: Sequence[DeleteRequest]) -> list[Gathered]:
    """Read what :func:`sgguard.facts.gather.gather_delete` reads, for many requests of one scope.

    Every request gets its own outcome, in order; errors are returned, never raised.
    """
    outcomes: list[Gathered] = [DeadlineError("nothing was read yet")] * len(requests)
    splits = SPLITS_MAX
    # 1. Read all requests as one part.
    wave = [list(range(len(requests)))] if requests else []
    is_again = False
    while wave:
        read = parallel([partial(_read, provider, [requests[n] for n in part]) for part in wave])
        halves: list[list[int]] = []
        # 2. Keep what each part brought, unless an earlier, wider read brought more.
        for part, found in zip(wave, read, strict=True):
            if not (is_again and _is_worse(found)):
                for n in part:
                    outcomes[n] = _of(requests[n], found)
            # 3. A failure that may be one group's: read both halves of the part again, so that
            #    only the half with that group in it fails.
            if len(part) > 1 and splits and _may_be_one_groups(found):
                splits -= 1
                halves += [part[: len(part) // 2], part[len(part) // 2 :]]
        wave, is_again = halves, True
    return outcomes


def _read(provider: Provider, requests: Sequence[DeleteRequest]) -> Gathered:
    targets = dict.fromkeys(target for request in requests for target in request.targets)
    # An error is one of all these requests; halves of them are read to find whose it is.
    return caught(partial(gather.gather_delete, provider, DeleteRequest(tuple(targets))))


def _of(request: DeleteRequest, found: Gathered) -> Gathered:
    """Return one request's part of what was read for many, with its groups in its own order.

    One of which nothing was read in time is an error, which is delivered again.
    """
    if isinstance(found, Exception):
        return found
    by_address = {group.address: group for group in found.groups}
    groups = tuple(by_address[target] for target in request.targets)
    late = [one for group in groups for one in group.unseen if one.code == UnseenCode.OUT_OF_TIME]
    if len(late) == len(groups):
        return DeadlineError("the time was used up before any of its groups was read")
    return replace(found, groups=groups)


def _may_be_one_groups(found: Gathered) -> bool:
    """Return whether one group may be the cause, which reading halves would show.

    A missing permission, refused credentials and a cloud that cannot be asked concern every group.
    """
    if isinstance(found, DeleteFacts):
        unseen = [one for group in found.groups for one in group.unseen]
        return any(not one.group_id and one.code != UnseenCode.NO_PERMISSION for one in unseen)
    return not _concerns_all(found)


def _concerns_all(error: Exception) -> bool:
    if not isinstance(error, SgguardError):
        return False
    is_no_answer = error.is_retryable or isinstance(error, DeadlineError | UnauthenticatedError)
    return is_no_answer or error.fault == "operator"


def _is_worse(found: Gathered) -> bool:
    """Return whether reading again brought less: the first answer, with its gaps, then stands."""
    return isinstance(found, Exception) and _concerns_all(found)
