"""Groups, rules, instances and interfaces of Alibaba Cloud ECS in sgguard's words.

Every function takes one object of an answer. Required members that are missing or of another type
raise UnknownShapeError; members that a region or an older server leaves out are empty.

Source: DescribeSecurityGroups, DescribeSecurityGroupAttribute, DescribeInstances and
DescribeNetworkInterfaces (2014-05-26), alibabacloud.com/help, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sgguard.model import Binding, Direction, Group, Instance, Interface, Rule
from sgguard.providers.alibaba.answer import Answer, nested, number

_KINDS = {"normal": "basic", "enterprise": "advanced"}
_BINDABLE = frozenset({"Running", "Stopped"})
_PEERS = {
    Direction.INGRESS: ("SourceCidrIp", "Ipv6SourceCidrIp", "SourcePrefixListId"),
    Direction.EGRESS: ("DestCidrIp", "Ipv6DestCidrIp", "DestPrefixListId"),
}


def group_of(answer: Answer, raw: dict[str, Any]) -> Group:
    """Return a group; its rules are not part of the list."""
    kind = _text(answer, raw, "SecurityGroupType")
    tags = nested(raw, "Tags", "Tag") or []
    return Group(
        group_id=_required(answer, raw, "SecurityGroupId"),
        name=_text(answer, raw, "SecurityGroupName"),
        description=_text(answer, raw, "Description"),
        network=_text(answer, raw, "VpcId"),
        kind=_KINDS.get(kind, kind),
        managed_by=_manager(answer, raw),
        tags=tuple(
            (_text(answer, t, "TagKey"), _text(answer, t, "TagValue"))
            for t in tags
            if isinstance(t, dict)
        ),
    )


def rules_of(answer: Answer, rows: Sequence[dict[str, Any]]) -> tuple[Rule, ...]:
    """Return the rules of a group, ingress first, else in the cloud's order.

    Raises:
        UnknownShapeError: a rule without a direction or without any other end, or whose other
            end is a group with something else than an id.
    """
    rules = [_rule(answer, raw, position) for position, raw in enumerate(rows)]
    return tuple(sorted(rules, key=lambda rule: rule.direction is Direction.EGRESS))


def _rule(answer: Answer, raw: dict[str, Any], position: int) -> Rule:
    try:
        direction = Direction(_required(answer, raw, "Direction").lower())
    except ValueError as error:
        raise answer.unknown("a rule is neither ingress nor egress") from error
    peer_group = _peer_group(answer, raw, direction)
    peer = next((value for name in _PEERS[direction] if (value := _text(answer, raw, name))), "")
    if not (peer_group or peer):
        # Every rule has another end. Without one it may be a reference whose member has a new name.
        raise answer.unknown("a rule with neither group, address range nor prefix list")
    return Rule(
        rule_id=_text(answer, raw, "SecurityGroupRuleId") or f"{direction}[{position}]",
        direction=direction,
        protocol=_any(_text(answer, raw, "IpProtocol").lower(), "all", "-1", ""),
        ports=_ports(answer, raw),
        peer_group=peer_group,
        peer="" if peer_group else peer,
        action="drop" if _text(answer, raw, "Policy").lower() == "drop" else "accept",
        priority=number(raw.get("Priority")),
        description=_text(answer, raw, "Description"),
    )


def _peer_group(answer: Answer, raw: dict[str, Any], direction: Direction) -> str:
    name = "SourceGroupId" if direction is Direction.INGRESS else "DestGroupId"
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise answer.unknown(f"{name} is neither an id nor empty")
    return value


def instance_of(
    answer: Answer, raw: dict[str, Any], interfaces: tuple[Interface, ...] = ()
) -> Instance:
    """Return an instance with its interfaces; its own groups are those of the primary one."""
    state = _required(answer, raw, "Status")
    vpc = raw.get("VpcAttributes") or {}
    if not isinstance(vpc, dict):
        raise answer.unknown("VpcAttributes is no object")
    refusal = (
        f"IncorrectInstanceStatus: the instance is {state}; "
        "a group can be bound while it is Running or Stopped"
    )
    return Instance(
        instance_id=_required(answer, raw, "InstanceId"),
        name=_text(answer, raw, "InstanceName"),
        state=state,
        network=_text(answer, vpc, "VpcId"),
        group_ids=_group_ids(answer, raw),
        interfaces=interfaces,
        binding_refusal="" if state in _BINDABLE else refusal,
    )


def interface_of(answer: Answer, raw: dict[str, Any]) -> Interface:
    """Return a network interface and the groups it carries."""
    return Interface(
        interface_id=_required(answer, raw, "NetworkInterfaceId"),
        group_ids=_group_ids(answer, raw),
        is_primary=_required(answer, raw, "Type") == "Primary",
    )


def instance_binding(answer: Answer, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the instance as something that carries the group on its primary interface."""
    instance_id = _required(answer, raw, "InstanceId")
    return Binding(
        "instance",
        instance_id,
        name=_text(answer, raw, "InstanceName"),
        instance_id=instance_id,
        other_group_ids=_others(raw, group_id),
    )


def interface_binding(answer: Answer, raw: dict[str, Any], group_id: str) -> Binding:
    """Return the interface as something that carries the group, with the service that owns it."""
    return Binding(
        "interface",
        _required(answer, raw, "NetworkInterfaceId"),
        name=_text(answer, raw, "NetworkInterfaceName"),
        instance_id=_instance_id(answer, raw),
        owner=_manager(answer, raw),
        other_group_ids=_others(raw, group_id),
    )


def _instance_id(answer: Answer, raw: dict[str, Any]) -> str:
    """Return the instance of an interface; it has none while unattached, or with a service."""
    instance_id = _text(answer, raw, "InstanceId")
    is_attached = _text(answer, raw, "Status") == "InUse"
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
    service = _text(answer, raw, "ServiceID")
    return f"service {service}" if service else "a cloud service"


def _group_ids(answer: Answer, raw: dict[str, Any]) -> tuple[str, ...]:
    ids = nested(raw, "SecurityGroupIds", "SecurityGroupId")
    if ids is None or not all(isinstance(group_id, str) for group_id in ids):
        raise answer.unknown("SecurityGroupIds.SecurityGroupId is not a list of ids")
    return tuple(ids)


def _ports(answer: Answer, raw: dict[str, Any]) -> str:
    if port_list := _text(answer, raw, "PortRangeListId"):
        return port_list
    first, _, last = _any(_text(answer, raw, "PortRange"), "-1/-1", "").partition("/")
    return first if last in ("", first) else f"{first}-{last}"


def _any(value: str, *spellings: str) -> str:
    return "any" if value in spellings else value


def _required(answer: Answer, raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise answer.unknown(f"an entry without {name}")
    return value


def _text(answer: Answer, raw: dict[str, Any], name: str) -> str:
    """Return a member as text, empty where it is left out; JSON has some of them as numbers."""
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise answer.unknown(f"{name} is no text")
    return str(value)
