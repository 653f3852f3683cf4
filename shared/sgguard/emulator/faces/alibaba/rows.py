"""The state of the emulated Alibaba Cloud as its ECS API lists it.

Lists lag: with the quirk ``binding_delay_s`` a changed interface is listed with its previous
groups until that time is over. ``keep_listed`` stores them when a change is made, ``listed_groups``
reads them. What the interface really holds is in the state at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sgguard.emulator.faces.alibaba.call import Call
from sgguard.emulator.state import Cloud, Group, Instance, Interface, Rule


def listed_groups(call: Call, interface: Interface) -> list[str]:
    """Return the groups that an interface is listed with now, which may be the previous ones."""
    until_s, groups = call.cloud.tokens.get(_listing_key(interface), (0.0, ()))
    return list(groups) if call.now < until_s else list(interface.groups)


def keep_listed(call: Call, interface: Interface, groups: Sequence[str]) -> None:
    """List these groups for ``binding_delay_s`` seconds, whatever changes meanwhile."""
    if delay_s := call.cloud.quirks.get("binding_delay_s", 0):
        call.cloud.tokens[_listing_key(interface)] = (call.now + delay_s, tuple(groups))


def _listing_key(interface: Interface) -> str:
    return f"alibaba shows {interface.id}"


CAPACITY = 6000
"""Private addresses that a basic group may have."""

_TYPES = {"": "normal", "basic": "normal", "advanced": "enterprise"}
_FAMILY = {"IPv4": "", "IPv6": "Ipv6"}
_ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
_RULE_MEMBERS = (
    "SourceGroupId",
    "SourceGroupName",
    "SourceGroupOwnerAccount",
    "SourceCidrIp",
    "Ipv6SourceCidrIp",
    "SourcePrefixListId",
    "DestGroupId",
    "DestGroupName",
    "DestGroupOwnerAccount",
    "DestCidrIp",
    "Ipv6DestCidrIp",
    "DestPrefixListId",
)


def group_row(call: Call, group: Group) -> dict[str, Any]:
    """Return an entry of DescribeSecurityGroups."""
    count = call.cloud.quirks.get("group_rule_count", "")
    naming = sum(1 for rule in group.rules if rule.peer_group)
    counts = {"RuleCount": len(group.rules), "GroupToGroupRuleCount": naming}
    if count == "absent":
        counts = {}
    if count == "zero":
        counts = dict.fromkeys(counts, 0)
    tags = [{"TagKey": key, "TagValue": value} for key, value in group.tags.items()]
    return {
        "SecurityGroupId": group.id,
        "SecurityGroupName": group.name,
        "Description": group.description,
        "SecurityGroupType": _TYPES.get(group.kind, group.kind),
        "VpcId": group.network,
        "ResourceGroupId": group.project,
        "CreationTime": group.created,
        **counts,
        **_addresses(call, group),
        "Tags": {"Tag": tags},
        **_managed(group.managed_by),
    }


def _addresses(call: Call, group: Group) -> dict[str, int]:
    """Return how many private addresses are in the group, which is told only on request."""
    told = call.cloud.quirks.get("address_count")
    if call.params.get("IsQueryEcsCount", "").lower() != "true" or told == "absent":
        return {}
    count = len(call.cloud.interfaces_with(group.id)) if told is None else told
    return {"EcsCount": count, "AvailableInstanceAmount": max(0, CAPACITY - count)}


def inner_access_fields(cloud: Cloud, group: Group) -> dict[str, str]:
    """Return whether members reach each other without a rule; never in an advanced group."""
    is_isolated = group.isolated or group.kind == "advanced"
    fields = {"InnerAccessPolicy": "Drop" if is_isolated else "Accept"}
    return {} if cloud.quirks.get("omits_inner_access") else fields


def rule_row(cloud: Cloud, rule: Rule) -> dict[str, Any]:
    """Return an entry of DescribeSecurityGroupAttribute; unset fields are empty texts."""
    side, near = ("Source", "Dest") if rule.direction == "ingress" else ("Dest", "Source")
    peer = cloud.group(rule.peer_group)
    entry: dict[str, Any] = dict.fromkeys(_RULE_MEMBERS, "")
    entry |= {
        "SecurityGroupRuleId": rule.id,
        "Direction": rule.direction,
        "IpProtocol": "ALL" if rule.protocol == "any" else rule.protocol.upper(),
        **_ports(rule.ports),
        "SourcePortRange": _port_range(rule.source_ports) if rule.source_ports else "",
        "Policy": rule.action.capitalize(),
        "Priority": rule.priority,
        "NicType": rule.nic,
        "Description": rule.description,
        f"{side}GroupId": rule.peer_group,
        f"{side}GroupName": peer.name if peer else "",
        f"{side}GroupOwnerAccount": rule.peer_account,
        f"{side}PrefixListId": rule.template,
    }
    # Every rule has a peer: in a scenario no peer means any address.
    anywhere = "" if rule.peer_group or rule.template else _ANYWHERE[rule.ethertype]
    entry[f"{_FAMILY[rule.ethertype]}{side}CidrIp"] = rule.cidr or anywhere
    if rule.near_cidr:
        entry[f"{'Ipv6' if ':' in rule.near_cidr else ''}{near}CidrIp"] = rule.near_cidr
    if cloud.quirks.get("rule_ids") == "absent":
        del entry["SecurityGroupRuleId"]
    return entry


def instance_row(call: Call, instance: Instance) -> dict[str, Any]:
    """Return an entry of DescribeInstances."""
    interfaces = call.cloud.interfaces_of(instance.id)
    primary = [one for i in interfaces if i.kind == "primary" for one in listed_groups(call, i)]
    return {
        "InstanceId": instance.id,
        "InstanceName": instance.name,
        "Status": instance.state.capitalize(),
        "RegionId": instance.region,
        "OperationLocks": {"LockReason": _locks(call, instance)},
        "InstanceNetworkType": "vpc",
        "VpcAttributes": {"VpcId": instance.network},
        "SecurityGroupIds": {"SecurityGroupId": primary},
        "NetworkInterfaces": {
            "NetworkInterface": [
                {"NetworkInterfaceId": i.id, "Type": i.kind.capitalize()} for i in interfaces
            ]
        },
    }


def _locks(call: Call, instance: Instance) -> list[dict[str, str]]:
    reasons = call.cloud.quirks.get("locks", {}).get(instance.id, [])
    return [{"LockReason": reason} for reason in reasons]


def interface_state(call: Call, interface: Interface) -> str:
    """Return the state of an interface; one of a service is in use and names no instance."""
    state = "InUse" if interface.instance or interface.managed_by else "Available"
    return str(call.cloud.quirks.get("interface_states", {}).get(interface.id, state))


def interface_row(call: Call, interface: Interface) -> dict[str, Any]:
    """Return an entry of DescribeNetworkInterfaces."""
    return {
        "NetworkInterfaceId": interface.id,
        "NetworkInterfaceName": interface.name,
        "InstanceId": interface.instance,
        "Type": interface.kind.capitalize(),
        "Status": interface_state(call, interface),
        "VpcId": interface.network,
        "PrivateIpAddress": interface.ip,
        "SecurityGroupIds": {"SecurityGroupId": listed_groups(call, interface)},
        **_managed(interface.managed_by),
    }


def references_table(
    referrers: dict[str, list[Group]], shape: str
) -> dict[str, list[dict[str, Any]] | dict[str, Any]]:
    """Return the response of DescribeSecurityGroupReferences in one of its shapes.

    ``real`` is nested, ``documented`` is the bare and misnamed sample of the document, and
    ``hybrid`` is nested with the document's name on the inner list.
    """
    entries: list[dict[str, Any]] = []
    for group_id, groups in referrers.items():
        inner: list[dict[str, Any]] = [
            {"SecurityGroupId": group.id, "AliUid": _number(group.account)} for group in groups
        ]
        member: dict[str, Any] = {"SecurityReferencingGroups": inner}
        if shape == "real":
            member = {"ReferencingSecurityGroups": {"ReferencingSecurityGroup": inner}}
        if shape == "hybrid":
            member = {"SecurityReferencingGroups": {"ReferencingSecurityGroup": inner}}
        entries.append({"SecurityGroupId": group_id, **member})
    if shape == "documented":
        return {"SecurityGroupReferences": entries}
    return {"SecurityGroupReferences": {"SecurityGroupReference": entries}}


def _managed(managed_by: str) -> dict[str, Any]:
    if not managed_by:
        return {"ServiceManaged": False}
    return {"ServiceManaged": True, "ServiceID": _number(managed_by)}


def _number(text: str) -> str | int:
    """Return a number where the text is one: old servers send account ids as numbers."""
    return int(text) if text.isascii() and text.isdigit() else text


def _ports(ports: str) -> dict[str, str]:
    """Return a range of ports, or the port list in its place."""
    if ports.startswith("prl-"):
        return {"PortRange": "", "PortRangeListId": ports}
    return {"PortRange": _port_range(ports)}


def _port_range(ports: str) -> str:
    if ports == "any":
        return "-1/-1"
    first, _, last = ports.partition("-")
    return f"{first}/{last or first}"
