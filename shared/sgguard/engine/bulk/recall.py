"""What a worker knows from the journal of earlier ones: what is over, and what they learned.

A delivery may have time for a few calls only. What it learned must not be lost with it: a search
that begins anew with every delivery never ends.
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.engine.bulk import line as lines
from sgguard.engine.bulk.pool import Hunt, Pool
from sgguard.engine.bulk.run import BulkRun, Line, pool_of
from sgguard.errors import SgguardError
from sgguard.store.rows import Entry


def recall(run: BulkRun, entries: Sequence[Entry]) -> None:
    """Set a run, which is new, to where its journal ends."""
    # 1. What became of holders; and what was counted counts on, else what stays so never ends.
    run.results = lines.results_in(entries)
    run.laters = lines.times_in(entries, "busy")
    run.sends = lines.times_in(entries, "lost")
    run.number = max((one.number + 1 for one in entries), default=0)
    # 2. Whoever was sent, and it is not known whether the cloud took it, is looked at.
    for entry in entries:
        if entry.state == "intended":
            holders = set(lines.batch_of(entry).holders)
            run.lines.append(Line(entry, holders, entry.at_s, is_lost=True))
    # 3. The searches that were under way, then everybody else.
    left = {one for one in run.targets if one not in run.results}
    left -= {one for line in run.lines for one in line.pending}
    for hunt in _hunts(run, entries, left):
        pool_of(run, hunt.suspects[0]).hunts.append(hunt)
        left -= set(hunt.suspects)
    for one in run.targets:
        if one in left:
            pool_of(run, one).add([one])
    for kind, pool in run.pools.items():
        _count(run, pool, kind, entries)


def _hunts(run: BulkRun, entries: Sequence[Entry], left: set[str]) -> list[Hunt]:
    """Return a search for each set that was refused, and for whose sake is not known.

    Of two that overlap the later one is the smaller. The last suspect is tried by itself: what the
    cloud said of the set is not kept.
    """
    known = {one for one, how in run.results.items() if how.status == "refused"} | set(run.laters)
    found: list[Hunt] = []
    taken: set[str] = set()
    for holders in reversed(lines.refused_sets(entries)):
        suspects = tuple(one for one in holders if one in left)
        is_open = suspects and known.isdisjoint(holders) and taken.isdisjoint(holders)
        if is_open:
            found.append(Hunt(suspects, SgguardError("a set was refused"), is_guess=True))
        taken |= set(holders)
    return found


def _count(run: BulkRun, pool: Pool, kind: str, entries: Sequence[Entry]) -> None:
    """Tell a pool how many calls it took so far, and how many of its holders were wrong."""
    everyone = {one.holder_id for one in run.plan.targets if one.kind == kind}
    over = {one: how for one, how in run.results.items() if one in everyone}
    pool.total = len(everyone)
    pool.calls = sum(not everyone.isdisjoint(lines.batch_of(one).holders) for one in entries)
    pool.accepted = sum(how.status == "done" for how in over.values())
    refused = [(one, how) for one, how in over.items() if how.status == "refused"]
    pool.culprits = sum(bool(how.cloud_code) and one not in how.message for one, how in refused)
