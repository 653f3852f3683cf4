"""Groups of two kinds on one interface, which some clouds refuse: stateful and stateless, say."""

from __future__ import annotations

from collections.abc import Iterator

from sgguard.guards.base import named
from sgguard.guards.launch.limit import Holder, LaunchChange, holders
from sgguard.model.codes import ReasonCode, UnseenCode
from sgguard.model.decision import Reason
from sgguard.model.facts import GroupFacts
from sgguard.model.resource import Unseen
from sgguard.model.sentence import Sentence, listed, said


def mixed(change: LaunchChange) -> Iterator[Reason]:
    """Yield a reason for each holder that would get groups of two kinds."""
    code = change.facts.capabilities.mixed_kinds_refused_with
    for holder, carried in _changed(change):
        kinds: dict[str, GroupFacts] = {}
        for one in carried:
            if one.group and one.group.kind is not None:
                kinds.setdefault(one.group.kind, one)
        if len(kinds) > 1:
            found = listed(_described(kind, one) for kind, one in sorted(kinds.items()))
            yield Reason(
                ReasonCode.GROUP_KINDS_MIXED,
                said("launch.kinds-mixed", holder=holder.shown, kinds=found, code=code),
                "block",
                change.facts.instance_id or str(change.facts.scope),
                tuple(one.group for one in kinds.values() if one.group),
            )


def untold(change: LaunchChange) -> Iterator[tuple[GroupFacts, Unseen]]:
    """Yield the groups whose kind is not told, where another group's may differ from it."""
    doubtful = {
        one.address.group_id: one
        for _, carried in _changed(change)
        for one in carried
        if len(carried) > 1 and one.group and one.group.kind is None
    }
    for group_id, one in sorted(doubtful.items()):
        # Where the whole group could not be read, its own gap is the cause of this one.
        code = one.unseen[0].code if one.unseen else UnseenCode.NOT_TOLD
        what, why = said("part.kind"), said("why.kinds-refused")
        yield one, Unseen(code, what, why, said("remedy.read-group"), group_id)


def _changed(change: LaunchChange) -> Iterator[tuple[Holder, list[GroupFacts]]]:
    """Yield each holder that would get a group, with what is known of all its groups."""
    if not change.facts.capabilities.mixed_kinds_refused_with:
        return
    known = {one.address.group_id: one for one in change.facts.groups}
    for holder in holders(change, "groups-per-interface"):
        if holder.after - holder.now:
            yield holder, [known[one] for one in sorted(holder.after) if one in known]


def _described(kind: str, one: GroupFacts) -> Sentence:
    if kind:
        return said("launch.is-of-kind", group=named(one), kind=kind)
    return said("launch.is-of-no-kind", group=named(one))
