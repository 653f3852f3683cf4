"""What follows from a call that was refused: who is searched, who comes later, what ends all.

A refused call changed nothing. What it means is told by its provider, and what happens then is the
same for every cloud:

===========  =====================================================================================
meaning      what follows
===========  =====================================================================================
holder       one of them is wrong: the one that the error names, else the one that halving finds
later        the same, and that one comes back later
denied       the same; after three in a row without one that is permitted, all are refused so
group        every holder that is left is refused with it
full         smaller sets, one after the other, until not one more fits: the rest is refused so
size         smaller sets
throttled    the same set again, after the wait that the cloud asks for
unknown      it may have been made: the holders are looked at
===========  =====================================================================================
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from sgguard.engine.bulk.line import refused
from sgguard.engine.bulk.pool import Hunt, Pool, named_in
from sgguard.engine.bulk.run import BulkRun, end, wait
from sgguard.errors import DeadlineError, SgguardError
from sgguard.model.bind import RowCode

DENIALS = 3
"""After so many single holders without permission, and none with it, nobody is asked for more."""

_PAUSE_S = 1.0


class Refused(msgspec.Struct, frozen=True):
    """A set of holders that was refused, and the hunt in which it was tried, if any."""

    pool: Pool
    hunt: Hunt | None
    holders: tuple[str, ...]
    why: Exception


def after_refusal(run: BulkRun, one: Refused) -> bool:
    """Do what follows from a refusal; False: what was changed is not known, it must be looked at.

    Raises:
        DeadlineError: there was no time left to send it.
    """
    error = one.why
    if isinstance(error, DeadlineError):
        raise error
    if one.hunt is not None and one.hunt not in one.pool.hunts:
        one = replace(one, hunt=None)  # another set of the same wave has ended the search
    if not isinstance(error, SgguardError):
        raise TypeError(f"no refusal: {error!r}")
    meaning = run.worker.bulk.meaning(error)
    if meaning == "unknown":
        _dissolve(one, keep=one.holders)
        return False
    if meaning == "throttled":
        run.pause_s = max(run.pause_s, error.retry_after_s or _PAUSE_S)
        if one.hunt is not None:
            one.hunt.is_sent = False
        else:
            one.pool.put_back(one.holders)
    elif meaning == "group":
        _end_all(run, one, RowCode.GROUP_REFUSED)
    elif meaning == "full":
        _fill(run, one)
    elif meaning == "size" and len(one.holders) > 1:
        _dissolve(one, keep=one.holders)
        one.pool.shrink(len(one.holders) // 2)
        one.pool.put_back(one.holders)
    else:
        _search(run, one)
    return True


def _search(run: BulkRun, one: Refused) -> None:
    """Find the holder for whose sake a set was refused."""
    named = named_in(one.why, one.holders)
    # 1. There is only one, or the error names one.
    if len(one.holders) == 1 or len(named) == 1:
        (culprit,) = named if len(named) == 1 else one.holders
        _dissolve(one, keep=one.holders)
        one.pool.put_back(each for each in one.holders if each != culprit)
        # One that is named costs one call, whatever the size of its set: only the others count.
        one.pool.culprits += not named
        _end_one(run, one, culprit)
    # 2. The hunt goes on among those that were refused now.
    elif one.hunt is not None:
        one.pool.add(one.hunt.refused(one.why))
    # 3. A hunt begins, among those that the error names where it names several.
    else:
        suspects = named or one.holders
        one.pool.put_back(each for each in one.holders if each not in suspects)
        one.pool.hunts.append(Hunt(suspects, one.why, is_guess=bool(named)))


def _end_one(run: BulkRun, one: Refused, culprit: str) -> None:
    """Note what a refusal means for the one holder that it is about."""
    error = one.why
    if not isinstance(error, SgguardError):
        raise TypeError(f"no refusal: {error!r}")
    meaning = run.worker.bulk.meaning(error)
    if meaning == "later":
        wait(run, culprit, refused(error, RowCode.BUSY), None)
        return
    end(run, culprit, refused(error))
    run.denied = run.denied + 1 if meaning == "denied" else 0
    if run.denied >= DENIALS:
        _end_all(run, one, RowCode.REFUSED_BY_CLOUD)


def _fill(run: BulkRun, one: Refused) -> None:
    """Find out how many still fit, one set after the other."""
    run.is_filling = True
    _dissolve(one, keep=one.holders)
    for pool in run.pools.values():
        pool.put_back(pool.emptied())
    if len(one.holders) == 1:
        _end_all(run, one, RowCode.HOLDERS_PER_GROUP_EXCEEDED)
        return
    one.pool.shrink(len(one.holders) // 2)
    one.pool.put_back(one.holders)


def _end_all(run: BulkRun, one: Refused, code: RowCode) -> None:
    """Refuse every holder that was not sent, or was refused: none of them can be changed."""
    if not isinstance(one.why, SgguardError):
        raise TypeError(f"no refusal: {one.why!r}")
    how = refused(one.why, code)
    left = [each for pool in run.pools.values() for each in pool.emptied()]
    for each in (*one.holders, *left, *run.later):
        if each not in run.results:
            end(run, each, how)
    run.later.clear()


def _dissolve(one: Refused, keep: tuple[str, ...]) -> None:
    """End the hunt of a set; its other suspects are tried again, ``keep`` are not put back."""
    if one.hunt is None:
        return
    one.pool.hunts.remove(one.hunt)
    one.pool.put_back(each for each in one.hunt.suspects if each not in keep)
