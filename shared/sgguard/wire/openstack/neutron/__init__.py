"""Parsers of Neutron v2.0: groups, ports and quotas as values, bindings and references.

For OpenStack's Networking API v2.0 and its copies (Huawei Cloud, Open Telekom Cloud). Field names:
https://docs.openstack.org/api-ref/network/v2/ (read 2026-11). Rules, errors and paging have their
own modules: ``rule.py``, ``error.py`` and ``page.py``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

import msgspec

from sgguard.model.resource import Binding, Group, Reference, Tags
from sgguard.wire.openstack.neutron.rule import (
    RuleRow,
    ingress_first,
    parse_rule,
    project_of,
    revision_of,
    same_id,
)
from sgguard.wire.shape import Json, Shape

__all__ = [
    "PortRow",
    "Quota",
    "RuleRow",
    "binding_of",
    "ingress_first",
    "parse_group",
    "parse_port",
    "parse_quotas",
    "parse_rule",
    "references_of",
    "same_id",
    "tag_texts",
]

UNLIMITED = -1
"""The value of a quota without a limit."""

DEFAULT_GROUP_NAME = "default"

STATEFUL = "stateful"
STATELESS = "stateless"
"""The kinds of groups: rules of a stateless one do not track connections."""


class PortRow(msgspec.Struct, frozen=True):
    """A port. ``device_owner`` is the kind of its device, ``device_id`` its id.

    ``revision`` grows with every change of it, None where the cloud does not report. ``elsewhere``
    are groups that it carries in other fields than ``security_groups``, each with the field.
    """

    port_id: str
    name: str
    project: str
    network: str
    device_id: str
    device_owner: str
    group_ids: tuple[str, ...]
    has_port_security: bool = True
    has_address: bool = True
    revision: int | None = None
    elsewhere: tuple[tuple[str, str], ...] = ()

    @property
    def instance_id(self) -> str:
        """The server behind the port, empty when it is anything else."""
        return self.device_id if self.device_owner.startswith("compute:") else ""


class Quota(msgspec.Struct, frozen=True):
    """One quota of a project. ``ceiling`` is None for unlimited, ``used`` where not reported."""

    ceiling: int | None
    used: int | None = None


def parse_group(raw: object, shape: Shape, path: str = "security_group") -> Group:
    """Read one group row; its rules too when the response has them (ingress first).

    A verdict needs its id, its name (is it a default group?), its project and whether it is shared,
    and its kind (stateful or not).

    Raises:
        UnknownShapeError: id or name is missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    name = shape.text_if_only_empty(row, "name", path)
    rules = row.get("security_group_rules")
    return Group(
        group_id=same_id(shape.text(row, "id", path)),
        name=name,
        description=shape.shown(row, "description"),
        project=project_of(row, shape, path),
        kind=_kind(row, shape, path),
        # Neutron refuses the name `default` for every group but the project's own.
        is_default=name == DEFAULT_GROUP_NAME,
        # Clouds without shared groups have no such key; null does not mean "not shared".
        is_shared="shared" in row and shape.flag(row, "shared", path, otherwise=True),
        tags=_tags(row),
        native=_native(row),
        rules=None
        if rules is None
        else ingress_first(
            parse_rule(rule, shape, f"{path}.security_group_rules[{n}]").rule
            for n, rule in enumerate(shape.tables(rules, f"{path}.security_group_rules"))
        ),
    )


def _kind(row: Json, shape: Shape, path: str) -> str | None:
    """Return the kind; only a stateful group permits return traffic without a rule.

    A cloud without the extension has no such key, and only stateful groups.
    """
    if "stateful" not in row:
        return ""
    if row["stateful"] is None:
        return None
    return STATEFUL if shape.flag(row, "stateful", path, otherwise=True) else STATELESS


def _tags(row: Json) -> Tags | None:
    """Return Neutron's tags, which are plain texts, as names and values where they hold an ``=``.

    None where they are not told: a cloud without the extension has no such key, and a list with a
    value that is no text tells only some of them.
    """
    tags = row.get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        return None
    return tuple(_tag(text) for text in tags)


def _tag(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _text(tag: tuple[str, str]) -> str:
    name, value = tag
    return f"{name}={value}" if value else name


RAW_TAG = "tag"
"""The native part of a group for each tag whose text its name and value do not tell: ``a=``."""


def _native(row: Json) -> tuple[tuple[str, str], ...]:
    tags = row.get("tags")
    texts = [text for text in tags if isinstance(text, str)] if isinstance(tags, list) else []
    return tuple((RAW_TAG, text) for text in texts if _text(_tag(text)) != text)


def tag_texts(group: Group) -> list[str]:
    """Return the tags of a group exactly as they were read."""
    raw = [text for name, text in group.native if name == RAW_TAG]
    tags = list(group.tags or ())
    for text in raw:
        tags.remove(_tag(text))
    return [*(_text(tag) for tag in tags), *raw]


def parse_port(raw: object, shape: Shape, path: str = "port") -> PortRow:
    """Read one port row.

    A verdict needs its id, its groups, its project (are other projects concerned?), device and
    owner (which server is it?), and port security (can it be bound?).

    Raises:
        UnknownShapeError: id or groups are missing, or a value is of another type.
    """
    row = shape.table(raw, path)
    return PortRow(
        port_id=shape.text(row, "id", path),
        name=shape.shown(row, "name"),
        project=project_of(row, shape, path),
        network=shape.shown(row, "network_id"),
        device_id=shape.text_or_empty(row, "device_id", path),
        device_owner=shape.text_or_empty(row, "device_owner", path),
        group_ids=tuple(map(same_id, shape.texts(row, _GROUP_FIELD, path))),
        has_port_security=shape.flag(row, "port_security_enabled", path, otherwise=True),
        has_address=_has_address(row),
        revision=revision_of(row),
        elsewhere=tuple(_elsewhere(row)),
    )


_GROUP_FIELD = "security_groups"


def _has_address(row: Json) -> bool:
    """Return whether the port has an address, or will get one when its host is known."""
    return row.get("fixed_ips") != [] or row.get("ip_allocation") == "deferred"


def _elsewhere(row: Json) -> Iterator[tuple[str, str]]:
    """Yield field and id of each group in a field that an extension added.

    VMware NSX has ``provider_security_groups``: groups of the operator that the port carries too.
    A field of another name, or of another shape, is not understood.
    """
    for name, value in row.items():
        if name == _GROUP_FIELD or not name.endswith(_GROUP_FIELD) or not isinstance(value, list):
            continue
        for item in value:
            group_id = item.get("id") if isinstance(item, dict) else item
            if isinstance(group_id, str):
                yield name, same_id(group_id)


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
    """Return the binding of a group to the port.

    ``kind`` is the device behind it: an operator looks for a server first and overlooks the DHCP or
    load balancer port that carries the group.
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


def references_of(
    rows: Iterable[RuleRow], groups: Mapping[str, Group | None], group_ids: Sequence[str]
) -> dict[str, tuple[Reference, ...]]:
    """Return rules as references, by the group they name.

    ``rows`` name nothing but ``group_ids``. ``groups`` are the groups that have the rules, for
    their names and tags; one that is missing or None could not be read.
    """
    found: dict[str, list[Reference]] = {group_id: [] for group_id in group_ids}
    for row in rows:
        group = groups.get(row.group_id) or Group(row.group_id)
        reference = Reference(
            row.group_id,
            group_name=group.name,
            project=row.project,
            rule=row.rule,
            tags=group.tags,
        )
        found[row.rule.peer_group].append(reference)
    return {group_id: tuple(references) for group_id, references in found.items()}


def parse_quotas(
    body: object, shape: Shape, names: Container[str] | None = None
) -> dict[str, Quota]:
    """Read ``quotas/{project}`` or ``quotas/{project}/details.json``; of all quotas, or these.

    Raises:
        UnknownShapeError: no ``quota`` object, or one of them is neither number nor details.
    """
    quota = shape.table(shape.table(body, "answer").get("quota"), "quota")
    wanted = [name for name in quota if name != "project" and (names is None or name in names)]
    return {name: _quota(quota, name, shape) for name in wanted}


def _quota(quota: Json, name: str, shape: Shape) -> Quota:
    value = quota[name]
    if isinstance(value, dict):
        limit = shape.integer(value, "limit", f"quota.{name}")
        used = shape.integer(value, "used", f"quota.{name}")
    else:
        limit, used = shape.integer(quota, name, "quota"), None
    return Quota(None if limit == UNLIMITED else limit, used)
