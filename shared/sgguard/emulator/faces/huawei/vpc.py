"""Reads of VPC v3 of an emulated Huawei Cloud: groups, rules, ports, interfaces, quotas.

Quirks read here: ``cascades`` (deleting a referenced
group deletes the referring rules as well; without it the cloud refuses, as its manual says),
``admin_down_ports`` (ids of ports that are administratively down: lists leave them out unless
the request has ``admin_state_up=false``), ``ignored_filters`` (names of filters without effect),
``enterprise_projects`` (id of a group or port to enterprise project; ``0`` for all others),
``granted_eps`` (those the caller may read; all without it), ``eps_shows_rules`` (rules of the
others are shown all the same), and those of :mod:`sgguard.emulator.faces.huawei.page`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from uuid import NAMESPACE_URL, uuid5

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.rows import is_unprotected, owner_of, visible_ports
from sgguard.emulator.faces._rows import Deferred
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.faces.huawei.ecs import quota_row
from sgguard.emulator.faces.huawei.page import (
    Row,
    filtered,
    kept,
    page_of,
    shown_by_default,
    spelt_row,
)
from sgguard.emulator.state import Attachment, Cloud, Group, Interface, Rule

_ACTIONS = {"accept": "allow", "drop": "deny"}


def respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Respond to one read; ``path`` is what follows the project, like ``vpc/security-groups``."""
    path = path.rstrip("/")
    params = request.url.params
    if request.method != "GET":
        return response.not_implemented(request)
    if path in _LISTS:
        collection, rows, known = _LISTS[path]
        ignored = cloud.quirks.get("ignored_filters", [])
        filters = [name for name in known if name not in ignored]

        def find() -> list[Row]:
            if path == "ports":
                found = _filtered_ports(cloud, caller, region, params, filters)
            else:
                found = filtered(rows(cloud, caller, region), params, filters)
            if collection != "security_group_rules":  # those have nothing that is hidden by default
                found = shown_by_default(found, params)
            return found

        return page_of(cloud, params, collection, kept(cloud, caller, (region, path), params, find))
    if path == "vpc/quotas":
        return response.ok(quota=quota_row(cloud))
    parent, _, wanted = path.rpartition("/")
    if parent not in _LISTS:
        return response.not_implemented(request)
    return _show(parent, wanted, cloud, caller, region)


def with_ports(cloud: Cloud) -> Cloud:
    """Return the cloud as its port lists see it.

    Supplementary interfaces are not ports; a product that holds groups has one port.
    """

    def find() -> Cloud:
        ports = [i for i in cloud.interfaces if i.kind != "supplementary"]
        products = (_port_of(attachment) for attachment in cloud.attachments)
        return replace(cloud, interfaces=[*ports, *products])

    return cloud.kept("ports", find)


def _port_of(product: Attachment) -> Interface:
    return Interface(
        id=str(uuid5(NAMESPACE_URL, product.id)),
        groups=product.groups,
        kind=f"{product.kind}/{product.id}",
        name=product.name,
        region=product.region,
        account=product.account,
        project=product.project,
        managed_by=product.id,
    )


def group_row(group: Group) -> Row:
    """Return one group."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "project_id": group.project,
        "enterprise_project_id": "0",
        "created_at": group.created,
        "updated_at": group.created,
        "tags": [{"key": key, "value": value} for key, value in group.tags.items()],
    }


def rule_row(group: Group, rule: Rule) -> Row:
    """Return one rule: v3 has lists of ports, deny rules, priorities and ``enabled``."""
    return {
        "id": rule.id,
        "project_id": group.project,
        "security_group_id": group.id,
        "remote_group_id": rule.peer_group or None,
        "direction": rule.direction,
        "protocol": None if rule.protocol in ("any", "") else rule.protocol,
        "description": rule.description,
        "created_at": group.created,
        "updated_at": group.created,
        "ethertype": rule.ethertype,
        "remote_ip_prefix": rule.cidr or None,
        "multiport": None if rule.ports in ("any", "") else rule.ports,
        "remote_address_group_id": rule.template or None,
        "action": _ACTIONS[rule.action],
        "priority": rule.priority,
        "enabled": rule.enabled,
    }


def port_row(cloud: Cloud, port: Interface) -> Row:
    """Return one port; ``instance_type`` names the product it belongs to."""
    product, _, product_id = port.kind.rpartition("/")
    return {
        "id": port.id,
        "name": port.name,
        "project_id": port.project,
        "tenant_id": port.project,
        "device_id": port.instance or port.managed_by,
        "device_owner": owner_of(port),
        "security_groups": list(port.groups),
        "port_security_enabled": not is_unprotected(cloud, port),
        "admin_state_up": port.id not in cloud.quirks.get("admin_down_ports", []),
        "status": "ACTIVE" if port.instance else "DOWN",
        "vpc_id": port.network,
        "virsubnet_id": port.network,
        "private_ips": [{"ip_address": port.ip}] if port.ip else [],
        "allowed_address_pairs": [],
        "tags": [],
        **product_fields(product, product_id),
        "binding:vif_details": {"primary_interface": port.kind == "primary"},
    }


def product_fields(product: str, product_id: str) -> Row:
    """Return the product a port belongs to, with empty texts for none."""
    return {"instance_type": product.upper(), "instance_id": product_id if product else ""}


def sub_row(cloud: Cloud, interface: Interface) -> Row:
    """Return one supplementary interface; its parent is the instance's primary one."""
    parents = cloud.interfaces_of(interface.instance)
    return {
        "id": interface.id,
        "virsubnet_id": interface.network,
        "private_ip_address": interface.ip,
        "mac_address": "fa:16:3e:00:00:02",
        "parent_device_id": interface.instance,
        "parent_id": next((p.id for p in parents if p.kind == "primary"), ""),
        "description": "",
        "vpc_id": interface.network,
        "vlan_id": 1,
        "security_groups": list(interface.groups),
        "tags": [],
        "project_id": interface.project,
        "created_at": "2026-11-01T00:00:00Z",
        "state": "NORMAL" if interface.instance else "UNBOUND",
    }


def groups_of(cloud: Cloud, caller: Caller, region: str) -> list[Group]:
    """Return the groups of the caller's project in the region."""
    return [g for g in cloud.groups if g.project == caller.project and g.region == region]


def enterprise_project(cloud: Cloud, group: Group) -> str:
    """Return the enterprise project of a group; ``0`` is the default one."""
    return str(cloud.quirks.get("enterprise_projects", {}).get(group.id, "0"))


def is_granted(cloud: Cloud, group: Group) -> bool:
    """Return whether the caller may read the group's enterprise project."""
    granted = cloud.quirks.get("granted_eps")
    return granted is None or enterprise_project(cloud, group) in granted


def _group_rows(cloud: Cloud, caller: Caller, region: str) -> list[Row]:
    groups = [group for group in groups_of(cloud, caller, region) if is_granted(cloud, group)]
    eps = {group.id: enterprise_project(cloud, group) for group in groups}
    return [group_row(group) | {"enterprise_project_id": eps[group.id]} for group in groups]


def _rule_rows(cloud: Cloud, caller: Caller, region: str) -> list[Row]:
    groups = groups_of(cloud, caller, region)
    if not cloud.quirks.get("eps_shows_rules"):
        groups = [group for group in groups if is_granted(cloud, group)]
    return [_deferred_rule(group, rule) for group in groups for rule in group.rules]


def _deferred_rule(group: Group, rule: Rule) -> Row:
    values = {
        "id": rule.id,
        "security_group_id": group.id,
        "remote_group_id": rule.peer_group or None,
    }
    return Deferred(values, partial(rule_row, group, rule))


def port_rows(cloud: Cloud, caller: Caller, region: str) -> list[Row]:
    """Return the ports that the caller's project has in the region."""
    return [port_row(cloud, port) for port in visible_ports(with_ports(cloud), caller, region)]


def _filtered_ports(
    cloud: Cloud, caller: Caller, region: str, params: httpx.QueryParams, filters: Sequence[str]
) -> list[Row]:
    """Return the rows of ports as a request filters them; only those are built."""
    ports = visible_ports(with_ports(cloud), caller, region)
    for name, of in _PORT_VALUES.items():
        wanted = {value.lower() for value in params.get_list(name)} if name in filters else set()
        if wanted:
            ports = [p for p in ports if not wanted.isdisjoint(one.lower() for one in of(p))]
    return filtered([port_row(cloud, port) for port in ports], params, filters)


_PORT_VALUES: dict[str, Callable[[Interface], Sequence[str]]] = {
    "id": lambda port: (port.id,),
    "device_id": lambda port: (port.instance or port.managed_by,),
    "security_groups": lambda port: port.groups,
}


def _sub_rows(cloud: Cloud, caller: Caller, region: str) -> list[Row]:
    ports = visible_ports(cloud, caller, region)
    return [sub_row(cloud, port) for port in ports if port.kind == "supplementary"]


_Rows = Callable[[Cloud, Caller, str], list[Row]]
_LISTS: dict[str, tuple[str, _Rows, tuple[str, ...]]] = {
    "vpc/security-groups": ("security_groups", _group_rows, ("id", "name", "description")),
    "vpc/security-group-rules": (
        "security_group_rules",
        _rule_rows,
        ("id", "security_group_id", "remote_group_id", "direction", "protocol", "action"),
    ),
    "ports": (
        "ports",
        port_rows,
        ("id", "name", "device_id", "device_owner", "security_groups", "instance_id"),
    ),
    "vpc/sub-network-interfaces": (
        "sub_network_interfaces",
        _sub_rows,
        ("id", "parent_id", "vpc_id"),
    ),
}


def _show(parent: str, wanted: str, cloud: Cloud, caller: Caller, region: str) -> httpx.Response:
    """Return one entry of a list by id; a group includes its rules."""
    collection, rows, _ = _LISTS[parent]
    name = collection.removesuffix("s")
    row = next((one for one in rows(cloud, caller, region) if one["id"] == wanted), None)
    group = cloud.group(wanted) if name == "security_group" else None
    if group is not None and group.project == caller.project and not is_granted(cloud, group):
        return response.error("VPC.2201", "Policy doesn't allow vpc:securityGroups:get.")
    if row is None:
        return response.not_found(name, wanted)
    if group is not None:
        row["security_group_rules"] = [rule_row(group, rule) for rule in group.rules]
    return response.ok(**{name: spelt_row(cloud, row)})
