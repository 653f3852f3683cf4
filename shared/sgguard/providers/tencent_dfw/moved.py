"""What lists of instances tell of many at once, in Tencent's API 2.0.

What an instance carries is told one instance a call. That it got one group and lost another, or
still has those that it had, is told by the lists of those groups, a hundred instances a page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial

from sgguard.errors import CloudError, SgguardError
from sgguard.model.change import Change, Holder
from sgguard.model.sending import always
from sgguard.model.subject import holder_of
from sgguard.providers import _together as together
from sgguard.providers._shared import read_back
from sgguard.providers._tencent import poll_until
from sgguard.providers._together import Result
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.providers.tencent_dfw.bindings import instance_ids
from sgguard.providers.tencent_dfw.holder import read_holder
from sgguard.wire.parallel import parallel

LISTS_PAY_AT = 3
"""So many instances for each group that some of them got or lost: a list has pages."""

LOOKS = 6
"""How often lists are read before each instance that is left is read by itself."""


def still_carrying(
    api: DfwApi, known: Mapping[Holder, tuple[str, ...]], told: Mapping[str, frozenset[str]]
) -> frozenset[Holder]:
    """Return the instances that are listed now with each group that they were known to carry.

    ``told`` are the ids of instances by group, as they were listed a moment ago. Lists do not tell
    of a further group, nor of another order: whoever changes an instance reads it by itself again.

    Raises:
        DeadlineError: the time is used up.
    """
    groups = sorted({one for groups in known.values() for one in groups} - told.keys())
    if len(known) <= LISTS_PAY_AT * max(1, len(groups)):
        return frozenset()
    try:
        read = parallel([partial(instance_ids, api, one) for one in groups])
    except CloudError:
        return frozenset()  # such as a group that is gone: each is read by itself then
    listed = {one: frozenset(ids) for one, (ids, _) in zip(groups, read, strict=True)} | dict(told)
    return frozenset(
        holder
        for holder, groups in known.items()
        if groups and all(holder.holder_id in listed[one] for one in groups)
    )


def await_all(api: DfwApi, some: Sequence[tuple[int, Change]]) -> dict[int, Result]:
    """Wait until instances carry their groups: by the lists of what they got and lost.

    Those whose lists do not tell it, or not soon, are waited for by what each carries: a list may
    go on to name an instance for the sake of its further interfaces.
    """
    groups = {one for _, change in some for one in set(change.before) ^ set(change.after)}
    reached: set[int] = set()
    if groups and len(some) > LISTS_PAY_AT * len(groups):
        looks = iter(range(LOOKS))

        def all_reached(shown: set[int]) -> bool:
            reached.update(shown)
            return len(reached) == len(some) or next(looks, None) is None

        with suppress(SgguardError):  # each is read by itself then
            poll_until(api.wire, partial(_reached, api, some, groups), all_reached, "a binding")
    left = [one for one in some if one[0] not in reached]
    awaited = parallel(
        [partial(together.attempted, partial(_await, api, change), always) for _, change in left]
    )
    return dict.fromkeys(reached) | {n: how for (n, _), how in zip(left, awaited, strict=True)}


def _reached(api: DfwApi, some: Sequence[tuple[int, Change]], groups: Collection[str]) -> set[int]:
    """Return the changes that the lists of instances show as made: whole lists, or an error."""
    names = sorted(groups)
    read = parallel([partial(instance_ids, api, one) for one in names])
    listed = {name: frozenset(ids) for name, (ids, _) in zip(names, read, strict=True)}
    return {
        n
        for n, change in some
        if (differing := set(change.before) ^ set(change.after))
        and all(
            (holder_of(change).holder_id in listed[one]) == (one in change.after)
            for one in differing
        )
    }


def _await(api: DfwApi, change: Change) -> None:
    holder = holder_of(change)
    what = f"the binding of {holder.holder_id}"
    poll_until(
        api.wire,
        lambda: read_back(partial(read_holder, api, holder), what),
        lambda shown: set(shown or ()) == set(change.after),
        what,
    )
