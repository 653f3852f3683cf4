"""Reading what a bind needs: the group, the ceilings, and every holder as it is now.

Holders that a filter finds come after those that are named. A name pattern is compared here, so
that every cloud takes the same one. A holder that could not be read is never taken for one that
does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial

from msgspec.structs import replace

from sgguard.facts import gather
from sgguard.model.bind import BindFacts, HolderFacts, HolderState
from sgguard.model.codes import UnseenCode
from sgguard.model.request import BindRequest, HolderFilter, LaunchRequest
from sgguard.model.resource import Group, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers import Bulk, Cloud
from sgguard.providers.access import seen_or_unseen
from sgguard.wire.parallel import parallel


def gather_bind(
    cloud: Cloud, bulk: Bulk, request: BindRequest, *, needs_names: bool = False
) -> BindFacts:
    """Read everything that a bind is judged by.

    ``needs_names``: the groups that holders carry already matter by their names, too.

    Raises:
        CloudError: the cloud could not be asked at all.
        DeadlineError: the time was used up.
    """
    # 1. Who is meant: the holders named, each once, then those found.
    found = _found(bulk, request.wanted)
    holders = _named(bulk, request.holders)
    known = {one.holder_id for one in holders}
    further = [one for one in found.value if one.holder_id not in known]
    holders += [HolderFacts(one.holder_id, one) for one in further]
    # 2. The group and the ceilings, as for a launch of so many instances with it.
    number = max(1, len(holders))
    planned = LaunchRequest(request.scope, (request.group_id,), count=number)
    launch = gather.gather_launch(cloud, planned)
    # 3. The further groups of the holders, where anything depends on them.
    capabilities = cloud.capabilities
    others: Mapping[str, Group | None] = {}
    gaps: tuple[Unseen, ...] = ()
    if needs_names or (capabilities.mixed_kinds_refused_with and request.action == "bind"):
        others, gaps = _others(cloud, holders, request.group_id)
    return BindFacts(
        capabilities=capabilities,
        scope=request.scope,
        action=request.action,
        group=launch.groups[0],
        holders=tuple(holders),
        limits=launch.limits,
        unseen=(*launch.unseen, *found.unseen, *gaps),
        visibility=cloud.visibility,
        others=others,
    )


def _named(bulk: Bulk, holder_ids: Iterable[str]) -> list[HolderFacts]:
    """Read the holders named, each once, in the order in which they were."""
    distinct = list(dict.fromkeys(holder_ids))
    possible = [one for one in distinct if bulk.kind_of(one)]
    empty: dict[str, HolderState | None] = {}
    seen = (
        seen_or_unseen("holders", partial(bulk.read, possible), empty) if possible else Seen(empty)
    )
    gaps: dict[str, list[Unseen]] = {}
    for gap in seen.unseen:
        gaps.setdefault(gap.group_id, []).append(replace(gap, group_id=""))
    general = gaps.get("", [])
    facts = []
    for one in distinct:
        if not bulk.kind_of(one):
            facts.append(HolderFacts(one, is_malformed=True))
        elif one in seen.value:
            facts.append(HolderFacts(one, seen.value[one], unseen=tuple(gaps.get(one, ()))))
        else:
            unseen = tuple(gaps.get(one, general)) or (_untold(one),)
            facts.append(HolderFacts(one, unseen=unseen))
    return facts


def _untold(holder_id: str) -> Unseen:
    return Unseen(
        UnseenCode.NOT_TOLD,
        said("part.holder", holder=holder_id),
        said("why.not-mentioned"),
        said("remedy.again"),
    )


def _found(bulk: Bulk, wanted: HolderFilter | None) -> Seen[tuple[HolderState, ...]]:
    """Return the holders that a filter finds, compared once more where the rows tell."""
    nothing: tuple[HolderState, ...] = ()
    if wanted is None:
        return Seen(nothing)
    seen = seen_or_unseen("the holders of a filter", partial(bulk.find, wanted), nothing)
    return replace(seen, value=tuple(one for one in seen.value if _fits(one, wanted)))


def _fits(one: HolderState, wanted: HolderFilter) -> bool:
    if wanted.name and not fnmatchcase(one.name, wanted.name):
        return False
    if wanted.network and one.network != wanted.network:
        return False
    if wanted.group and not one.carries(wanted.group, everywhere=False):
        return False
    if wanted.tag and one.tags is not None:
        key, has_value, value = wanted.tag.partition("=")
        return any(k == key and (not has_value or v == value) for k, v in one.tags)
    return True


def _others(
    cloud: Cloud, holders: Sequence[HolderFacts], group_id: str
) -> tuple[dict[str, Group | None], tuple[Unseen, ...]]:
    """Read the groups that the holders carry beside the one asked about."""
    ids = sorted(
        {each for one in holders if one.state for each in one.state.group_ids} - {group_id}
    )
    if not ids:
        return {}, ()
    empty: dict[str, Group | None] = {}
    (seen,) = parallel([partial(seen_or_unseen, "groups", partial(cloud.read_groups, ids), empty)])
    return seen.value, tuple(replace(one, group_id="") for one in seen.unseen)
