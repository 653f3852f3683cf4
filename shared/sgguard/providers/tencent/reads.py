"""The reads of Tencent's API 3.0 about security groups, one function each.

Each function sends as few calls as the documented ceilings allow, in parallel, and returns the
values of the parsers in :mod:`sgguard.providers.tencent.response`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sgguard.errors import CloudError, NotFoundError
from sgguard.model.resource import Group, Instance, Limit, Rule, Seen, Unseen
from sgguard.providers._tencent import documented_limits
from sgguard.providers.tencent import response
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.listing import (
    GROUPS,
    INSTANCES,
    INTERFACES,
    Listing,
    list_complete,
    list_once,
)
from sgguard.providers.tencent.response import Nic, Operation, Statistics
from sgguard.providers.tencent.rule_shape import PolicySet, policy_set
from sgguard.wire.parallel import in_chunks
from sgguard.wire.shape import Json, Shape

T = TypeVar("T")

_GROUPS_PER_CALL = 100
# The ceiling of these two actions is not documented; Terraform's provider sends fifty.
_COUNTED_PER_CALL = 50
_TOO_MANY_IDS = "InvalidParameterValue.LimitExceeded"
_FILTER_VALUES = 5
# The action is missing on the international site.
_NOT_OFFERED = frozenset({"ActionOffline", "InvalidAction", "UnsupportedOperation"})


def groups(api: TencentApi, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
    """Return the groups (DescribeSecurityGroups), None for each that does not exist.

    A group that is missing from a list not proven complete is missing here as well, with a gap.

    Raises:
        UnknownShapeError: the list has groups that were not asked for.
    """
    shape = api.shape(GROUPS.action)
    unseen: list[Unseen] = []

    def ask(ids: Sequence[str]) -> dict[str, Group]:
        try:
            listed = list_complete(api, GROUPS, {"SecurityGroupIds": list(ids)})
        except NotFoundError:
            return _in_halves(ids, ask)
        found = {one.group_id: one for one in (response.group(shape, row) for row in listed.rows)}
        if not found.keys() <= set(ids):
            raise shape.wrong("SecurityGroupSet: groups that were not asked for")
        for group_id in [one for one in ids if one not in found]:
            unseen.extend(listed.unseen(GROUPS.action, group_id))
        return found

    found = in_chunks(group_ids, _GROUPS_PER_CALL, ask)
    unread = {gap.group_id for gap in unseen}
    known = {one: found.get(one) for one in group_ids if one not in unread}
    return Seen(known, tuple(unseen))


def find_groups(api: TencentApi, name: str) -> tuple[str, ...]:
    """Return the ids of all groups of exactly this name (DescribeSecurityGroups).

    Raises:
        UnknownShapeError: the list is not proven complete.
    """
    shape = api.shape(GROUPS.action)
    by_name = {"Filters": [{"Name": "security-group-name", "Values": [name]}]}
    listed = list_complete(api, GROUPS, by_name)
    if listed.gap:
        raise shape.wrong(listed.gap)
    found = [response.group(shape, row) for row in listed.rows]
    return tuple(one.group_id for one in found if one.name == name)


def referrers(api: TencentApi, group_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, by group, the ids of all groups whose rules name it, perhaps itself included.

    A group that does not exist, or is not mentioned, is missing.
    """
    return _by_group(api, "DescribeSecurityGroupReferences", group_ids, response.references)


def statistics(api: TencentApi, group_ids: Sequence[str]) -> dict[str, Statistics]:
    """Return, by group, how many resources of each product carry it.

    A group that does not exist, or is not mentioned, is missing.
    """
    action = "DescribeSecurityGroupAssociationStatistics"
    return _by_group(api, action, group_ids, response.statistics)


def rules(api: TencentApi, group_id: str) -> tuple[Rule, ...]:
    """Return the rules of a group.

    Raises:
        NotFoundError: the group does not exist.
    """
    return policies(api, group_id).rules


def policies(api: TencentApi, group_id: str) -> PolicySet:
    """Return the rules of a group and their version (DescribeSecurityGroupPolicies has no pages).

    Raises:
        NotFoundError: the group does not exist.
    """
    action = "DescribeSecurityGroupPolicies"
    # Not filtered by peer: whether PolicyIndex then still counts all rules is not documented.
    body = api.read("vpc", action, {"SecurityGroupId": group_id})
    return policy_set(api.shape(action), body)


def instances_by_group(
    api: TencentApi, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Instance, ...]]]:
    """Return, by group, the instances that carry it."""
    return _holders_by_group(
        api,
        INSTANCES,
        filter_name="security-group-id",
        group_ids=group_ids,
        parse=response.instance,
        group_ids_of=lambda one: one.group_ids,
    )


def nics_by_group(api: TencentApi, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Nic, ...]]]:
    """Return, by group, the network interfaces that carry it."""
    return _holders_by_group(
        api,
        INTERFACES,
        filter_name="groups.security-group-id",
        group_ids=group_ids,
        parse=response.nic,
        group_ids_of=lambda one: one.interface.group_ids,
    )


def instance(api: TencentApi, instance_id: str) -> Instance | None:
    """Return the instance, None where there is none.

    Raises:
        UnknownShapeError: the response has another instance.
    """
    row = instance_row(api, instance_id)
    return None if row is None else instance_of(api, row)


def instance_row(api: TencentApi, instance_id: str) -> Json | None:
    """Return the row of an instance, None where it has no such one.

    Raises:
        UnknownShapeError: the response has another instance.
    """
    action = "DescribeInstances"
    shape = api.shape(action)
    try:
        body = api.read("cvm", action, {"InstanceIds": [instance_id]})
    except NotFoundError:
        return None
    rows = shape.tables(body.get("InstanceSet"), "InstanceSet")
    if shape.integer(body, "TotalCount", "Response") != len(rows):
        raise shape.wrong("TotalCount: differs from the length of InstanceSet")
    found = [response.instance(shape, row) for row in rows]
    if [one.instance_id for one in found] not in ([], [instance_id]):
        raise shape.wrong("InstanceSet: an instance that was not asked for")
    return rows[0] if rows else None


def instance_of(api: TencentApi, row: Json) -> Instance:
    """Return the instance that a row of DescribeInstances is about."""
    return response.instance(api.shape("DescribeInstances"), row)


def operation(api: TencentApi, row: Json) -> Operation:
    """Return the latest operation on the instance that a row is about."""
    return response.operation(api.shape("DescribeInstances"), row)


def nic(api: TencentApi, interface_id: str) -> Nic | None:
    """Return the network interface, None where there is none.

    Raises:
        UnknownShapeError: the response has another interface.
    """
    shape = api.shape(INTERFACES.action)
    params = {"NetworkInterfaceIds": [interface_id]}
    try:
        body = api.read(INTERFACES.service, INTERFACES.action, params)
    except NotFoundError:
        return None
    rows = shape.tables(body.get(INTERFACES.key), INTERFACES.key)
    if shape.integer(body, "TotalCount", "Response") != len(rows):
        raise shape.wrong(f"TotalCount: differs from the length of {INTERFACES.key}")
    found = [response.nic(shape, row) for row in rows]
    if [one.interface.interface_id for one in found] not in ([], [interface_id]):
        raise shape.wrong(f"{INTERFACES.key}: an interface that was not asked for")
    return found[0] if found else None


def nics_of(api: TencentApi, instance_id: str) -> Seen[tuple[Nic, ...]]:
    """Return the network interfaces of an instance."""
    params = {"Filters": [{"Name": "attachment.instance-id", "Values": [instance_id]}]}
    listed = list_complete(api, INTERFACES, params)
    nics = tuple(response.nic(api.shape(INTERFACES.action), row) for row in listed.rows)
    return Seen(nics, listed.unseen(INTERFACES.action))


def limits(api: TencentApi) -> Seen[tuple[Limit, ...]]:
    """Return the quotas of the account, the documented ones where the action is not offered."""
    action = "DescribeSecurityGroupLimits"
    try:
        body = api.read("vpc", action, {})
    except CloudError as error:
        if error.code not in _NOT_OFFERED:
            raise
        return Seen(documented_limits(f"{action} is not offered here"))
    return response.limits(api.shape(action), body)


def _by_group(
    api: TencentApi,
    action: str,
    group_ids: Sequence[str],
    parse: Callable[[Shape, Json], dict[str, T]],
) -> dict[str, T]:
    def ask(ids: Sequence[str]) -> dict[str, T]:
        try:
            body = api.read("vpc", action, {"SecurityGroupIds": list(ids)})
        except NotFoundError:
            return _in_halves(ids, ask)
        except CloudError as error:
            if error.code != _TOO_MANY_IDS or len(ids) == 1:
                raise
            return _in_halves(ids, ask)
        return parse(api.shape(action), body)

    found = in_chunks(group_ids, _COUNTED_PER_CALL, ask)
    return {group_id: found[group_id] for group_id in group_ids if group_id in found}


def _in_halves(ids: Sequence[str], ask: Callable[[Sequence[str]], dict[str, T]]) -> dict[str, T]:
    """Ask again for each half of the ids; a single id that is refused does not exist.

    The cloud refuses a whole call because of one unknown id and does not name it. Halving finds one
    among fifty with a dozen calls; single calls would need fifty.
    """
    return in_chunks(ids, (len(ids) + 1) // 2, ask) if len(ids) > 1 else {}


def _holders_by_group(
    api: TencentApi,
    listing: Listing,
    *,
    filter_name: str,
    group_ids: Sequence[str],
    parse: Callable[[Shape, Json], T],
    group_ids_of: Callable[[T], tuple[str, ...]],
) -> Seen[dict[str, tuple[T, ...]]]:
    """List the holders of the groups; a filter takes five values a call.

    Where the list for several groups is not proven complete, each group is listed by itself: a gap
    of one is then no gap of the others.
    """
    unseen: list[Unseen] = []
    shape = api.shape(listing.action)

    def ask(ids: Sequence[str]) -> dict[str, tuple[T, ...]]:
        params = {"Filters": [{"Name": filter_name, "Values": list(ids)}]}
        is_alone = len(ids) == 1
        listed = (list_complete if is_alone else list_once)(api, listing, params)
        if listed.gap and not is_alone:
            return in_chunks(ids, 1, ask)
        unseen.extend(listed.unseen(listing.action, ids[0]))
        found: dict[str, list[T]] = {group_id: [] for group_id in ids}
        for row in listed.rows:
            one = parse(shape, row)
            # A listed holder carries one of the groups, even if its row does not name which.
            for group_id in [name for name in ids if name in group_ids_of(one)] or ids:
                found[group_id].append(one)
        return {group_id: tuple(ones) for group_id, ones in found.items()}

    return Seen(in_chunks(group_ids, _FILTER_VALUES, ask), tuple(unseen))
