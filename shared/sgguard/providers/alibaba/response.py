"""Parsers of ECS responses: fields, and groups, instances and interfaces as values of the model.

JSON and XML have one form here, that of JSON: lists are nested, ``{"SecurityGroups":
{"SecurityGroup": [...]}}``. Numbers may be texts, as in XML. What each member decides:

- ``SecurityGroupId``, ``InstanceId``, ``NetworkInterfaceId``: what is judged or changed. Required.
- ``SecurityGroupIds``: what a holder carries. Required where groups are compared or replaced; in a
  list by group a holder without it still holds, with unknown further groups.
- ``VpcId``, ``SecurityGroupType``, ``SecurityGroupName``, ``ResourceGroupId``, ``Tags``: limits,
  policies, launches. May be left out, and must be readable where they are there.
- ``ServiceManaged``: whether a service owns it. May be left out, else it is true or false.
- ``Status`` (of an instance at a launch), ``Type`` of an interface: required. In lists of holders
  ``Status`` and ``OperationLocks`` only tell beforehand that a change would be refused.
- Descriptions, names of holders and ``ServiceID`` decide nothing: whatever they hold is shown.

Source: "Response results", DescribeSecurityGroups, DescribeInstances and DescribeNetworkInterfaces
(2014-05-26), alibabacloud.com/help, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sgguard.errors import (
    UnknownShapeError,
)
from sgguard.model.resource import Binding, Group, Instance, Interface, Tags
from sgguard.model.sentence import Text, listed, said
from sgguard.wire.shape import Shape

PROVIDER = "alibaba"

KINDS = {"normal": "basic", "enterprise": "advanced"}
"""The types of groups by the cloud's names for them."""

ADVANCED = KINDS["enterprise"]

INNER_ACCESS = "InnerAccessPolicy"
"""Whether members of a group reach each other without a rule: ``Accept``, or ``Drop``."""

ISOLATED = (INNER_ACCESS, "Drop")
"""The entry of a group with isolated members in :attr:`~sgguard.model.resource.Group.native`."""

_INNER_ACCESS = {"accept": "Accept", "drop": "Drop"}

_BINDABLE = frozenset({"running", "stopped"})
_SETTLED = frozenset({"available", "inuse", ""})
"""States of an interface in which its groups can be changed; ``""``: the server tells none."""


class Response(msgspec.Struct, frozen=True):
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

    @property
    def shape(self) -> Shape:
        """Reads values out of this response."""
        return Shape(PROVIDER, self.action)

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
    """Return a member that must be there and not be empty, as text.

    Raises:
        UnknownShapeError: it is missing, empty, or neither a text nor a number.
    """
    value = text(response, raw, name)
    if not value:
        raise response.unknown(f"an entry without {name}")
    return value


def text(response: Response, raw: Mapping[str, Any], name: str) -> str:
    """Return a member as text, empty where it is left out; JSON has some of them as numbers.

    Raises:
        UnknownShapeError: it is something else.
    """
    value = raw.get(name)
    if isinstance(value, str):  # nearly every member of a rule
        return value
    return response.shape.text_or_empty(raw, name, response.action)


def shown(response: Response, raw: Mapping[str, Any], name: str) -> str:
    """Return a member that decides nothing, as text, whatever it is."""
    return response.shape.shown(raw, name)


def text_or_none(response: Response, raw: Mapping[str, Any], name: str) -> str | None:
    """Return a member as :func:`text` does, None where it is left out: it is not told.

    Raises:
        UnknownShapeError: it is an object, a list or the like.
    """
    return None if raw.get(name) is None else text(response, raw, name)


def group_of(response: Response, raw: dict[str, Any]) -> Group:
    """Return a group; its rules are not part of the list."""
    kind = text_or_none(response, raw, "SecurityGroupType")
    resource_group = text(response, raw, "ResourceGroupId")
    return Group(
        group_id=required(response, raw, "SecurityGroupId"),
        name=text_or_none(response, raw, "SecurityGroupName"),
        description=shown(response, raw, "Description"),
        project=resource_group,
        # A resource group is a folder: instances of any other one may carry the group too.
        is_shared=bool(resource_group),
        network=text(response, raw, "VpcId"),
        kind=None if kind is None else KINDS.get(kind.lower(), kind.lower()),
        managed_by=manager(response, raw),
        tags=_tags(response, raw),
    )


def _tags(response: Response, raw: dict[str, Any]) -> Tags | None:
    """Return the tags of a group, None where they are not told.

    Raises:
        UnknownShapeError: an entry is none; policies ask for them.
    """
    tags = nested(raw, "Tags", "Tag")
    if tags is None:
        return None
    if not all(isinstance(tag, dict) for tag in tags):
        raise response.unknown("Tags.Tag is not a list of objects")
    return tuple((text(response, t, "TagKey"), text(response, t, "TagValue")) for t in tags)


def inner_access(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the inner access of a group as it is kept in ``native``, empty where not reported."""
    value = _INNER_ACCESS.get(str(fields.get(INNER_ACCESS)).lower(), "")
    return ((INNER_ACCESS, value),) if value else ()


def instance_of(
    response: Response, raw: dict[str, Any], interfaces: tuple[Interface, ...] = ()
) -> Instance:
    """Return an instance with its interfaces; its own groups are those of the primary one."""
    vpc = raw.get("VpcAttributes") or {}
    if not isinstance(vpc, dict):
        raise response.unknown("VpcAttributes is no object")
    return Instance(
        instance_id=required(response, raw, "InstanceId"),
        name=shown(response, raw, "InstanceName"),
        state=required(response, raw, "Status"),
        network=text(response, vpc, "VpcId"),
        group_ids=_group_ids(response, raw),
        interfaces=interfaces,
        binding_refusal=_instance_refusal(response, raw),
    )


def _instance_refusal(response: Response, raw: dict[str, Any]) -> Text:
    """Return what the cloud answers to a change of an instance's groups now, empty for none.

    JoinSecurityGroup, LeaveSecurityGroup and ModifyInstanceAttribute: IncorrectInstanceStatus and
    InstanceLockedForSecurity.
    """
    state = shown(response, raw, "Status")
    if state and state.lower() not in _BINDABLE:
        return said("refusal.instance-state", state=state)
    if locks := _lock_reasons(raw):
        return said("refusal.instance-locked", locks=listed(locks))
    return ""


def _lock_reasons(raw: dict[str, Any]) -> list[str]:
    """Return why an instance is locked: JSON has objects in a list, XML has one object or text."""
    locks = raw.get("OperationLocks")
    found = locks.get("LockReason") if isinstance(locks, dict) else None
    entries = found if isinstance(found, list) else [found]
    reasons = [one.get("LockReason") if isinstance(one, dict) else one for one in entries]
    return [str(one) for one in reasons if one]


def interface_of(response: Response, raw: dict[str, Any]) -> Interface:
    """Return a network interface and the groups it carries."""
    return Interface(
        interface_id=required(response, raw, "NetworkInterfaceId"),
        group_ids=_group_ids(response, raw),
        is_primary=required(response, raw, "Type").lower() == "primary",
        change_refusal=_interface_refusal(response, raw, manager(response, raw)),
    )


def interface_ids(raw: dict[str, Any]) -> tuple[str, ...]:
    """Return the interfaces that the row of an instance names, empty where it names none."""
    rows = nested(raw, "NetworkInterfaces", "NetworkInterface") or []
    ids = (row.get("NetworkInterfaceId") for row in rows if isinstance(row, dict))
    return tuple(one for one in ids if isinstance(one, str) and one)


def instance_binding(response: Response, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the binding of the group to an instance, by its primary interface."""
    instance_id = required(response, raw, "InstanceId")
    return Binding(
        "instance",
        instance_id,
        name=shown(response, raw, "InstanceName"),
        instance_id=instance_id,
        other_group_ids=_others(raw, group_id),
        change_refusal=_instance_refusal(response, raw),
    )


def interface_binding(response: Response, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the binding of the group to an interface, with the service that owns it.

    It has no instance while unattached, or with a service; it is a holder all the same.
    """
    owner = manager(response, raw)
    return Binding(
        "interface",
        required(response, raw, "NetworkInterfaceId"),
        name=shown(response, raw, "NetworkInterfaceName"),
        instance_id=text(response, raw, "InstanceId"),
        owner=owner,
        other_group_ids=_others(raw, group_id),
        change_refusal=_interface_refusal(response, raw, owner),
    )


def _interface_refusal(response: Response, raw: dict[str, Any], owner: str) -> Text:
    """Return what the cloud answers to a change of an interface's groups now, empty for none."""
    if owner:
        return said("refusal.service-managed", owner=owner)
    state = shown(response, raw, "Status")
    if state.lower() not in _SETTLED:
        return said("refusal.interface-state", state=state)
    return ""


def is_attached(response: Response, raw: dict[str, Any]) -> bool:
    """Return whether an interface is in use by an instance, named or not."""
    return shown(response, raw, "Status").lower() == "inuse"


def _others(raw: dict[str, Any], group_id: str) -> tuple[str, ...] | None:
    """Return the further groups of a holder, None where they are not reported."""
    ids = nested(raw, "SecurityGroupIds", "SecurityGroupId")
    return None if ids is None else tuple(str(one) for one in ids if one != group_id)


def manager(response: Response, raw: dict[str, Any]) -> str:
    """Return the cloud product that owns a group or an interface, empty when none does.

    Raises:
        UnknownShapeError: the member is there, and neither true nor false.
    """
    if raw.get("ServiceManaged", False) is None:
        raise response.unknown("ServiceManaged is neither true nor false")
    if not response.shape.flag(raw, "ServiceManaged", response.action, otherwise=False):
        return ""
    service = shown(response, raw, "ServiceID")
    return f"service {service}" if service else "a cloud service"


def _group_ids(response: Response, raw: dict[str, Any]) -> tuple[str, ...]:
    ids = nested(raw, "SecurityGroupIds", "SecurityGroupId")
    if ids is None or not all(isinstance(group_id, str) for group_id in ids):
        raise response.unknown("SecurityGroupIds.SecurityGroupId is not a list of ids")
    return tuple(ids)
