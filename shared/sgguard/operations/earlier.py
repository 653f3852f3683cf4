"""What earlier restores made and left waiting, read from their runs."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from sgguard.engine.bulk import is_bind
from sgguard.model.address import Scope
from sgguard.model.change import Change
from sgguard.remedy.places import Past, past_of_decision, past_of_restore
from sgguard.remedy.plan import Plan, position_of
from sgguard.remedy.returned import Earlier
from sgguard.remedy.snapshot import Snapshot
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Run

SOURCE = "restore"
"""The source of the claims of restores; the id of the event is ``<decision>/<n>``."""

UNDO = "undo"
"""The source of the claims of undos."""


def earlier_restores(
    store: Store, decision_id: str, scope: Scope, snapshot: Snapshot | None = None
) -> Earlier:
    """Return what earlier restores did in the place that a decision is about.

    Where the rules of ``snapshot`` have positions, all that was done to rules there is read.

    Raises:
        StoreError: the store cannot be read, or a newer sgguard wrote what it holds.
    """
    runs = [one for one in store.runs_of(SOURCE) if _is_near(one, scope)]
    mine = {one.decision_id for one in runs}
    made = {
        codec.load(Change, one.change_json).group_id: one.made_id
        for one in store.made_by(SOURCE)
        if one.decision_id in mine
    }
    waiting = dict(_waiting(runs))
    others = [one for one in waiting if one != decision_id]
    # What was removed last comes back first: each rule returns to its position then.
    others.sort(key=lambda one: _begun_s(store, one), reverse=True)
    found = Earlier(
        made,
        tuple(waiting.get(decision_id, ())),
        tuple(tuple(waiting[one]) for one in others),
        undone=tuple(_undone(store, scope)),
    )
    if snapshot is None or not _has_positions(snapshot, found):
        return found
    return replace(found, past=tuple(_past(store, scope)))


def _has_positions(snapshot: Snapshot, earlier: Earlier) -> bool:
    rules = [rule for group in snapshot.groups for rule in group.rules or ()]
    rules += [one.rule for one in snapshot.referrers]
    rules += [one.rule for one in earlier.waiting if one.rule is not None]
    return any(position_of(rule) for rule in rules)


def _past(store: Store, scope: Scope) -> Iterator[Past]:
    """Yield what each run in this place did to rules, in order."""
    for run in store.finished_runs():
        if is_bind(run) or not _is_near(run, scope):  # a bind changes no rules
            continue
        snapshot = codec.load(Snapshot, run.snapshot_json)
        if run.source == SOURCE:
            yield past_of_restore(codec.load(Plan, run.plan_json), snapshot)
        else:
            yield past_of_decision(snapshot)


def _undone(store: Store, scope: Scope) -> Iterator[Change]:
    """Yield what undos in this place changed of holders, in order."""
    for run in store.runs_of(UNDO):
        if run.state not in ("finished", "accepted") or is_bind(run) or not _is_near(run, scope):
            continue
        for entry in store.entries(run.decision_id):
            change = codec.load(Change, entry.change_json)
            if entry.state == "done" and not entry.is_undo and change.kind == "set-groups":
                yield change


def restored_by(run: Run) -> str:
    """Return the decision that a run of a restore restores."""
    return run.event_id.partition("/")[0]


def _is_near(run: Run, scope: Scope) -> bool:
    """Whether a run is in this place; ids of groups are unique among the accounts of a region."""
    there = codec.load(Plan, run.plan_json).scope
    return (there.provider, there.region) == (scope.provider, scope.region)


def _waiting(runs: list[Run]) -> Iterator[tuple[str, list[Change]]]:
    """Yield what waits of each decision: left out by its restores, and not brought since."""
    found: dict[str, list[Change]] = {}
    for run in runs:
        if run.state not in ("finished", "accepted"):
            continue
        snapshot = codec.load(Snapshot, run.snapshot_json)
        for change in snapshot.brought:
            for changes in found.values():
                if change in changes:
                    changes.remove(change)
        found.setdefault(restored_by(run), []).extend(snapshot.waiting)
    yield from found.items()


def _begun_s(store: Store, decision_id: str) -> float:
    run = store.run(decision_id)
    return run.begun_at_s if run else 0.0
