"""The questions Tencent's API 3.0 answers about security groups, one function each.

Each function sends as few calls as the documented ceilings allow, side by side, and returns what
the parsers of :mod:`sgguard.providers.tencent.answer` understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sgguard.errors import CloudError, NotFoundError
from sgguard.model import Group, Instance, Limit, Rule, Seen, Unseen
from sgguard.providers._tencent_limits import documented_limits
from sgguard.providers.tencent import answer as answers
from sgguard.providers.tencent.answer import Nic, Statistics
from sgguard.providers.tencent.api import PAGE, Service, TencentApi, every_page
from sgguard.wire.paging import in_chunks
from sgguard.wire.shape import Json, Shape

T = TypeVar("T")

_GROUPS_PER_CALL = 100
# The ceiling of these two actions is not documented; fifty is what Terraform's provider sends.
_COUNTED_PER_CALL = 50
_FILTER_VALUES = 5
# The action is missing on the international site.
_NOT_OFFERED = frozenset({"InvalidAction", "UnsupportedOperation"})


def groups(api: TencentApi, group_ids: Sequence[str]) -> dict[str, Group]:
    """Return the groups that exist (DescribeSecurityGroups).

    Raises:
        UnknownShapeError: groups came that were not asked for, or not all that were found.
    """
    action = "DescribeSecurityGroups"
    shape = api.shape(action)

    def ask(ids: Sequence[str]) -> dict[str, Group]:
        # Offset and Limit are texts in this one action.
        params = {"SecurityGroupIds": list(ids), "Offset": "0", "Limit": str(PAGE)}
        answer = api.read("vpc", action, params)
        rows = shape.tables(answer.get("SecurityGroupSet"), "SecurityGroupSet")
        if shape.whole(answer, "TotalCount", "Response") != len(rows):
            raise shape.wrong("TotalCount: differs from the length of SecurityGroupSet")
        found = [answers.group(shape, row) for row in rows]
        if not {group.group_id for group in found} <= set(ids):
            raise shape.wrong("SecurityGroupSet: groups that were not asked for")
        return {group.group_id: group for group in found}

    return in_chunks(group_ids, _GROUPS_PER_CALL, ask)


def referrers(api: TencentApi, group_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, by group, the ids of all groups whose rules name it, perhaps itself included.

    A group the cloud does not know, or does not mention, is missing.
    """
    return _by_group(api, "DescribeSecurityGroupReferences", group_ids, answers.references)


def statistics(api: TencentApi, group_ids: Sequence[str]) -> dict[str, Statistics]:
    """Return, by group, how many resources of each product carry it.

    A group the cloud does not know, or does not mention, is missing.
    """
    action = "DescribeSecurityGroupAssociationStatistics"
    return _by_group(api, action, group_ids, answers.statistics)


def rules(api: TencentApi, group_id: str) -> tuple[Rule, ...]:
    """Return the rules of a group (DescribeSecurityGroupPolicies has no pages).

    Raises:
        NotFoundError: the group does not exist.
    """
    action = "DescribeSecurityGroupPolicies"
    # Not filtered by peer: whether PolicyIndex then still counts all rules is not documented.
    answer = api.read("vpc", action, {"SecurityGroupId": group_id})
    return answers.rules(api.shape(action), answer)


def instances_by_group(
    api: TencentApi, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Instance, ...]]]:
    """Return, by group, the instances that carry it."""
    return _carriers(
        api,
        "cvm",
        "DescribeInstances",
        "InstanceSet",
        filter_name="security-group-id",
        group_ids=group_ids,
        parse=answers.instance,
        carried=lambda one: one.group_ids,
    )


def nics_by_group(api: TencentApi, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Nic, ...]]]:
    """Return, by group, the network interfaces that carry it."""
    return _carriers(
        api,
        "vpc",
        "DescribeNetworkInterfaces",
        "NetworkInterfaceSet",
        filter_name="groups.security-group-id",
        group_ids=group_ids,
        parse=answers.nic,
        carried=lambda one: one.interface.group_ids,
    )


def instance(api: TencentApi, instance_id: str) -> Instance | None:
    """Return the instance, None where the cloud knows no such one.

    Raises:
        UnknownShapeError: another instance came.
    """
    action = "DescribeInstances"
    shape = api.shape(action)
    try:
        answer = api.read("cvm", action, {"InstanceIds": [instance_id]})
    except NotFoundError:
        return None
    rows = shape.tables(answer.get("InstanceSet"), "InstanceSet")
    if shape.whole(answer, "TotalCount", "Response") != len(rows):
        raise shape.wrong("TotalCount: differs from the length of InstanceSet")
    found = [answers.instance(shape, row) for row in rows]
    if [one.instance_id for one in found] not in ([], [instance_id]):
        raise shape.wrong("InstanceSet: an instance that was not asked for")
    return found[0] if found else None


def nics_of(api: TencentApi, instance_id: str) -> Seen[tuple[Nic, ...]]:
    """Return the network interfaces of an instance."""
    action, key = "DescribeNetworkInterfaces", "NetworkInterfaceSet"
    params = {"Filters": [{"Name": "attachment.instance-id", "Values": [instance_id]}]}
    listed = every_page(api, "vpc", action, params, key)
    return Seen(tuple(answers.nic(api.shape(action), row) for row in listed.rows))


def limits(api: TencentApi) -> tuple[Limit, ...]:
    """Return the quotas of the account, the documented ones where the action is not offered."""
    action = "DescribeSecurityGroupLimits"
    try:
        answer = api.read("vpc", action, {})
    except CloudError as error:
        if error.code not in _NOT_OFFERED:
            raise
        return documented_limits(f"{action} is not offered here")
    return answers.limits(api.shape(action), answer)


def _by_group(
    api: TencentApi,
    action: str,
    group_ids: Sequence[str],
    parse: Callable[[Shape, Json], dict[str, T]],
) -> dict[str, T]:
    def ask(ids: Sequence[str]) -> dict[str, T]:
        answer = api.read("vpc", action, {"SecurityGroupIds": list(ids)})
        return parse(api.shape(action), answer)

    found = in_chunks(group_ids, _COUNTED_PER_CALL, ask)
    return {group_id: found[group_id] for group_id in group_ids if group_id in found}


def _carriers(
    api: TencentApi,
    service: Service,
    action: str,
    key: str,
    *,
    filter_name: str,
    group_ids: Sequence[str],
    parse: Callable[[Shape, Json], T],
    carried: Callable[[T], tuple[str, ...]],
) -> Seen[dict[str, tuple[T, ...]]]:
    """List what carries any of the groups; a filter takes five values a call."""
    unseen: list[Unseen] = []

    def ask(ids: Sequence[str]) -> dict[str, tuple[T, ...]]:
        params = {"Filters": [{"Name": filter_name, "Values": list(ids)}]}
        listed = every_page(api, service, action, params, key)
        if not listed.is_whole:
            unseen.append(_ceiling(action, len(listed.rows), listed.total))
        found: dict[str, list[T]] = {group_id: [] for group_id in ids}
        for row in listed.rows:
            one = parse(api.shape(action), row)
            # What the filter let through carries one of them, even if it does not say which.
            for group_id in [name for name in ids if name in carried(one)] or ids:
                found[group_id].append(one)
        return {group_id: tuple(ones) for group_id, ones in found.items()}

    return Seen(in_chunks(group_ids, _FILTER_VALUES, ask), tuple(unseen))


def _ceiling(action: str, read: int, total: int) -> Unseen:
    return Unseen(
        code="record-ceiling",
        what=action,
        why=f"{read} of {total} were read",
        remedy="none: so many holders need a look by a person",
    )
