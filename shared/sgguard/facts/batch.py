"""Many deletes of one scope, read together: as few calls as the API takes ids, judged one by one.

What goes wrong with one group must not reach the others. A read that fails for all of them, or
that could not see something of nobody in particular, is made again in halves until it is known
whose it is. That is bounded: a trouble that is everybody's stays everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sgguard.errors import DeadlineError, SgguardError, UnauthenticatedError
from sgguard.facts import gather
from sgguard.model.codes import UnseenCode
from sgguard.model.facts import DeleteFacts
from sgguard.model.request import DeleteRequest
from sgguard.providers.base import Provider
from sgguard.wire.parallel import parallel

SPLITS_MAX = 16
"""How often a batch is read again in halves: enough to find two troublemakers in a hundred."""

Gathered = DeleteFacts | Exception
"""What was read for one request, or why nothing was."""


def gather_deletes(provider: Provider, requests: Sequence[DeleteRequest]) -> list[Gathered]:
    """Read what :func:`sgguard.facts.gather.gather_delete` reads, for many requests of one scope.

    Every request gets its own outcome, in order; errors are returned, never raised.
    """
    outcomes: list[Gathered] = [DeadlineError("nothing was read yet")] * len(requests)
    splits = SPLITS_MAX
    wave = [list(range(len(requests)))] if requests else []
    is_again = False
    while wave:
        read = parallel([partial(_read, provider, [requests[n] for n in part]) for part in wave])
        halves: list[list[int]] = []
        for part, found in zip(wave, read, strict=True):
            if not (is_again and _is_worse(found)):
                for n in part:
                    outcomes[n] = _of(requests[n], found)
            if len(part) > 1 and splits and _concerns_somebody(found):
                splits -= 1
                halves += [part[: len(part) // 2], part[len(part) // 2 :]]
        wave, is_again = halves, True
    return outcomes


def _read(provider: Provider, requests: Sequence[DeleteRequest]) -> Gathered:
    targets = dict.fromkeys(target for request in requests for target in request.targets)
    try:
        return gather.gather_delete(provider, DeleteRequest(tuple(targets)))
    except Exception as error:  # noqa: BLE001 - whose it is, is found out by reading halves
        return error


def _of(request: DeleteRequest, found: Gathered) -> Gathered:
    """Return one request's part of what was read for many, with its groups in its own order."""
    if isinstance(found, Exception):
        return found
    groups = {group.address: group for group in found.groups}
    return replace(found, groups=tuple(groups[target] for target in request.targets))


def _concerns_somebody(found: Gathered) -> bool:
    """Tell whether the trouble may be one group's, which reading halves would show.

    A missing permission, refused credentials and a cloud that cannot be asked are everybody's.
    """
    if isinstance(found, DeleteFacts):
        unseen = [one for group in found.groups for one in group.unseen]
        return any(not one.group_id and one.code != UnseenCode.NO_PERMISSION for one in unseen)
    return not _is_everybodys(found)


def _is_everybodys(error: Exception) -> bool:
    if not isinstance(error, SgguardError):
        return False
    is_no_answer = error.is_retryable or isinstance(error, DeadlineError | UnauthenticatedError)
    return is_no_answer or error.fault == "operator"


def _is_worse(found: Gathered) -> bool:
    """Tell whether reading again brought less: the first answer, with its gaps, then stands."""
    return isinstance(found, Exception) and _is_everybodys(found)
