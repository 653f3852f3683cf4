"""Neutron v2.0 as Python values: groups, rules, ports, quotas and sharing.

What OpenStack's Networking API v2.0 and its copies (Huawei Cloud, Open Telekom Cloud) answer. Field
names: https://docs.openstack.org/api-ref/network/v2/ (read 2026-11). Errors and paging have their
own modules, ``neutron_error.py`` and ``neutron_page.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from sgguard.model import Binding, Direction, Group, Rule
from sgguard.wire.shape import Json, Shape

UNLIMITED = -1
"""What a quota says when there is none."""

DEFAULT_GROUP_NAME = "default"


class SecurityGroupRuleBody(TypedDict, total=False):
    """One row of ``GET /v2.0/security-group-rules``; every null is allowed where noted."""

    id: str
    security_group_id: str
    project_id: str
    tenant_id: str
    direction: str
    ethertype: str | None
    protocol: str | None
    port_range_min: int | None
    port_range_max: int | None
    remote_ip_prefix: str | None
    remote_group_id: str | None
    remote_address_group_id: str | None
    description: str | None


class SecurityGroupBody(TypedDict, total=False):
    """One row of ``GET /v2.0/security-groups``."""

    id: str
    name: str
    description: str | None
    project_id: str
    tenant_id: str
    shared: bool
    tags: list[str]
    security_group_rules: list[SecurityGroupRuleBody]


class PortBody(TypedDict, total=False):
    """One row of ``GET /v2.0/ports``."""

    id: str
    name: str
    project_id: str
    tenant_id: str
    network_id: str
    device_id: str
    device_owner: str
    security_groups: list[str]
    port_security_enabled: bool


class QuotaDetail(TypedDict):
    """One key of ``GET /v2.0/quotas/{project_id}/details.json``."""

    limit: int
    used: int
    reserved: int


class RbacPolicyBody(TypedDict):
    """One row of ``GET /v2.0/rbac-policies``."""

    id: str
    object_type: str
    object_id: str
    target_tenant: str
    action: str
    project_id: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule and the group that holds it."""

    group_id: str
    project: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class PortRow:
    """A port. ``device_owner`` says what plugs into it, ``device_id`` which one."""

    port_id: str
    name: str
    project: str
    network: str
    device_id: str
    device_owner: str
    group_ids: tuple[str, ...]
    has_port_security: bool = True

    @property
    def instance_id(self) -> str:
        """The server behind the port, empty when it is anything else."""
        return self.device_id if self.device_owner.startswith("compute:") else ""


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota of a project. ``ceiling`` is None for unlimited, ``used`` where nobody told."""

    ceiling: int | None
    used: int | None = None


def parse_rule(raw: object, shape: Shape, path: str = "security_group_rule") -> RuleRow:
    """Read one rule row.

    Raises:
        UnknownShapeError: a key that names the rule, its group or its peer is missing or odd.
    """
    row = shape.table(raw, path)
    if "remote_group_id" not in row:
        # A rule whose peer was left out of the answer would look like one that has none.
        raise shape.wrong(f"{path}.remote_group_id: missing")
    return RuleRow(
        group_id=shape.text(row, "security_group_id", path),
        project=_project(row, shape, path),
        rule=Rule(
            rule_id=shape.text(row, "id", path),
            direction=_direction(row, shape, path),
            protocol=_protocol(row, shape, path),
            ports=_ports(row, shape, path),
            peer_group=shape.text_or_empty(row, "remote_group_id", path),
            peer=_peer(row, shape, path),
            description=shape.text_or_empty(row, "description", path),
        ),
    )


def parse_group(raw: object, shape: Shape, path: str = "security_group") -> Group:
    """Read one group row; its rules too when the answer has them (ingress first).

    Raises:
        UnknownShapeError: id or name is missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    name = shape.text_if_only_empty(row, "name", path)
    rules = row.get("security_group_rules")
    return Group(
        group_id=shape.text(row, "id", path),
        name=name,
        description=shape.text_or_empty(row, "description", path),
        project=_project(row, shape, path),
        # Neutron refuses the name `default` for every group but the project's own.
        is_default=name == DEFAULT_GROUP_NAME,
        # Clouds before groups could be shared have no such key; null says nothing, so not "no".
        is_shared="shared" in row and shape.flag(row, "shared", path, otherwise=True),
        tags=_tags(row),
        rules=None
        if rules is None
        else ingress_first(
            parse_rule(rule, shape, f"{path}.security_group_rules[{n}]").rule
            for n, rule in enumerate(shape.tables(rules, f"{path}.security_group_rules"))
        ),
    )


def _tags(row: Json) -> tuple[tuple[str, str], ...]:
    """Return Neutron's tags, which are plain texts, as names and values where they hold an ``=``.

    They say who owns a group and never decide anything: whatever else stands there is left out.
    """
    tags = row.get("tags")
    texts = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    return tuple((name, value) for name, _, value in (text.partition("=") for text in texts))


def ingress_first(rules: Any) -> tuple[Rule, ...]:
    """Return rules in the cloud's order, those about incoming traffic before the others."""
    return tuple(sorted(rules, key=lambda rule: rule.direction is not Direction.INGRESS))


def parse_port(raw: object, shape: Shape, path: str = "port") -> PortRow:
    """Read one port row.

    Raises:
        UnknownShapeError: id or groups are missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    return PortRow(
        port_id=shape.text(row, "id", path),
        name=shape.text_or_empty(row, "name", path),
        project=_project(row, shape, path),
        network=shape.text_or_empty(row, "network_id", path),
        device_id=shape.text_or_empty(row, "device_id", path),
        device_owner=shape.text_or_empty(row, "device_owner", path),
        group_ids=shape.texts(row, "security_groups", path),
        has_port_security=shape.flag(row, "port_security_enabled", path, otherwise=True),
    )


_OWNER_KINDS = (
    ("network:dhcp", "dhcp"),
    ("network:router", "router"),
    ("network:ha_router", "router"),
    ("network:floatingip", "floating-ip"),
    ("network:nat_gateway", "nat-gateway"),
    ("neutron:loadbalancer", "load-balancer"),
    ("neutron:vip_port", "load-balancer"),
    ("octavia", "load-balancer"),
)


def binding_of(port: PortRow) -> Binding:
    """Return the port as something that carries a group.

    ``kind`` says what is behind it: an operator looks for a server first and overlooks the DHCP
    or load balancer port that really holds the group.
    """
    owner = port.device_owner.lower()
    kind = next((kind for prefix, kind in _OWNER_KINDS if owner.startswith(prefix)), "port")
    return Binding(
        kind=kind,
        holder_id=port.port_id,
        name=port.name,
        instance_id=port.instance_id,
        owner=port.device_owner,
        project=port.project,
    )


def parse_quotas(body: object, shape: Shape) -> dict[str, Quota]:
    """Read ``quotas/{project}`` or ``quotas/{project}/details.json``: both are understood.

    Raises:
        UnknownShapeError: no ``quota`` object, or a value that is neither number nor details.
    """
    quota = shape.table(shape.table(body, "answer").get("quota"), "quota")
    return {name: _quota(quota, name, shape) for name in quota if name != "project"}


def _quota(quota: Json, name: str, shape: Shape) -> Quota:
    value = quota[name]
    if isinstance(value, dict):
        limit = shape.whole(value, "limit", f"quota.{name}")
        used = shape.whole(value, "used", f"quota.{name}")
    else:
        limit, used = shape.whole(quota, name, "quota"), None
    return Quota(None if limit == UNLIMITED else limit, used)


def _project(row: Json, shape: Shape, path: str) -> str:
    # `tenant_id` is the older spelling; older clouds send only that one.
    return shape.text_or_empty(row, "project_id", path) or shape.text_or_empty(
        row, "tenant_id", path
    )


def _direction(row: Json, shape: Shape, path: str) -> Direction:
    text = shape.text(row, "direction", path)
    if text not in (Direction.INGRESS, Direction.EGRESS):
        raise shape.wrong(f"{path}.direction: expected ingress or egress")
    return Direction(text)


def _protocol(row: Json, shape: Shape, path: str) -> str:
    value = row.get("protocol")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return shape.text_or_empty(row, "protocol", path).lower() or "any"


def _ports(row: Json, shape: Shape, path: str) -> str:
    low = shape.whole_or_none(row, "port_range_min", path)
    high = shape.whole_or_none(row, "port_range_max", path)
    if low is None and high is None:
        return "any"
    if low == high or high is None or low is None:
        return str(high if low is None else low)
    return f"{low}-{high}"


def _peer(row: Json, shape: Shape, path: str) -> str:
    if shape.text_or_empty(row, "remote_group_id", path):
        return ""
    if address_group := shape.text_or_empty(row, "remote_address_group_id", path):
        return f"address group {address_group}"
    anywhere = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
    return shape.text_or_empty(row, "remote_ip_prefix", path) or anywhere.get(
        shape.text_or_empty(row, "ethertype", path), "any"
    )
