"""The groups of one holder, read and changed: a port or a supplementary interface.

The order of a port's groups has a meaning here. VPC v3 inserts groups at an index of the list and
removes groups from it, so concurrent changes of the other groups are kept. Any other change, a
supplementary interface, and every port where v3 has no ports, get the whole list. No document names
a revision that could be sent along.
https://support.huaweicloud.com/intl/en-us/api-vpc/AddSecurityGroups.html (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import msgspec

from sgguard.errors import (
    CloudError,
    ConflictError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
)
from sgguard.model.change import Holder
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.providers.huawei.response import one_spelling
from sgguard.wire.shape import Json, Shape

PORT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Place(msgspec.Struct, frozen=True):
    """Where holders of one kind are read and written: the path of one, and its key in bodies."""

    path: str
    key: str


_PORT = _Place("/v3/{project_id}/ports/{id}", "port")
_INSERT = _Place(_PORT.path + "/insert-security-groups", "port")
_REMOVE = _Place(_PORT.path + "/remove-security-groups", "port")
_PORT_V2 = _Place("/v2.0/ports/{id}", "port")
_SUB = _Place("/v3/{project_id}/vpc/sub-network-interfaces/{id}", "sub_network_interface")

_PORT_KINDS = frozenset(
    {"port", "interface", "virtual-ip", "dhcp", "router", "floating-ip", "nat-gateway"}
)
"""Kinds whose holder id is always that of a port or interface, never that of a product."""


class Found(msgspec.Struct, frozen=True):
    """What a holder carries, and whether it is a supplementary interface."""

    group_ids: tuple[str, ...]
    is_sub: bool = False


def read_holder(api: Api, holder: Holder) -> tuple[str, ...] | None:
    """Return the groups of a holder in their order; None: there is no such holder.

    Raises:
        CloudError: it is a product, whose groups only its own service reads and changes.
    """
    found = _find(api, holder)
    return found.group_ids if found else None


def set_groups(
    api: Api,
    holder: Holder,
    before: tuple[str, ...],
    after: tuple[str, ...],
    found: Found | None = None,
) -> None:
    """Make a holder carry ``after`` in place of ``before`` with one call.

    ``found`` is what a list just told of it, where one did.

    Raises:
        NotFoundError: there is no such holder.
        ConflictError: it does not carry ``before``, in that order.
        LimitError: ``after`` is empty, or has too many groups.
        UnknownShapeError: the response has other groups: they were changed concurrently.
    """
    action = f"PUT {_PORT.path}"
    name = f"{holder.kind} {holder.holder_id}"
    if not after:
        why = f"{name} must carry at least one group"
        raise LimitError(api.wire.provider, action, detail=why)
    found = found or _find(api, holder)
    if found is None:
        raise NotFoundError(api.wire.provider, action, detail=f"{name} is not there")
    if found.group_ids != before:
        why = f"{name} carries {', '.join(found.group_ids) or 'no group'}"
        raise ConflictError(api.wire.provider, action, detail=why)
    if before == after:
        return
    try:
        if found.is_sub:
            _put(api, _SUB, holder.holder_id, {"security_groups": list(after)}, after)
        else:
            _set_on_port(api, holder.holder_id, before, after)
    except (InvalidRequestError, LimitError) as error:
        _raise_if_met(api, holder, after, error)
        raise


def _raise_if_met(api: Api, holder: Holder, after: tuple[str, ...], error: CloudError) -> None:
    """Raise a conflict where the holder carries ``after`` already: somebody else made the change.

    The codes for a group that is on the port already, or no longer, are not documented.

    Raises:
        ConflictError: it does.
    """
    found = _find(api, holder)
    if found is not None and found.group_ids == after:
        why = f"it carries that already: {error}"
        raise ConflictError(api.wire.provider, error.action, detail=why) from error


def _find(api: Api, holder: Holder) -> Found | None:
    found = None
    if PORT_ID.fullmatch(one_spelling(holder.holder_id)):
        if holder.kind == "interface":
            found = unless_absent(partial(_sub, api, holder.holder_id), lambda: None)
        found = found or _port(api, holder.holder_id)
    if found is None and holder.kind not in _PORT_KINDS:
        why = f"the groups of a {holder.kind} are read and changed by its own service only"
        raise CloudError(api.wire.provider, f"GET {_PORT.path}", code="NoPort", detail=why)
    return found


def _sub(api: Api, holder_id: str) -> Found | None:
    try:
        return Found(_read(api, _SUB, holder_id), is_sub=True)
    except NotFoundError:
        return None


def _port(api: Api, holder_id: str) -> Found | None:
    newer, older = (partial(_read, api, place, holder_id) for place in (_PORT, _PORT_V2))
    try:
        return Found(unless_absent(newer, older))
    except NotFoundError:
        return None


def _read(api: Api, place: _Place, holder_id: str) -> tuple[str, ...]:
    body = api.vpc(place.path, thing_id=holder_id)
    return _groups(body, place, holder_id, api.shape(place.path))


def _groups(body: Json, place: _Place, holder_id: str, shape: Shape) -> tuple[str, ...]:
    row = shape.table(body.get(place.key), place.key)
    if one_spelling(shape.text(row, "id", place.key)) != one_spelling(holder_id):
        raise shape.wrong(f"{place.key}.id: another one than asked for")
    return tuple(one_spelling(one) for one in shape.texts(row, "security_groups", place.key))


def _set_on_port(api: Api, port_id: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    whole = partial(_put, api, _PORT_V2, port_id, {"security_groups": list(after)}, after)
    if (index := _insertion(before, after)) is not None:
        added = list(after[index : index + len(after) - len(before)])
        # Without an index they come last, wherever that is by then.
        place = {"index": index} if index < len(before) else {}
        row = {"security_groups": added, **place}
        unless_absent(partial(_put, api, _INSERT, port_id, row, after), whole)
    elif removed := _removal(before, after):
        row = {"security_groups": removed}
        unless_absent(partial(_put, api, _REMOVE, port_id, row, after), whole)
    else:
        whole()


def _put(api: Api, place: _Place, holder_id: str, row: Json, after: tuple[str, ...]) -> None:
    result = api.change("PUT", place.path, {place.key: row}, fields={"id": holder_id})
    shape = Shape(api.wire.provider, f"PUT {place.path}")
    group_ids = _groups(result, place, holder_id, shape)
    if group_ids != after:
        raise shape.wrong(f"{holder_id} carries {', '.join(group_ids) or 'no group'} now")


def _insertion(before: Sequence[str], after: Sequence[str]) -> int | None:
    """Return the index at which insertion alone leads to ``after``, None where it does not."""
    more = len(after) - len(before)
    if more <= 0:
        return None
    places = range(len(before), -1, -1)
    return next((n for n in places if [*after[:n], *after[n + more :]] == [*before]), None)


def _removal(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the groups whose removal alone leads to ``after``, none where it does not."""
    kept = [one for one in before if one in after]
    return [one for one in before if one not in after] if kept == [*after] else []
