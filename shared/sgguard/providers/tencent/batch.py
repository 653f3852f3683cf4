"""Changing the groups of many instances with few calls, with a result for each instance.

The calls that bind take a hundred instances, and so does the one that reads them:

1. Read all instances together, once no binding of any of them is in progress.
2. Check each change against its instance; what cannot be changed has its result now.
3. Group the other changes by the call they need, and send each call once for all its instances.
4. A refused call changed nothing, because of one instance that is not named. So each of its
   instances is changed by a call of its own, and only that instance fails.
5. After an accepted call, poll all its instances until each carries its groups or has failed.

An error with an unknown outcome is the result of every instance of its call.
Sources: those of :mod:`sgguard.providers.tencent.holder`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sgguard.errors import (
    ApiAbsentError,
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
from sgguard.model.sending import MaySend
from sgguard.providers._shared import read_back
from sgguard.providers._tencent import is_reached, poll_until
from sgguard.providers._together import late
from sgguard.providers.tencent import reads
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.codes import may_be_reached
from sgguard.providers.tencent.holder import (
    INSTANCE,
    call_of,
    is_changed,
    read_holder,
    set_groups,
)
from sgguard.wire.parallel import chunks, parallel
from sgguard.wire.shape import Json

INSTANCES_PER_CALL = 100
"""Largest number of instances in one call."""

_OF_ALL = (ApiAbsentError, ForbiddenError, SettingsError, ThrottledError, UnauthenticatedError)
"""Refusals that concern the call itself, not one of its instances."""

Wanted = Mapping[str, Change]
"""Changes by the ids of their holders."""
Results = dict[str, SgguardError | None]
"""Why a change failed, by the id of its holder; None: the holder carries the new groups."""


def set_groups_batch(
    api: TencentApi, changes: Sequence[Change], may_send: MaySend
) -> list[SgguardError | None]:
    """Make changes of kind ``set-groups``, of different holders; return the error of each.

    None stands for a return of :func:`~sgguard.providers.tencent.holder.set_groups`.
    """
    if not may_send():
        return [late()] * len(changes)
    wanted = {_holder_of(change).holder_id: change for change in changes}
    instances = [one for one in wanted if _holder_of(wanted[one]).kind == "instance"]
    rest = {one: change for one, change in wanted.items() if one not in instances}
    parts = [{one: wanted[one] for one in some} for some in chunks(instances, INSTANCES_PER_CALL)]
    results: Results = {}
    for part in parallel(
        [partial(_change_each, api, rest), *(partial(_change_many, api, one) for one in parts)]
    ):
        results |= part
    return [results[_holder_of(change).holder_id] for change in changes]


def read_holders_batch(api: TencentApi, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
    """Return the groups of each holder, a hundred instances a call.

    None means what it does in :func:`~sgguard.providers.tencent.holder.read_holder`.

    Raises:
        CloudError, DeadlineError: one of them could not be read.
    """
    instances = [one.holder_id for one in wanted if one.kind == "instance"]
    rest = [one for one in wanted if one.kind != "instance"]
    found: dict[str, tuple[str, ...] | None] = {}
    reading = [partial(_groups_of, api, some) for some in chunks(instances, INSTANCES_PER_CALL)]
    for part in parallel([partial(_groups_of_each, api, rest), *reading]):
        found |= part
    return [found[one.holder_id] for one in wanted]


def _groups_of_each(api: TencentApi, wanted: Sequence[Holder]) -> dict[str, tuple[str, ...] | None]:
    found = parallel([partial(read_holder, api, one) for one in wanted])
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


def _holder_of(change: Change) -> Holder:
    if change.holder is None:
        raise ValueError(f"{change.kind} without a holder")
    return change.holder


def _change_each(api: TencentApi, wanted: Wanted) -> Results:
    """Make each change by a call of its own."""
    calls = [partial(_change_one, api, change) for change in wanted.values()]
    return dict(zip(wanted, parallel(calls), strict=True))


def _change_one(api: TencentApi, change: Change) -> SgguardError | None:
    try:
        set_groups(api, _holder_of(change), change.before, change.after)
    except SgguardError as error:
        return error
    return None


def _retry_each(api: TencentApi, wanted: Wanted) -> Results:
    """Make each change of a refused call by a call of its own (step 4)."""
    calls = [partial(_change_unless_made, api, change) for change in wanted.values()]
    return dict(zip(wanted, parallel(calls), strict=True))


def _change_unless_made(api: TencentApi, change: Change) -> SgguardError | None:
    """Make one change of a refused call, unless a read shows that it was made after all."""
    try:
        ask = partial(read_holder, api, _holder_of(change))
        if read_back(ask, f"a change of {_holder_of(change).holder_id}") == change.after:
            return None
    except SgguardError as error:
        return error
    return _change_one(api, change)


def _unless_reached(api: TencentApi, change: Change, error: SgguardError) -> SgguardError | None:
    """Return the refusal of the one change of a call, None where its aim is reached."""
    if not isinstance(error, CloudError) or not may_be_reached(error):
        return error
    holder = _holder_of(change)
    return None if is_reached(lambda: read_holder(api, holder) == change.after) else error


def _change_many(api: TencentApi, wanted: Wanted) -> Results:
    """Read all instances together, and send each call once for those that need it."""
    # 1. Read.
    try:
        rows = _settled_rows(api, list(wanted))
    except NotFoundError:
        return _change_each(api, wanted)  # one of them does not exist: find out which
    except SgguardError as error:
        return dict.fromkeys(wanted, error)
    # 2. Check, and 3. group by call.
    results: Results = {}
    calls: dict[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], dict[str, Change]] = {}
    for one, change in wanted.items():
        problem = _precondition_error(api, rows.get(one), change)
        if problem or change.after == change.before:
            results[one] = problem
            continue
        action, params = call_of(INSTANCE, change.before, change.after)
        key = (action, tuple((name, tuple(values)) for name, values in params.items()))
        calls.setdefault(key, {})[one] = change
    sends = [
        partial(_send, api, action, dict(params), some) for (action, params), some in calls.items()
    ]
    for part in parallel(sends):
        results |= part
    return results


def _settled_rows(api: TencentApi, instance_ids: Sequence[str]) -> dict[str, Json]:
    """Return the rows once no binding of any of the instances is in progress."""
    return poll_until(
        api.wire,
        partial(_rows, api, instance_ids),
        lambda rows: not any(reads.operation(api, row).is_binding for row in rows.values()),
        f"a binding of one of {len(instance_ids)} instances",
    )


def _rows(api: TencentApi, instance_ids: Sequence[str]) -> dict[str, Json]:
    """Return the row of each instance; one that is missing does not exist.

    Raises:
        NotFoundError: the cloud refuses the whole call because one of them does not exist.
        UnknownShapeError: an instance that was not asked for, or not as many as ``TotalCount``.
    """
    action = "DescribeInstances"
    shape = api.shape(action)
    body = api.read("cvm", action, {"InstanceIds": list(instance_ids), "Limit": INSTANCES_PER_CALL})
    rows = shape.tables(body.get("InstanceSet"), "InstanceSet")
    found = {reads.instance_of(api, row).instance_id: row for row in rows}
    if shape.integer(body, "TotalCount", "Response") != len(found):
        raise shape.wrong("TotalCount: differs from the instances in InstanceSet")
    if not set(found) <= set(instance_ids):
        raise shape.wrong("InstanceSet: an instance that was not asked for")
    return found


def _precondition_error(api: TencentApi, row: Json | None, change: Change) -> SgguardError | None:
    """Return why a change is not sent; None: it can be."""
    provider, name = api.wire.provider, _holder_of(change).holder_id
    if not change.after:
        return InputError(f"{provider}: {name} would be left without a group")
    if row is None:
        return NotFoundError(provider, "set groups", detail=f"no {name}")
    group_ids = reads.instance_of(api, row).group_ids
    if group_ids != change.before:
        detail = f"{name} carries {', '.join(group_ids) or 'no group'}"
        return ConflictError(provider, "set groups", detail=detail)
    return None


def _send(
    api: TencentApi, action: str, params: Mapping[str, Sequence[str]], wanted: Wanted
) -> Results:
    """Send one call for all of the instances (steps 3 to 5)."""
    named = {name: list(values) for name, values in params.items()}
    try:
        body = api.write(INSTANCE.service, action, {**named, INSTANCE.ids: list(wanted)})
    except SgguardError as error:
        is_of_one = error.is_outcome_known and not isinstance(error, _OF_ALL)
        if is_of_one and len(wanted) > 1:
            return _retry_each(api, wanted)
        return {one: _unless_reached(api, change, error) for one, change in wanted.items()}
    return _await_all(api, wanted, str(body.get("RequestId", "")))


def _await_all(api: TencentApi, wanted: Wanted, request_id: str) -> Results:
    """Poll until every instance has its result (step 5)."""
    results: Results = {}

    def are_over(rows: Mapping[str, Json]) -> bool:
        for one in [one for one in wanted if one not in results]:
            try:
                if one not in rows:
                    raise NotFoundError(api.wire.provider, "DescribeInstances", detail=one)
                if is_changed(api, rows[one], wanted[one].before, wanted[one].after, request_id):
                    results[one] = None
            except CloudError as error:
                results[one] = error
        return len(results) == len(wanted)

    what = f"the binding of {len(wanted)} instances"
    try:
        poll_until(
            api.wire, lambda: read_back(partial(_rows, api, list(wanted)), what), are_over, what
        )
    except SgguardError as error:
        return {one: results.get(one, error) for one in wanted}
    return results
