"""Parsers of VPC v3 responses: groups, rules, ports and supplementary interfaces as values.

Field names: https://support.huaweicloud.com/intl/en-us/api-vpc/vpc_apiv3_0002.html and the models
of ``huaweicloudsdkvpc`` 3.1.219 (read 2026-11). Ports look the same in v2.0 and v1.

A row needs what a verdict rests on: its id, its groups, its direction and peer; a project, for
signs of sharing; an owner and a device, for what the holder is. What is only shown (names,
descriptions, networks) may have any value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec
from msgspec.structs import replace

from sgguard.errors import UnknownShapeError
from sgguard.model.resource import Direction, Group, Rule
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import PortRow, RuleRow
from sgguard.wire.shape import Json, Shape

T = TypeVar("T")

_NATIVE = ("ethertype", "remote_ip_prefix", "remote_address_group_id")
"""Members needed to create a rule again beside the common ones; texts, without empty ones.

No prefix at all and ``0.0.0.0/0`` mean the same, but are two rules to this cloud.
"""

ENTERPRISE_PROJECT = "enterprise_project_id"
"""The enterprise project of a group; it decides who may see and change the group."""

ODD = "odd "
"""Before the name of a native part: the field had a value that no rule can be made with again."""

_ACTIONS: dict[str, Literal["accept", "drop"]] = {"allow": "accept", "deny": "drop"}


class Port(msgspec.Struct, frozen=True):
    """A port, and the product behind it where the cloud names one (``RDS``).

    ``elsewhere`` are groups that it carries in another field than ``security_groups``.
    """

    row: PortRow
    elsewhere: tuple[str, ...] = ()
    product: str = ""
    product_id: str = ""
    is_primary: bool = False

    @property
    def carried(self) -> tuple[str, ...]:
        """Every group that it carries, in whatever field."""
        return (*self.row.group_ids, *self.elsewhere)


class SubInterface(msgspec.Struct, frozen=True):
    """A supplementary network interface: it has groups of its own beside its parent's."""

    interface_id: str
    instance_id: str
    project: str
    group_ids: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def carried(self) -> tuple[str, ...]:
        """Every group that it carries, in whatever field."""
        return (*self.group_ids, *self.elsewhere)


_ANY_CASE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def one_spelling(text: str) -> str:
    """Return an id as it is compared: a UUID in lower case.

    The cloud finds an id in any letter case (its databases compare without it), and shows it as
    it was once written. So ids are spelt one way as soon as they are read.
    """
    return text.lower() if _ANY_CASE.fullmatch(text) else text


def parse_group(raw: object, shape: Shape, path: str = "security_group") -> Group:
    """Read one group row.

    Raises:
        UnknownShapeError: id or name is missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    name = shape.text_if_only_empty(row, "name", path)
    # v2.0 has no such key, nor has a v3 without tags: none are told then, which is not "none".
    tags = shape.tables_or_none(row, "tags", path)
    enterprise = shape.shown(row, ENTERPRISE_PROJECT)
    return Group(
        group_id=one_spelling(shape.text(row, "id", path)),
        name=name,
        description=shape.shown(row, "description"),
        project=shape.text_or_empty(row, "project_id", path),
        kind="",
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

    A verdict needs its id, group, peer, direction and project. Values of other fields that are not
    understood are kept as they are (:data:`ODD`): such a rule is a reference like any other.

    Raises:
        UnknownShapeError: a key that names the rule, its group or its peer is missing or odd.
    """
    row = shape.table(raw, path)
    if "remote_group_id" not in row:
        # A rule whose peer was left out would look like one without a peer.
        raise shape.wrong(f"{path}.remote_group_id: missing")
    direction = shape.text(row, "direction", path).lower()
    if direction not in (Direction.INGRESS, Direction.EGRESS):
        raise shape.wrong(f"{path}: unknown direction")
    peer_group = one_spelling(shape.text_or_empty(row, "remote_group_id", path))
    nothing: int | None = None
    priority, has_odd = _or_odd(
        lambda: shape.integer_or_none(row, "priority", path), otherwise=nothing
    )
    is_enabled, is_odd = _or_odd(
        lambda: shape.flag(row, "enabled", path, otherwise=True), otherwise=True
    )
    action = _ACTIONS.get(shape.shown(row, "action").lower() or "allow")
    odd = {"priority": has_odd, "enabled": is_odd, "action": action is None}
    return RuleRow(
        group_id=one_spelling(shape.text(row, "security_group_id", path)),
        project=shape.text_or_empty(row, "project_id", path),
        rule=Rule(
            rule_id=shape.text(row, "id", path),
            direction=Direction(direction),
            protocol=shape.shown(row, "protocol").lower() or "any",
            ports=shape.shown(row, "multiport") or "any",
            peer_group=peer_group,
            peer="" if peer_group else _peer(row, shape),
            action=action or "accept",
            priority=priority,
            description=shape.shown(row, "description"),
            is_enabled=is_enabled,
            native=(
                *((key, text) for key in _NATIVE if (text := shape.shown(row, key))),
                *((f"{ODD}{key}", shape.shown(row, key)) for key, it_is in odd.items() if it_is),
            ),
        ),
    )


def _or_odd(read: Callable[[], T], *, otherwise: T) -> tuple[T, bool]:
    """Return a value and False, or ``otherwise`` and True where it is of another shape."""
    try:
        return read(), False
    except UnknownShapeError:
        return otherwise, True


def parse_group_v2(raw: object, shape: Shape, path: str = "security_group") -> Group:
    """Read one group row of v2.0, as :func:`~sgguard.wire.openstack.neutron.parse_group` does."""
    group = neutron.parse_group(raw, shape, path)
    return replace(group, group_id=one_spelling(group.group_id))


def parse_rule_v2(raw: object, shape: Shape, path: str = "security_group_rule") -> RuleRow:
    """Read one rule row of v2.0, as :func:`~sgguard.wire.openstack.neutron.parse_rule` does."""
    row = neutron.parse_rule(raw, shape, path)
    rule = replace(row.rule, peer_group=one_spelling(row.rule.peer_group))
    return replace(row, group_id=one_spelling(row.group_id), rule=rule)


def parse_port(raw: object, shape: Shape, path: str = "port") -> Port:
    """Read one port row of v3, v2.0 or v1.

    Raises:
        UnknownShapeError: id or groups are missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    details = row.get("binding:vif_details")
    shown = {key: shape.shown(row, key) for key in ("name", "network_id")}
    port = neutron.parse_port({**row, **shown}, shape, path)
    return Port(
        row=replace(
            port,
            port_id=one_spelling(port.port_id),
            group_ids=tuple(one_spelling(one) for one in port.group_ids),
            device_id=one_spelling(port.device_id),
        ),
        elsewhere=_elsewhere(row),
        product=shape.shown(row, "instance_type"),
        product_id=one_spelling(shape.shown(row, "instance_id")),
        # It only decides which interface is named first.
        is_primary=isinstance(details, dict)
        and shape.shown(details, "primary_interface").lower() in ("true", "1"),
    )


def parse_sub_interface(raw: object, shape: Shape, path: str) -> SubInterface:
    """Read one row of ``GET /v3/{project_id}/vpc/sub-network-interfaces``.

    Raises:
        UnknownShapeError: id or groups are missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    return SubInterface(
        interface_id=one_spelling(shape.text(row, "id", path)),
        instance_id=one_spelling(shape.shown(row, "parent_device_id")),
        project=shape.text_or_empty(row, "project_id", path),
        group_ids=tuple(one_spelling(one) for one in shape.texts(row, _GROUPS, path)),
        elsewhere=_elsewhere(row),
    )


_GROUPS = "security_groups"


def _elsewhere(row: Json) -> tuple[str, ...]:
    """Return groups in a field that an extension added, such as ``provider_security_groups``.

    Neutron's extensions name such fields after the original one; values are ids, or objects with
    an id. A group that stands in the original field too is left out.
    """
    others = [value for name, value in row.items() if name.endswith(_GROUPS) and name != _GROUPS]
    items = [item for value in others if isinstance(value, list) for item in value]
    ids = [item.get("id") if isinstance(item, dict) else item for item in items]
    usual = [one_spelling(str(one)) for one in row.get(_GROUPS) or ()]
    found = (one_spelling(one) for one in ids if isinstance(one, str))
    return tuple(dict.fromkeys(one for one in found if one not in usual))


def _peer(row: Json, shape: Shape) -> str:
    if address_group := shape.shown(row, "remote_address_group_id"):
        return f"address group {address_group}"
    anywhere = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
    prefix = shape.shown(row, "remote_ip_prefix")
    return prefix or anywhere.get(shape.shown(row, "ethertype").lower(), "any")
