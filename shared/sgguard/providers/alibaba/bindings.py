"""The bindings of a group: instances by their primary interface, and other interfaces.

A listing of interfaces by group has the secondary ones only, those of cloud services included; a
listing of instances by group has the primary ones only. Neither is complete without the other.
That an empty one is no refusal in disguise is proven by ``proof``, where no row of another group
in the same wave proves it already.

Source: DescribeNetworkInterfaces and DescribeInstances, parameter SecurityGroupId.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from sgguard.errors import NotFoundError
from sgguard.model.codes import UnseenCode
from sgguard.model.failure import failure_of
from sgguard.model.resource import Binding, Seen, Unseen
from sgguard.model.sentence import Text, said
from sgguard.providers._shared import about_group, unproved
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.codes import NO_SUCH_GROUP
from sgguard.providers.alibaba.listing import INSTANCES, INTERFACES, Listing, read_all
from sgguard.providers.alibaba.proof import (
    Tally,
    doubt_of_instances,
    doubt_of_interfaces,
    grant,
    read_tallies,
    settled_tallies,
)
from sgguard.providers.alibaba.response import instance_binding, interface_binding
from sgguard.wire.parallel import parallel

T = TypeVar("T")

_DOUBTS = {INSTANCES: doubt_of_instances, INTERFACES: doubt_of_interfaces}


def list_bindings(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
    """Return instances and other interfaces of each group: two listings each, in parallel.

    Where a listing is empty for every group, a second wave proves that it may be.

    Raises:
        CloudError: a call failed.
    """
    reads = [
        partial(_read_bindings, ecs, group_id, listing, binding_of)
        for group_id in group_ids
        for listing, binding_of in _LISTINGS
    ]
    bindings: dict[str, tuple[Binding, ...]] = dict.fromkeys(group_ids, ())
    rows: dict[Listing, dict[str, int]] = {listing: {} for listing, _ in _LISTINGS}
    unseen: list[Unseen] = []
    for group_id, listing, part in parallel(reads):
        bindings[group_id] += part.value
        unseen += part.unseen
        if not part.unseen:
            rows[listing][group_id] = len(part.value)
    return Seen(bindings, (*unseen, *unproved_holders(ecs, rows)))


def unproved_holders(
    ecs: EcsClient,
    rows: Mapping[Listing, Mapping[str, int]],
    tallies: Mapping[str, Tally] | None = None,
) -> tuple[Unseen, ...]:
    """Return a gap for each group of whose holders an empty list proves nothing.

    ``rows`` has, by list, how many holders each group has there; a list that could not be read has
    no number, because it is told as a gap already. ``tallies`` are read unless they are given.

    Raises:
        CloudError: a call failed.
    """
    # 1. A list that has a row for any group is permitted; of the others the permission is asked.
    doubtful = [one for one, counts in rows.items() if counts and not any(counts.values())]
    # 2. A group in none of the lists must have no address by its own count either.
    free = [one for one in _asked(rows) if not any(counts.get(one) for counts in rows.values())]
    reads: list[Callable[[], Any]] = [partial(_DOUBTS[one], ecs) for one in doubtful]
    if tallies is None and free:
        reads.append(partial(read_tallies, ecs, free))
    results = parallel(reads)
    found = tallies if tallies is not None else results[-1] if free else {}
    found = settled_tallies(ecs, {one: tally for one, tally in found.items() if one in free})
    return (
        *(
            gap
            for listing, doubt in zip(doubtful, results, strict=False)
            if doubt
            for gap in _unlisted(listing, doubt, rows[listing])
        ),
        *(gap for one in free for gap in _contradiction(one, found.get(one))),
    )


def _asked(rows: Mapping[Listing, Mapping[str, int]]) -> list[str]:
    """Return the groups of which every list was read: of the others a gap is told already."""
    counts = list(rows.values())
    return [one for one in counts[0] if all(one in each for each in counts)]


def _unlisted(listing: Listing, doubt: Text, group_ids: Iterable[str]) -> tuple[Unseen, ...]:
    return unproved(
        said("part.carrying", container=listing.container),
        said("why.empty-unproved", doubt=doubt),
        grant(listing.action),
        group_ids,
    )


def _contradiction(group_id: str, tally: Tally | None) -> tuple[Unseen, ...]:
    """Return a gap where the group's own count refutes that it has no holder, or was not read."""
    why = said("why.none-uncounted")
    if tally is not None:
        if not tally.addresses:
            return ()
        why = said("why.none-counted", addresses=tally.addresses)
    return unproved(
        said("part.holders"),
        why,
        said("remedy.see-all"),
        [group_id],
    )


_LISTINGS = ((INSTANCES, instance_binding), (INTERFACES, interface_binding))


def _read_bindings(
    ecs: EcsClient, group_id: str, listing: Listing, binding_of: Callable[..., Binding]
) -> tuple[str, Listing, Seen[tuple[Binding, ...]]]:
    """Return the bindings that one listing has for the group, beside the group's id."""

    def read() -> Seen[tuple[Binding, ...]]:
        try:
            listed = read_all(ecs, listing, {"SecurityGroupId": group_id})
        except NotFoundError as error:
            return no_such_group(error, _what(listing, group_id), ())
        return Seen(tuple(binding_of(listed.response, row, group_id) for row in listed.rows))

    nothing: tuple[Binding, ...] = ()
    seen = seen_or_unseen(_what(listing, group_id), read, nothing)
    return group_id, listing, about_group(group_id, seen)


def no_such_group(error: NotFoundError, what: Text, nothing: T) -> Seen[T]:
    """Return the gap for a list of holders that the cloud refuses, because it has no such group.

    Whether that is so, the group itself shows.

    Raises:
        NotFoundError: it is something else that the cloud does not have.
    """
    if error.code != NO_SUCH_GROUP:
        raise error
    remedy = said("remedy.check-exists")
    return Seen(nothing, (Unseen(UnseenCode.NOT_TOLD, what, failure_of(error), remedy),))


def _what(listing: Listing, group_id: str) -> Text:
    return said("part.carrying-group", container=listing.container, group=group_id)
