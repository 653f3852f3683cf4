"""Parsers of ECS responses: fields, and groups, instances and interfaces as values of the model.

JSON and XML have one form here, that of JSON: lists are nested, ``{"SecurityGroups":
{"SecurityGroup": [...]}}``. Required members that are missing or of another type raise
:class:`~sgguard.errors.UnknownShapeError`; members that a region or an older server leaves out are
empty.

Source: "Response results", DescribeSecurityGroups, DescribeInstances and DescribeNetworkInterfaces
(2014-05-26), alibabacloud.com/help, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sgguard.errors import (
    UnknownShapeError,
)
from sgguard.model.resource import Binding, Group, Instance, Interface

PROVIDER = "alibaba"
NO_SUCH_GROUP = "InvalidSecurityGroupId.NotFound"

KINDS = {"normal": "basic", "enterprise": "advanced"}
"""The types of groups by the cloud's names for them."""

ADVANCED = KINDS["enterprise"]

INNER_ACCESS = "InnerAccessPolicy"
"""Whether members of a group reach each other without a rule: ``Accept``, or ``Drop``."""

ISOLATED = (INNER_ACCESS, "Drop")
"""The entry of a group with isolated members in :attr:`~sgguard.model.resource.Group.native`."""

_INNER_ACCESS = {"accept": "Accept", "drop": "Drop"}

_BINDABLE = frozenset({"Running", "Stopped"})


@dataclass(frozen=True, slots=True)
class Response:
    """One successful response: its action, and its fields in the form of JSON."""

    action: str
    fields: Mapping[str, Any]

    def items(self, container: str, item: str) -> list[dict[str, Any]]:
        """Return the entries of a list of objects.

        Raises:
            UnknownShapeError: the list, or one of its entries, is not there or something else.
        """
        entries = nested(self.fields, container, item)
        if entries is None or not all(isinstance(entry, dict) for entry in entries):
            raise self.unknown(f"{container}.{item} is not a list of objects")
        return entries

    def unknown(self, detail: str) -> UnknownShapeError:
        """Return the error for a response that is not as documented."""
        return UnknownShapeError(PROVIDER, self.action, detail=detail)


def nested(fields: Mapping[str, Any], container: str, item: str) -> list[Any] | None:
    """Return the list at ``container.item``, None when there is no such list."""
    outer = fields.get(container)
    entries = outer.get(item) if isinstance(outer, dict) else None
    return entries if isinstance(entries, list) else None


def number(value: object) -> int | None:
    """Return a count, which JSON has as a number and XML as text; None when it is neither."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() else None


def required(response: Response, raw: Mapping[str, Any], name: str) -> str:
    """Return a member that is a text and not empty.

    Raises:
        UnknownShapeError: it is missing, empty or something else.
    """
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise response.unknown(f"an entry without {name}")
    return value


def text(response: Response, raw: Mapping[str, Any], name: str) -> str:
    """Return a member as text, empty where it is left out; JSON has some of them as numbers.

    Raises:
        UnknownShapeError: it is an object, a list or the like.
    """
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise response.unknown(f"{name} is no text")
    return str(value)


def text_or_none(response: Response, raw: Mapping[str, Any], name: str) -> str | None:
    """Return a member as :func:`text` does, None where it is left out: it is not told.

    Raises:
        UnknownShapeError: it is an object, a list or the like.
    """
    return None if raw.get(name) is None else text(response, raw, name)


def group_of(response: Response, raw: dict[str, Any]) -> Group:
    """Return a group; its rules are not part of the list."""
    kind = text(response, raw, "SecurityGroupType")
    tags = nested(raw, "Tags", "Tag")
    resource_group = text(response, raw, "ResourceGroupId")
    return Group(
        group_id=required(response, raw, "SecurityGroupId"),
        name=text_or_none(response, raw, "SecurityGroupName"),
        description=text(response, raw, "Description"),
        project=resource_group,
        # A resource group is a folder: instances of any other one may carry the group too.
        is_shared=bool(resource_group),
        network=text(response, raw, "VpcId"),
        kind=KINDS.get(kind, kind),
        managed_by=_manager(response, raw),
        tags=None
        if tags is None
        else tuple(
            (text(response, t, "TagKey"), text(response, t, "TagValue"))
            for t in tags
            if isinstance(t, dict)
        ),
    )


def inner_access(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the inner access of a group as it is kept in ``native``, empty where not reported."""
    value = _INNER_ACCESS.get(str(fields.get(INNER_ACCESS)).lower(), "")
    return ((INNER_ACCESS, value),) if value else ()


def instance_of(
    response: Response, raw: dict[str, Any], interfaces: tuple[Interface, ...] = ()
) -> Instance:
    """Return an instance with its interfaces; its own groups are those of the primary one."""
    state = required(response, raw, "Status")
    vpc = raw.get("VpcAttributes") or {}
    if not isinstance(vpc, dict):
        raise response.unknown("VpcAttributes is no object")
    refusal = (
        f"IncorrectInstanceStatus: the instance is {state}; "
        "a group can be bound while it is Running or Stopped"
    )
    return Instance(
        instance_id=required(response, raw, "InstanceId"),
        name=text(response, raw, "InstanceName"),
        state=state,
        network=text(response, vpc, "VpcId"),
        group_ids=_group_ids(response, raw),
        interfaces=interfaces,
        binding_refusal="" if state in _BINDABLE else refusal,
    )


def interface_of(response: Response, raw: dict[str, Any]) -> Interface:
    """Return a network interface and the groups it carries."""
    return Interface(
        interface_id=required(response, raw, "NetworkInterfaceId"),
        group_ids=_group_ids(response, raw),
        is_primary=required(response, raw, "Type") == "Primary",
    )


def instance_binding(response: Response, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the binding of the group to an instance, by its primary interface."""
    instance_id = required(response, raw, "InstanceId")
    return Binding(
        "instance",
        instance_id,
        name=text(response, raw, "InstanceName"),
        instance_id=instance_id,
        other_group_ids=_others(raw, group_id),
    )


def interface_binding(response: Response, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the binding of the group to an interface, with the service that owns it."""
    return Binding(
        "interface",
        required(response, raw, "NetworkInterfaceId"),
        name=text(response, raw, "NetworkInterfaceName"),
        instance_id=_instance_id(response, raw),
        owner=_manager(response, raw),
        other_group_ids=_others(raw, group_id),
    )


def _instance_id(response: Response, raw: dict[str, Any]) -> str:
    """Return the instance of an interface; it has none while unattached, or with a service."""
    instance_id = text(response, raw, "InstanceId")
    is_attached = text(response, raw, "Status") == "InUse"
    if is_attached and not instance_id and not _manager(response, raw):
        raise response.unknown("an attached interface without InstanceId")
    return instance_id


def _others(raw: dict[str, Any], group_id: str) -> tuple[str, ...] | None:
    """Return the further groups of a holder, None where they are not reported."""
    ids = nested(raw, "SecurityGroupIds", "SecurityGroupId")
    return None if ids is None else tuple(str(one) for one in ids if one != group_id)


def _manager(response: Response, raw: dict[str, Any]) -> str:
    """Return the cloud product that owns a group or an interface, empty when none does.

    A region or an older server may leave it out; what is there must be true or false.
    """
    managed = str(raw.get("ServiceManaged", False)).lower()
    if managed not in ("true", "false"):
        raise response.unknown("ServiceManaged is neither true nor false")
    if managed == "false":
        return ""
    service = text(response, raw, "ServiceID")
    return f"service {service}" if service else "a cloud service"


def _group_ids(response: Response, raw: dict[str, Any]) -> tuple[str, ...]:
    ids = nested(raw, "SecurityGroupIds", "SecurityGroupId")
    if ids is None or not all(isinstance(group_id, str) for group_id in ids):
        raise response.unknown("SecurityGroupIds.SecurityGroupId is not a list of ids")
    return tuple(ids)
