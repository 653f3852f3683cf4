"""Parsers of VPC v3 responses: groups, rules, ports and supplementary interfaces as values.

Field names: https://support.huaweicloud.com/intl/en-us/api-vpc/vpc_apiv3_0002.html and the models
of ``huaweicloudsdkvpc`` 3.1.219 (read 2026-11). Ports look the same in v2.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sgguard.model.resource import Binding, Direction, Group, Rule
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import PortRow, RuleRow
from sgguard.wire.openstack.neutron.page import Fetch, Params, read_to_end
from sgguard.wire.shape import Json, Shape

PAGE_MAX = 2000

_NATIVE = ("ethertype", "remote_ip_prefix", "remote_address_group_id")
"""Members needed to create a rule again beside the common ones; texts, without empty ones.

No prefix at all and ``0.0.0.0/0`` mean the same, but are two rules to this cloud.
"""

ENTERPRISE_PROJECT = "enterprise_project_id"
"""The enterprise project of a group; it decides who may see and change the group."""

_ACTIONS: dict[str, Literal["accept", "drop"]] = {"allow": "accept", "deny": "drop"}


@dataclass(frozen=True, slots=True)
class Port:
    """A port, and the product behind it where the cloud names one (``RDS``)."""

    row: PortRow
    vpc: str = ""
    product: str = ""
    product_id: str = ""
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class SubInterface:
    """A supplementary network interface: it has groups of its own beside its parent's."""

    interface_id: str
    instance_id: str
    project: str
    group_ids: tuple[str, ...]


def read_pages(fetch: Fetch, params: Params, collection: str, shape: Shape) -> list[Json]:
    """Return every row of a v3 list, each id once.

    A page without ``next_marker`` is the last one. ``current_count`` proves that a page arrived
    with all its rows.

    Raises:
        UnknownShapeError: a page without its list or its paging, with another number of rows than
            its count, or a marker that repeats: a part of a list is never returned.
    """

    def following(body: Json, page: Sequence[Json]) -> str:
        info = shape.table(body.get("page_info"), "page_info")
        counted = shape.integer_or_none(info, "current_count", "page_info")
        if counted not in (None, len(page)):
            raise shape.wrong(f"{collection}: {len(page)} rows, but current_count is {counted}")
        return shape.text_or_empty(info, "next_marker", "page_info")

    whole = [*params, ("limit", str(PAGE_MAX))]
    return read_to_end(fetch, whole, collection, shape, following)


def parse_group(raw: object, shape: Shape, path: str = "security_group") -> Group:
    """Read one group row.

    Raises:
        UnknownShapeError: id or name is missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    name = shape.text_if_only_empty(row, "name", path)
    # v2.0 has no such key, nor has a v3 without tags: none are told then, which is not "none".
    tags = shape.tables_or_none(row, "tags", path)
    enterprise = shape.text_or_empty(row, ENTERPRISE_PROJECT, path)
    return Group(
        group_id=shape.text(row, "id", path),
        name=name,
        description=shape.text_or_empty(row, "description", path),
        project=shape.text_or_empty(row, "project_id", path),
        # Only its name marks the default group, and no other group may have that name.
        is_default=name == neutron.DEFAULT_GROUP_NAME,
        tags=None
        if tags is None
        else tuple(
            (
                shape.text(tag, "key", f"{path}.tags"),
                shape.text_or_empty(tag, "value", f"{path}.tags"),
            )
            for tag in tags
        ),
        native=((ENTERPRISE_PROJECT, enterprise),) if enterprise else (),
    )


def parse_rule(raw: object, shape: Shape, path: str = "security_group_rule") -> RuleRow:
    """Read one rule row; rules that deny or are switched off are rules like any other.

    Raises:
        UnknownShapeError: a key that names the rule, its group or its peer is missing or odd.
    """
    row = shape.table(raw, path)
    if "remote_group_id" not in row:
        # A rule whose peer was left out would look like one without a peer.
        raise shape.wrong(f"{path}.remote_group_id: missing")
    direction = shape.text(row, "direction", path)
    action = _ACTIONS.get(shape.text_or_empty(row, "action", path) or "allow")
    if direction not in (Direction.INGRESS, Direction.EGRESS) or action is None:
        raise shape.wrong(f"{path}: unknown direction or action")
    peer_group = shape.text_or_empty(row, "remote_group_id", path)
    return RuleRow(
        group_id=shape.text(row, "security_group_id", path),
        project=shape.text_or_empty(row, "project_id", path),
        rule=Rule(
            rule_id=shape.text(row, "id", path),
            direction=Direction(direction),
            protocol=shape.text_or_empty(row, "protocol", path).lower() or "any",
            ports=shape.text_or_empty(row, "multiport", path) or "any",
            peer_group=peer_group,
            peer="" if peer_group else _peer(row, shape, path),
            action=action,
            priority=shape.integer_or_none(row, "priority", path),
            description=shape.text_or_empty(row, "description", path),
            is_enabled=shape.flag(row, "enabled", path, otherwise=True),
            native=_native(row, shape, path),
        ),
    )


def _native(row: Json, shape: Shape, path: str) -> tuple[tuple[str, str], ...]:
    texts = ((key, shape.text_or_empty(row, key, path)) for key in _NATIVE)
    return tuple((key, text) for key, text in texts if text)


def parse_port(raw: object, shape: Shape, path: str = "port") -> Port:
    """Read one port row of v3, v2.0 or v1.

    Raises:
        UnknownShapeError: id or groups are missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    details = row.get("binding:vif_details")
    return Port(
        row=neutron.parse_port(row, shape, path),
        vpc=shape.text_or_empty(row, "vpc_id", path),
        product=shape.text_or_empty(row, "instance_type", path),
        product_id=shape.text_or_empty(row, "instance_id", path),
        is_primary=isinstance(details, dict) and details.get("primary_interface") is True,
    )


def parse_sub_interface(raw: object, shape: Shape, path: str) -> SubInterface:
    """Read one row of ``GET /v3/{project_id}/vpc/sub-network-interfaces``.

    Raises:
        UnknownShapeError: id or groups are missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    return SubInterface(
        interface_id=shape.text(row, "id", path),
        instance_id=shape.text_or_empty(row, "parent_device_id", path),
        project=shape.text_or_empty(row, "project_id", path),
        group_ids=shape.texts(row, "security_groups", path),
    )


_PRODUCTS = {"rds": "database", "dds": "database", "elb": "load-balancer", "dcs": "redis"}


def binding_of(port: Port, group_id: str = "") -> Binding:
    """Return the binding of the group to a port, named after the product behind the port."""
    plain = replace(
        neutron.binding_of(port.row), other_group_ids=_without(port.row.group_ids, group_id)
    )
    if not port.product:
        return plain
    product = port.product.lower()
    return replace(
        plain,
        kind=_PRODUCTS.get(product, product),
        holder_id=port.product_id or plain.holder_id,
    )


def binding_of_sub(interface: SubInterface, group_id: str = "") -> Binding:
    """Return the binding of the group to a supplementary interface."""
    return Binding(
        kind="interface",
        holder_id=interface.interface_id,
        instance_id=interface.instance_id,
        owner="sub-network-interface",
        project=interface.project,
        other_group_ids=_without(interface.group_ids, group_id),
    )


def _without(group_ids: tuple[str, ...], group_id: str) -> tuple[str, ...]:
    return tuple(one for one in group_ids if one != group_id)


def _peer(row: Json, shape: Shape, path: str) -> str:
    if address_group := shape.text_or_empty(row, "remote_address_group_id", path):
        return f"address group {address_group}"
    anywhere = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
    return shape.text_or_empty(row, "remote_ip_prefix", path) or anywhere.get(
        shape.text_or_empty(row, "ethertype", path).lower(), "any"
    )
