"""Holders that an undo changed after a decision whose restore comes later.

An undo takes one decision back on top of what others did since. What it gave a holder and took off
it is ours, as much as the decision was: it does not keep the holder from being restored, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sgguard.model.change import Change, Holder


def regained(
    undone: Sequence[Change],
    holder: Holder,
    current: Sequence[str],
    change: tuple[Sequence[str], Sequence[str]],
    names: Mapping[str, str],
) -> tuple[str, ...]:
    """Return the groups that a holder gets where only undos changed it since; none otherwise.

    ``undone`` are the changes of undos, in order; ``change`` the groups that a plan left, and those
    it had before; ``names`` the ids that groups have now, by their old ones.
    """
    gained: list[str] = []
    lost: list[str] = []
    for one in undone:
        # A launch and a delete may have other names for the kind of one interface.
        if one.holder is not None and one.holder.holder_id == holder.holder_id:
            before, after = ([names.get(each, each) for each in some] for some in _sides(one))
            _move(gained, lost, [each for each in after if each not in before])
            _move(lost, gained, [each for each in before if each not in after])
    left, had = change
    if not (gained or lost) or {*current} - {*gained} | {*lost} != {*left}:
        return ()
    kept = [one for one in had if one not in lost]
    return (*kept, *(one for one in gained if one not in kept))


def _sides(change: Change) -> tuple[Sequence[str], Sequence[str]]:
    return change.before, change.after


def _move(to: list[str], back_from: list[str], group_ids: Sequence[str]) -> None:
    """Note what one undo did; what an earlier one did the other way is as it was.

    Where a decision between two undos took back what the first one did, both did the same.
    """
    for one in group_ids:
        if one in back_from:
            back_from.remove(one)
        elif one not in to:
            to.append(one)
