"""The reads of Tencent's API 3.0 about security groups, one function each.

Each function sends as few calls as the documented ceilings allow, in parallel, and returns the
values of the parsers in :mod:`sgguard.providers.tencent.response`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sgguard.errors import ApiAbsentError, CloudError, NotFoundError
from sgguard.model.resource import Instance, Limit, Rule, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers._tencent_limits import documented_limits
from sgguard.providers.tencent import limit, response
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.codes import TOO_MANY_VALUES
from sgguard.providers.tencent.listing import (
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

# The ceiling of these two actions is not documented; Terraform's provider sends fifty.
_COUNTED_PER_CALL = 50
_FILTER_VALUES = 5
_NOT_OFFERED = frozenset({"ActionOffline", "InvalidAction", "UnsupportedOperation"})


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
    """Return the quotas of the account, the documented ones where the action is not offered.

    The international site has no such action. Any other reason for which it is not offered (this
    region, this version) is a gap: the account may have lower quotas.
    """
    action = "DescribeSecurityGroupLimits"
    try:
        body = api.read("vpc", action, {})
    except ApiAbsentError as error:
        if error.code not in _NOT_OFFERED:
            raise
        return Seen(documented_limits(said("limit.not-offered", action=action)))
    return limit.limits(api.shape(action), body)


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
            return in_halves(ids, ask)
        except CloudError as error:
            if error.code != TOO_MANY_VALUES or len(ids) == 1:
                raise
            return in_halves(ids, ask)
        return parse(api.shape(action), body)

    found = in_chunks(group_ids, _COUNTED_PER_CALL, ask)
    return {group_id: found[group_id] for group_id in group_ids if group_id in found}


def in_halves(ids: Sequence[str], ask: Callable[[Sequence[str]], dict[str, T]]) -> dict[str, T]:
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

    Where the list for several groups is not proven complete, or a row does not show which of them
    let it through, each group is listed by itself: what is open about one is then settled for the
    others, and a holder of one explains no count of another.
    """
    unseen: list[Unseen] = []
    shape = api.shape(listing.action)

    def ask(ids: Sequence[str]) -> dict[str, tuple[T, ...]]:
        params = {"Filters": [{"Name": filter_name, "Values": list(ids)}]}
        is_alone = len(ids) == 1
        listed = (list_complete if is_alone else list_once)(api, listing, params)
        if listed.gap and not is_alone:
            return in_chunks(ids, 1, ask)
        holders = [parse(shape, row) for row in listed.rows]
        if not is_alone and any(set(ids).isdisjoint(group_ids_of(one)) for one in holders):
            return in_chunks(ids, 1, ask)  # it answers the filter, and does not show for which
        unseen.extend(listed.unseen(listing.action, ids[0]))
        found: dict[str, list[T]] = {group_id: [] for group_id in ids}
        for one in holders:
            # A listed holder carries the group, even if its row does not name it.
            for group_id in [name for name in ids if name in group_ids_of(one)] or ids:
                found[group_id].append(one)
        return {group_id: tuple(ones) for group_id, ones in found.items()}

    return Seen(in_chunks(group_ids, _FILTER_VALUES, ask), tuple(unseen))
