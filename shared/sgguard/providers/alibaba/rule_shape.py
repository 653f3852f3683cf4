"""The shape of ECS rules: read from a response into a ``Rule``, and written for a request.

What :class:`~sgguard.model.resource.Rule` has no field for is kept in ``native`` under the cloud's
own names: the network, source ports, the near end of a five-tuple rule, the account of a foreign
group. So a rule that was read can be authorised, and revoked, exactly as it was.

``Direction`` and the peer decide whether a rule is a reference: required. Protocol, ports, policy,
priority and the members in ``native`` decide what a restore brings back: they may be left out, and
must be readable where they are there. ``Description`` is kept as it is, and names and times of a
rule are not read.

Source: DescribeSecurityGroupAttribute, AuthorizeSecurityGroup, AuthorizeSecurityGroupEgress and
RevokeSecurityGroup (2014-05-26), alibabacloud.com/help, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from msgspec.structs import replace

from sgguard.model.change import content
from sgguard.model.resource import Direction, Rule
from sgguard.providers.alibaba.response import Response, required, shown, text

FAR = {Direction.INGRESS: "Source", Direction.EGRESS: "Dest"}
"""The prefix of the cloud's names for the peer of a rule."""

_NEAR = {Direction.INGRESS: "Dest", Direction.EGRESS: "Source"}
_EVERY_PORT = "-1/-1"
_LOWEST_PRIORITY_NUMBER = 1
_PORTS = re.compile(r"[0-9]+(-[0-9]+)?")


def rules_of(response: Response, rows: Sequence[dict[str, Any]]) -> tuple[Rule, ...]:
    """Return the rules of a group, ingress first, else in the cloud's order.

    Raises:
        UnknownShapeError: a rule without a direction or without a peer, or whose peer group is
            not an id.
    """
    rules = [_rule(response, raw, position) for position, raw in enumerate(rows)]
    return tuple(sorted(rules, key=lambda rule: rule.direction is Direction.EGRESS))


def permission_of(rule: Rule) -> dict[str, str]:
    """Return the rule as the members of one of ``Permissions.N``."""
    far = FAR[rule.direction]
    native = dict(rule.native)
    permission = {"IpProtocol": "all" if rule.protocol == "any" else rule.protocol}
    permission |= _ports_sent(rule.ports)
    if rule.peer_group:
        permission[f"{far}GroupId"] = rule.peer_group
    elif rule.peer:
        permission[_peer_name(far, rule.peer)] = rule.peer
    owner = native.pop(f"{far}GroupOwnerAccount", "")
    if owner and rule.peer_group:
        # Both ways to name an account are read back as the same member: only numbers are ids.
        permission[f"{far}GroupOwner{'Id' if owner.isdigit() else 'Account'}"] = owner
    if rule.action == "drop":
        # An omitted policy means accept, and advanced groups may refuse the member.
        permission["Policy"] = "drop"
    if rule.priority is not None:
        permission["Priority"] = str(rule.priority)
    if rule.description:
        permission["Description"] = rule.description
    return permission | native


def is_same(found: Rule, wanted: Rule) -> bool:
    """Return whether a rule that was read is the wanted one, ids aside.

    A wanted rule that was written by hand has no native members: they are not compared then.
    """
    return _comparable(found, wanted) == _comparable(wanted, wanted)


def _comparable(rule: Rule, wanted: Rule) -> Rule:
    return replace(
        content(rule),
        priority=_LOWEST_PRIORITY_NUMBER if rule.priority is None else rule.priority,
        native=rule.native if wanted.native else (),
    )


def _rule(response: Response, raw: dict[str, Any], position: int) -> Rule:
    try:
        direction = Direction(required(response, raw, "Direction").lower())
    except ValueError as error:
        raise response.unknown("a rule is neither ingress nor egress") from error
    peer_group = _peer_group(response, raw, direction)
    ends = _far_ends(direction)
    peer = next((value for name in ends if (value := text(response, raw, name))), "")
    if not (peer_group or peer):
        # Every rule has a peer. Without one it may be a reference whose member has a new name.
        raise response.unknown("a rule with neither group, address range nor prefix list")
    return Rule(
        rule_id=text(response, raw, "SecurityGroupRuleId") or f"{direction}[{position}]",
        direction=direction,
        protocol=_any(text(response, raw, "IpProtocol").lower(), "all", "-1", ""),
        ports=_ports(response, raw),
        peer_group=peer_group,
        peer="" if peer_group else peer,
        action="drop" if text(response, raw, "Policy").lower() == "drop" else "accept",
        priority=_priority(response, raw),
        description=shown(response, raw, "Description"),
        native=_native(response, raw, direction, "" if peer_group else peer),
    )


def _priority(response: Response, raw: dict[str, Any]) -> int | None:
    """Return the priority, None where the server tells none; a restore needs the right one."""
    return (
        None
        if raw.get("Priority") == ""
        else response.shape.integer_or_none(raw, "Priority", response.action)
    )


def _native(
    response: Response, raw: dict[str, Any], direction: Direction, peer: str
) -> tuple[tuple[str, str], ...]:
    """Return the members that ``Rule`` has no field for, sorted by name."""
    names = _native_names(direction, _peer_name(FAR[direction], peer) if peer else "")
    found = ((name, text(response, raw, name)) for name in names)
    return tuple((name, value) for name, value in found if value and value != _EVERY_PORT)


@cache
def _native_names(direction: Direction, peer_name: str) -> tuple[str, ...]:
    """Return the members that ``Rule`` has no field for, where its peer is in ``peer_name``."""
    near, far = _NEAR[direction], FAR[direction]
    ends = (name for name in _far_ends(direction) if name != peer_name)
    own = ("NicType", "SourcePortRange", f"{near}CidrIp", f"Ipv6{near}CidrIp")
    return tuple(sorted((*own, f"{far}GroupOwnerAccount", *ends)))


def _far_ends(direction: Direction) -> tuple[str, str, str]:
    far = FAR[direction]
    return (f"{far}CidrIp", f"Ipv6{far}CidrIp", f"{far}PrefixListId")


def _peer_name(far: str, peer: str) -> str:
    """Return the member that takes an address range or a prefix list."""
    if peer.startswith("pl-"):
        return f"{far}PrefixListId"
    return f"Ipv6{far}CidrIp" if ":" in peer else f"{far}CidrIp"


def _peer_group(response: Response, raw: dict[str, Any], direction: Direction) -> str:
    name = f"{FAR[direction]}GroupId"
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise response.unknown(f"{name} is neither an id nor empty")
    return value


def _ports(response: Response, raw: dict[str, Any]) -> str:
    if port_list := text(response, raw, "PortRangeListId"):
        return port_list
    first, _, last = _any(text(response, raw, "PortRange"), _EVERY_PORT, "").partition("/")
    return first if last in ("", first) else f"{first}-{last}"


def _ports_sent(ports: str) -> dict[str, str]:
    if ports == "any":
        return {"PortRange": _EVERY_PORT}
    if not _PORTS.fullmatch(ports):
        return {"PortRangeListId": ports}
    first, _, last = ports.partition("-")
    return {"PortRange": f"{first}/{last or first}"}


def _any(value: str, *spellings: str) -> str:
    return "any" if value in spellings else value
