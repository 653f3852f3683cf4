"""What an event concerns: its marks, and which events of a delivery must come one after another."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.engine.decide import Decided
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.remedy.plan import Plan, key
from sgguard.store.rows import Marks


def marks(request: DeleteRequest | LaunchRequest, at_s: float | None) -> Marks | None:
    """Return what an event concerns and when it happened; None where it does not say when.

    A delete concerns its groups, a launch its instance. Planned instances are not there yet: a
    request for them concerns only requests for the same groups.
    """
    if at_s is None:
        return None
    if isinstance(request, DeleteRequest):
        keys = [key(one.scope, one.group_id) for one in request.targets]
    elif request.instance_id:
        keys = [key(request.scope, request.instance_id)]
    elif request.group_ids:
        keys = [f"launch {key(request.scope, ','.join(sorted(set(request.group_ids))))}"]
    else:
        return None
    return Marks(tuple(sorted(set(keys))), at_s)


def keys(request: DeleteRequest | LaunchRequest, decided: Decided | Exception) -> frozenset[str]:
    """Return everything by which one event of a delivery is in the way of another."""
    concerned = marks(request, 0.0)
    found = set(concerned.keys if concerned else ())
    if isinstance(decided, Decided) and decided.prepared is not None:
        found.update(decided.prepared.plan.keys())
    return frozenset(found)


def rows(concerned: Sequence[Collection[str]]) -> list[list[int]]:
    """Return the numbers of what has keys in common, directly or by way of others, each in order.

    What is in one row is done one after another; the rows side by side.
    """
    row_of: dict[str, list[int]] = {}
    for number, wanted in enumerate(concerned):
        # All rows that one of the keys is in become one.
        row = [number]
        for joined in {
            id(one): one for one in (row_of.get(each) for each in wanted) if one
        }.values():
            row = sorted([*joined, *row])
        names = {each for each, one in row_of.items() if set(one) & set(row)} | set(wanted)
        for each in names:
            row_of[each] = row
    found = {tuple(one) for one in row_of.values()}
    alone = set(range(len(concerned))) - {number for row in found for number in row}
    return sorted([*(list(one) for one in found), *([number] for number in alone)])


def in_turn(
    asked: Sequence[tuple[DeleteRequest | LaunchRequest, Decided | Exception]],
) -> list[list[int]]:
    """Return the numbers of requests in rows: those of a row are about the same groups."""
    return rows([keys(request, decided) for request, decided in asked])


def judge_again(
    request: DeleteRequest | LaunchRequest,
    context: Context,
    ids: tuple[str, str],
    earlier: Decided | None = None,
) -> Decided:
    """Decide once more, on facts that are read now; ``ids`` are those of event and decision.

    What holders carried when it was decided ``earlier``, a moment ago, need not be read of each
    once more where lists show it.

    Raises:
        SgguardError: as :func:`~sgguard.engine.decide.decide_delete` and ``decide_launch``.
    """
    if isinstance(request, LaunchRequest):
        return decide.judge_launch(request, context, ids)
    carried = earlier.prepared.snapshot.carried if earlier and earlier.prepared else ()
    (decided,) = decide.judge_deletes([(request, ids[0])], context, [ids[1]], carried)
    if isinstance(decided, Exception):
        raise decided
    return decided


def plan_of(decided: Decided) -> Plan | None:
    """Return the plan of a decision, None where nothing is to be carried out."""
    return None if decided.prepared is None else decided.prepared.plan
