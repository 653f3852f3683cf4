"""Groups, rules, ports and sharing of an emulated cloud as Neutron v2.0 lists them.

Quirks read here: ``shared_by_admin`` (ids of groups whose sharing an administrator set up: their
owner cannot see that they are shared), ``group_fields`` (id of a port to the name of another field
in which it carries its groups, as extensions of some vendors do), ``unprotected_ports`` (ids of
ports whose port security is switched off: they refuse groups), ``network_owners`` (network id to
project: that project sees the ports of others on its network), ``ports_without_address`` (ids of
ports on a network without a subnet), ``unordered_groups`` (the groups of
a port come in an arbitrary order: the real Neutron keeps them in a set, and two of its processes
differ).
"""

from __future__ import annotations

from functools import partial
from ipaddress import ip_network
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._rows import Deferred
from sgguard.emulator.state import Cloud, Group, Interface, Rule

Row = dict[str, Any]

RULE_REVISION = 0
"""The revision of every rule: rules cannot be changed."""

STATELESS = "stateless"
"""The kind of a group whose rules do not remember connections."""

_DEFAULT_ADDRESS = "192.0.2.10"
"""The address of a port for which the scenario names none."""

_PROTOCOLS = {"any": None, "all": None, "": None, "icmpv6": "ipv6-icmp"}


def visible_groups(cloud: Cloud, caller: Caller, region: str) -> list[Group]:
    """Return the groups a caller may see: its project's, those shared with it, or all."""
    return [
        group
        for group in cloud.groups
        if group.region == region
        and (
            caller.sees_all
            or group.project == caller.project
            or {"*", caller.project} & set(group.shared_with)
        )
    ]


def visible_ports(cloud: Cloud, caller: Caller, region: str) -> list[Interface]:
    """Return the ports a caller may see: its project's, those on its networks, or all.

    Holders in other projects are hidden.
    """
    owners = cloud.quirks.get("network_owners", {})
    return [
        port
        for port in cloud.interfaces
        if port.region == region
        and (caller.sees_all or caller.project in (port.project, owners.get(port.network)))
    ]


def is_visible_rule(caller: Caller, group: Group) -> bool:
    """Return whether the policy shows a caller the rules of a group in lists of rules.

    The owner of the group decides, not that of the rule: a rule that an administrator made for
    the caller's project in another project's group stays hidden (measured on Neutron 29).
    """
    return caller.sees_all or group.project == caller.project


def listed_rules(
    cloud: Cloud, caller: Caller, region: str, *, is_filtered: bool
) -> list[tuple[Group, Rule]]:
    """Return the rules a list is made of, before the policy hides some of them.

    With a filter Neutron reads those of all projects; without one, those that belong to the
    caller's project or are in one of its groups.
    """
    return [
        (group, rule)
        for group in cloud.groups
        if group.region == region
        for rule in group.rules
        if is_filtered or caller.sees_all or caller.project in (group.project, rule.project)
    ]


def group_row(group: Group, caller: Caller) -> Row:
    """Return one group with its rules."""
    # For its owner a group is "shared" only if it is shared with every project.
    is_shared = "*" in group.shared_with or (
        group.project != caller.project and caller.project in group.shared_with
    )
    return {
        "id": group.id,
        "name": group.name,
        "stateful": group.kind != STATELESS,
        "tenant_id": group.project,
        "project_id": group.project,
        "description": group.description,
        "shared": is_shared,
        "security_group_rules": [
            rule_row(group, rule) | {"tags": [], "standard_attr_id": 1} for rule in group.rules
        ],
        "tags": tags_of(group),
        "created_at": group.created,
        "updated_at": group.created,
        "revision_number": group.version,
    }


def tags_of(group: Group) -> list[str]:
    """Return the tags of a group, which are plain texts here."""
    return [f"{key}={value}" if value else key for key, value in group.tags.items()]


def deferred_rule(group: Group, rule: Rule) -> Row:
    """Return one rule with what lists are mostly filtered by; the rest is built when asked for."""
    project = rule.project or group.project
    values = {
        "id": rule.id,
        "tenant_id": project,
        "project_id": project,
        "security_group_id": group.id,
        "remote_group_id": rule.peer_group or None,
    }
    return Deferred(values, partial(rule_row, group, rule))


def rule_row(group: Group, rule: Rule) -> Row:
    """Return one rule. Neutron normalises protocols and has ranges of ports only."""
    low, high = _ports(rule.ports)
    protocol = rule.protocol.lower()
    return {
        "id": rule.id,
        "tenant_id": rule.project or group.project,
        "project_id": rule.project or group.project,
        "security_group_id": group.id,
        "ethertype": rule.ethertype,
        "direction": rule.direction,
        "protocol": _PROTOCOLS.get(protocol, protocol),
        "port_range_min": low,
        "port_range_max": high,
        "remote_ip_prefix": rule.cidr or None,
        "remote_address_group_id": rule.template or None,
        "normalized_cidr": _normalized(rule.cidr),
        "remote_group_id": rule.peer_group or None,
        "belongs_to_default_sg": group.default,
        "description": rule.description,
        "created_at": group.created,
        "updated_at": group.created,
        "revision_number": RULE_REVISION,
    }


def port_row(cloud: Cloud, port: Interface) -> Row:
    """Return one port. The owner of an instance's port is ``compute:nova`` by default."""
    return {
        "id": port.id,
        "name": port.name,
        "network_id": port.network,
        "tenant_id": port.project,
        "project_id": port.project,
        "mac_address": "fa:16:3e:00:00:01",
        "admin_state_up": True,
        "status": "ACTIVE" if port.instance else "DOWN",
        "device_id": port.instance or port.managed_by,
        "device_owner": owner_of(port),
        "fixed_ips": _addresses(cloud, port),
        "allowed_address_pairs": [],
        "security_groups": [],
        cloud.quirks.get("group_fields", {}).get(port.id, "security_groups"): _listed_order(
            cloud, port
        ),
        "description": "",
        "binding:vnic_type": "normal",
        "port_security_enabled": not is_unprotected(cloud, port),
        "tags": [],
        "created_at": "2026-11-01T00:00:00Z",
        "updated_at": "2026-11-01T00:00:00Z",
        "revision_number": port.version,
    }


def _addresses(cloud: Cloud, port: Interface) -> list[Row]:
    if not has_address(cloud, port):
        return []
    return [{"subnet_id": port.network, "ip_address": port.ip or _DEFAULT_ADDRESS}]


def has_address(cloud: Cloud, port: Interface) -> bool:
    """Return whether the network of the port has a subnet."""
    return port.id not in cloud.quirks.get("ports_without_address", [])


def is_unprotected(cloud: Cloud, port: Interface) -> bool:
    """Return whether port security is turned off."""
    return port.id in cloud.quirks.get("unprotected_ports", [])


def owner_of(port: Interface) -> str:
    """Return the device owner of a port."""
    return port.owner or ("compute:nova" if port.instance else "")


def policy_rows(cloud: Cloud, caller: Caller, region: str) -> list[Row]:
    """Return the sharing policies a caller may see: those of its own project, or all."""
    hidden = set() if caller.sees_all else set(cloud.quirks.get("shared_by_admin", []))
    return [
        {
            "id": str(uuid5(NAMESPACE_OID, f"{group.id} {target}")),
            "object_type": "security_group",
            "object_id": group.id,
            "action": "access_as_shared",
            "target_tenant": target,
            "project_id": group.project,
            "tenant_id": group.project,
        }
        for group in cloud.groups
        if group.region == region
        and (caller.sees_all or group.project == caller.project)
        and group.id not in hidden
        for target in group.shared_with
    ]


def _listed_order(cloud: Cloud, port: Interface) -> list[str]:
    if not cloud.quirks.get("unordered_groups"):
        return list(port.groups)
    # The order depends on the version: it changes with every change of the port.
    return sorted(port.groups, key=lambda one: uuid5(NAMESPACE_OID, f"{one} {port.version}"))


def _normalized(cidr: str) -> str | None:
    try:
        return str(ip_network(cidr, strict=False)) if cidr else None
    except ValueError:
        return cidr


def _ports(text: str) -> tuple[int | None, int | None]:
    """Return lowest and highest port, or type and code of ICMP (``8-`` has no code)."""
    if text in ("", "any", "all"):
        return None, None
    if "," in text:
        # v3 APIs of clouds derived from Neutron have lists of ports; here they are one range.
        numbers = [int(number) for number in text.replace(",", "-").split("-")]
        return min(numbers), max(numbers)
    low, dash, high = text.partition("-")
    return int(low), int(high) if high else None if dash else int(low)
