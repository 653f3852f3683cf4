"""Changing the groups of many instances with few calls, each instance settled by itself.

The calls that bind take a hundred instances, and so does the one that reads them. A call that is
refused changed nothing, for the sake of whichever instance that was: each is asked for alone then,
and only what cannot be changed fails. What a call leaves in doubt is in doubt for each of them.
Sources: those of :mod:`sgguard.providers.tencent.holder`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    SettingsError,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
)
from sgguard.model.change import Change, Holder
from sgguard.providers._shared import look
from sgguard.providers._tencent import ask_until
from sgguard.providers.tencent import holder as holders
from sgguard.providers.tencent import reads
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.holder import INSTANCE
from sgguard.wire.parallel import chunks, parallel
from sgguard.wire.shape import Json

AT_ONCE = 100
"""How many instances one call takes."""

_OF_ALL = (ForbiddenError, SettingsError, ThrottledError, UnauthenticatedError)
"""Refusals that no single instance is the reason of."""

Wanted = Mapping[str, Change]
"""Changes by the ids of their holders."""
Ended = dict[str, SgguardError | None]
"""Why a change failed, by the id of its holder; None: the holder carries what it shall."""


def set_groups_together(api: TencentApi, changes: Sequence[Change]) -> list[SgguardError | None]:
    """Make changes of kind ``set-groups``, of different holders; return the error of each.

    None says what a return of :func:`~sgguard.providers.tencent.holder.set_groups` says.
    """
    wanted = {_holder(change).holder_id: change for change in changes}
    instances = [one for one in wanted if _holder(wanted[one]).kind == "instance"]
    rest = {one: change for one, change in wanted.items() if one not in instances}
    parts = [{one: wanted[one] for one in some} for some in chunks(instances, AT_ONCE)]
    ended: Ended = {}
    for part in parallel([partial(_each, api, rest), *(partial(_many, api, one) for one in parts)]):
        ended |= part
    return [ended[_holder(change).holder_id] for change in changes]


def read_holders_together(
    api: TencentApi, wanted: Sequence[Holder]
) -> list[tuple[str, ...] | None]:
    """Return the groups of each holder, as many instances a call as it takes.

    None says what it says of :func:`~sgguard.providers.tencent.holder.read_holder`.

    Raises:
        CloudError, DeadlineError: one of them could not be read.
    """
    instances = [one.holder_id for one in wanted if one.kind == "instance"]
    rest = [one for one in wanted if one.kind != "instance"]
    told: dict[str, tuple[str, ...] | None] = {}
    reading = [partial(_groups_of, api, some) for some in chunks(instances, AT_ONCE)]
    for part in parallel([partial(_groups_of_each, api, rest), *reading]):
        told |= part
    return [told[one.holder_id] for one in wanted]


def _groups_of_each(api: TencentApi, wanted: Sequence[Holder]) -> dict[str, tuple[str, ...] | None]:
    found = parallel([partial(holders.read_holder, api, one) for one in wanted])
    return {one.holder_id: has for one, has in zip(wanted, found, strict=True)}


def _groups_of(api: TencentApi, instance_ids: Sequence[str]) -> dict[str, tuple[str, ...] | None]:
    try:
        rows = _settled_rows(api, instance_ids)
    except NotFoundError:
        return _groups_of_each(api, [Holder("instance", one, one) for one in instance_ids])
    return {
        one: reads.instance_of(api, rows[one]).group_ids if one in rows else None
        for one in instance_ids
    }


def _holder(change: Change) -> Holder:
    if change.holder is None:
        raise ValueError(f"{change.kind} without a holder")
    return change.holder


def _each(api: TencentApi, wanted: Wanted) -> Ended:
    """Make each change by calls of its own."""
    calls = [partial(_alone, api, change) for change in wanted.values()]
    return dict(zip(wanted, parallel(calls), strict=True))


def _alone(api: TencentApi, change: Change) -> SgguardError | None:
    try:
        holders.set_groups(api, _holder(change), change.before, change.after)
    except SgguardError as error:
        return error
    return None


def _once_more(api: TencentApi, wanted: Wanted) -> Ended:
    """Make what a refused call has not made, of each instance alone."""
    calls = [partial(_unless_made, api, change) for change in wanted.values()]
    return dict(zip(wanted, parallel(calls), strict=True))


def _unless_made(api: TencentApi, change: Change) -> SgguardError | None:
    try:
        ask = partial(holders.read_holder, api, _holder(change))
        if look(ask, f"a change of {_holder(change).holder_id}") == change.after:
            return None
    except SgguardError as error:
        return error
    return _alone(api, change)


def _many(api: TencentApi, wanted: Wanted) -> Ended:
    """Read all instances together, and send each call once for those that need it."""
    try:
        rows = _settled_rows(api, list(wanted))
    except NotFoundError:
        return _each(api, wanted)  # which of them is not there, each says by itself
    except SgguardError as error:
        return dict.fromkeys(wanted, error)
    ended: Ended = {}
    calls: dict[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], dict[str, Change]] = {}
    for one, change in wanted.items():
        obstacle = _obstacle(api, rows.get(one), change)
        if obstacle or change.after == change.before:
            ended[one] = obstacle
            continue
        action, params = holders.call_of(INSTANCE, change.before, change.after)
        key = (action, tuple((name, tuple(values)) for name, values in params.items()))
        calls.setdefault(key, {})[one] = change
    sent = [
        partial(_sent, api, action, dict(params), some) for (action, params), some in calls.items()
    ]
    for part in parallel(sent):
        ended |= part
    return ended


def _settled_rows(api: TencentApi, instance_ids: Sequence[str]) -> dict[str, Json]:
    """Return the rows once no binding of any of the instances is under way."""
    return ask_until(
        api.wire,
        partial(_rows, api, instance_ids),
        lambda rows: not any(reads.operation(api, row).is_binding for row in rows.values()),
        f"a binding of one of {len(instance_ids)} instances",
    )


def _rows(api: TencentApi, instance_ids: Sequence[str]) -> dict[str, Json]:
    """Return what the cloud tells of each instance; one that is missing does not exist.

    Raises:
        NotFoundError: the cloud refuses to tell of any because it does not know one.
        UnknownShapeError: an instance nobody asked for, or fewer than it counts.
    """
    action = "DescribeInstances"
    shape = api.shape(action)
    answer = api.read("cvm", action, {"InstanceIds": list(instance_ids), "Limit": AT_ONCE})
    rows = shape.tables(answer.get("InstanceSet"), "InstanceSet")
    found = {reads.instance_of(api, row).instance_id: row for row in rows}
    if shape.whole(answer, "TotalCount", "Response") != len(found):
        raise shape.wrong("TotalCount: differs from the instances in InstanceSet")
    if not set(found) <= set(instance_ids):
        raise shape.wrong("InstanceSet: an instance that was not asked for")
    return found


def _obstacle(api: TencentApi, row: Json | None, change: Change) -> SgguardError | None:
    """Return why a change cannot be asked for."""
    provider, name = api.wire.provider, _holder(change).holder_id
    if not change.after:
        return InputError(f"{provider}: {name} would be left without a group")
    if row is None:
        return NotFoundError(provider, "set groups", detail=f"no {name}")
    carried = reads.instance_of(api, row).group_ids
    if carried != change.before:
        words = f"{name} carries {', '.join(carried) or 'no group'}"
        return ConflictError(provider, "set groups", detail=words)
    return None


def _sent(
    api: TencentApi, action: str, params: Mapping[str, Sequence[str]], wanted: Wanted
) -> Ended:
    """Send one call for all of the instances."""
    named = {name: list(values) for name, values in params.items()}
    try:
        answer = api.write(INSTANCE.service, action, {**named, INSTANCE.ids: list(wanted)})
    except SgguardError as error:
        is_of_one = error.is_outcome_known and not isinstance(error, _OF_ALL)
        if is_of_one and len(wanted) > 1:
            return _once_more(api, wanted)
        return dict.fromkeys(wanted, error)
    return _awaited(api, wanted, str(answer.get("RequestId", "")))


def _awaited(api: TencentApi, wanted: Wanted, request_id: str) -> Ended:
    """Wait until every instance has come to its end."""
    ended: Ended = {}

    def are_over(rows: Mapping[str, Json]) -> bool:
        for one in [one for one in wanted if one not in ended]:
            try:
                if one not in rows:
                    raise NotFoundError(api.wire.provider, "DescribeInstances", detail=one)
                if holders.is_changed(api, rows[one], wanted[one].after, request_id):
                    ended[one] = None
            except CloudError as error:
                ended[one] = error
        return len(ended) == len(wanted)

    what = f"the binding of {len(wanted)} instances"
    try:
        ask_until(api.wire, lambda: look(partial(_rows, api, list(wanted)), what), are_over, what)
    except SgguardError as error:
        return {one: ended.get(one, error) for one in wanted}
    return ended
