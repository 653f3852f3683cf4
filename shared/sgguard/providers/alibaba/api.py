"""Groups, instances and interfaces of Alibaba Cloud ECS in sgguard's words.

Every function takes one object of an answer. Required members that are missing or of another type
raise UnknownShapeError; members that a region or an older server leaves out are empty.

Source: DescribeSecurityGroups, DescribeInstances and DescribeNetworkInterfaces (2014-05-26),
alibabacloud.com/help, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from sgguard.model.resource import Binding, Group, Instance, Interface
from sgguard.providers.alibaba.response import Answer, nested, read_answer, required, text
from sgguard.wire.acs3 import Acs3Auth, canonical_query
from sgguard.wire.client import Wire
from sgguard.wire.rpc_v1 import RpcV1Auth

KINDS = {"normal": "basic", "enterprise": "advanced"}
"""The types of groups by the cloud's names for them."""

ADVANCED = KINDS["enterprise"]

INNER_ACCESS = "InnerAccessPolicy"
"""Whether members of a group reach each other without a rule: ``Accept``, or ``Drop``."""

ISOLATED = (INNER_ACCESS, "Drop")
"""What a group whose members do not has in :attr:`~sgguard.model.resource.Group.native`."""

_INNER_ACCESS = {"accept": "Accept", "drop": "Drop"}

_BINDABLE = frozenset({"Running", "Stopped"})


def group_of(answer: Answer, raw: dict[str, Any]) -> Group:
    """Return a group; its rules are not part of the list."""
    kind = text(answer, raw, "SecurityGroupType")
    tags = nested(raw, "Tags", "Tag") or []
    resource_group = text(answer, raw, "ResourceGroupId")
    return Group(
        group_id=required(answer, raw, "SecurityGroupId"),
        name=text(answer, raw, "SecurityGroupName"),
        description=text(answer, raw, "Description"),
        project=resource_group,
        # A resource group is a folder: instances of any other one may carry the group as well.
        is_shared=bool(resource_group),
        network=text(answer, raw, "VpcId"),
        kind=KINDS.get(kind, kind),
        managed_by=_manager(answer, raw),
        tags=tuple(
            (text(answer, t, "TagKey"), text(answer, t, "TagValue"))
            for t in tags
            if isinstance(t, dict)
        ),
    )


def inner_access(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return whether members reach each other as a description of a group tells it, or nothing."""
    said = _INNER_ACCESS.get(str(fields.get(INNER_ACCESS)).lower(), "")
    return ((INNER_ACCESS, said),) if said else ()


def instance_of(
    answer: Answer, raw: dict[str, Any], interfaces: tuple[Interface, ...] = ()
) -> Instance:
    """Return an instance with its interfaces; its own groups are those of the primary one."""
    state = required(answer, raw, "Status")
    vpc = raw.get("VpcAttributes") or {}
    if not isinstance(vpc, dict):
        raise answer.unknown("VpcAttributes is no object")
    refusal = (
        f"IncorrectInstanceStatus: the instance is {state}; "
        "a group can be bound while it is Running or Stopped"
    )
    return Instance(
        instance_id=required(answer, raw, "InstanceId"),
        name=text(answer, raw, "InstanceName"),
        state=state,
        network=text(answer, vpc, "VpcId"),
        group_ids=_group_ids(answer, raw),
        interfaces=interfaces,
        binding_refusal="" if state in _BINDABLE else refusal,
    )


def interface_of(answer: Answer, raw: dict[str, Any]) -> Interface:
    """Return a network interface and the groups it carries."""
    return Interface(
        interface_id=required(answer, raw, "NetworkInterfaceId"),
        group_ids=_group_ids(answer, raw),
        is_primary=required(answer, raw, "Type") == "Primary",
    )


def instance_binding(answer: Answer, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the instance as something that carries the group on its primary interface."""
    instance_id = required(answer, raw, "InstanceId")
    return Binding(
        "instance",
        instance_id,
        name=text(answer, raw, "InstanceName"),
        instance_id=instance_id,
        other_group_ids=_others(raw, group_id),
    )


def interface_binding(answer: Answer, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the interface as something that carries the group, with the service that owns it."""
    return Binding(
        "interface",
        required(answer, raw, "NetworkInterfaceId"),
        name=text(answer, raw, "NetworkInterfaceName"),
        instance_id=_instance_id(answer, raw),
        owner=_manager(answer, raw),
        other_group_ids=_others(raw, group_id),
    )


def _instance_id(answer: Answer, raw: dict[str, Any]) -> str:
    """Return the instance of an interface; it has none while unattached, or with a service."""
    instance_id = text(answer, raw, "InstanceId")
    is_attached = text(answer, raw, "Status") == "InUse"
    if is_attached and not instance_id and not _manager(answer, raw):
        raise answer.unknown("an attached interface without InstanceId")
    return instance_id


def _others(raw: dict[str, Any], group_id: str) -> tuple[str, ...] | None:
    """Return the further groups of a holder, None where the answer does not tell them."""
    ids = nested(raw, "SecurityGroupIds", "SecurityGroupId")
    return None if ids is None else tuple(str(one) for one in ids if one != group_id)


def _manager(answer: Answer, raw: dict[str, Any]) -> str:
    """Name the cloud product that owns a group or an interface, empty when nobody does.

    A region or an older server may leave it out; what is there must be yes or no.
    """
    managed = str(raw.get("ServiceManaged", False)).lower()
    if managed not in ("true", "false"):
        raise answer.unknown("ServiceManaged is neither true nor false")
    if managed == "false":
        return ""
    service = text(answer, raw, "ServiceID")
    return f"service {service}" if service else "a cloud service"


def _group_ids(answer: Answer, raw: dict[str, Any]) -> tuple[str, ...]:
    ids = nested(raw, "SecurityGroupIds", "SecurityGroupId")
    if ids is None or not all(isinstance(group_id, str) for group_id in ids):
        raise answer.unknown("SecurityGroupIds.SecurityGroupId is not a list of ids")
    return tuple(ids)


# Calls to the Alibaba Cloud ECS API: RPC style, both signatures.

VERSION = "2014-05-26"


@dataclass(frozen=True, slots=True)
class EcsClient:
    """One region of the API at one address, asked in one signature."""

    wire: Wire = field(repr=False)
    region: str
    url: str
    auth: Acs3Auth | RpcV1Auth = field(repr=False)

    def read(self, action: str, params: Mapping[str, str]) -> Answer:
        """Ask a question that changes nothing, again if the error allows it.

        Raises:
            CloudError: the cloud refused, did not answer, or answered something else.
        """
        return self._send(action, params, is_read=True)

    def write(self, action: str, params: Mapping[str, str]) -> Answer:
        """Send a change exactly once.

        Raises:
            CloudError: the cloud refused; the outcome is unknown after UnreachableError.
        """
        return self._send(action, params, is_read=False)

    def _send(self, action: str, params: Mapping[str, str], *, is_read: bool) -> Answer:
        query = {"RegionId": self.region, **params}
        headers: dict[str, str] = {}
        if isinstance(self.auth, RpcV1Auth):
            query |= {"Action": action, "Version": VERSION, "Format": "JSON"}
        else:
            headers = {"x-acs-action": action, "x-acs-version": VERSION}
        answers: list[Answer] = []

        def check(response: httpx.Response) -> None:
            answers.append(read_answer(response, action))

        send = self.wire.read if is_read else self.wire.write
        send(
            "POST",
            f"{self.url}/?{canonical_query(query.items())}",
            action=action,
            check=check,
            auth=self.auth,
            headers={"accept": "application/json", **headers},
        )
        return answers[-1]
