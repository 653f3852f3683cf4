"""The filters of Neutron's lists: how a value of the query is compared with a field.

A value is converted before it is compared (``ethertype=ipv4``, ``stateful=1``), and one that cannot
be is refused. A field without a value (null) matches nothing, an empty filter in particular.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from ipaddress import ip_network
from typing import Any

from sgguard.emulator.faces._openstack.neutron.protocol import NUMBERS
from sgguard.emulator.faces._openstack.neutron.response import refused

Row = dict[str, Any]
Matches = Callable[[Row], bool]

_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_FLAGS = frozenset({"shared", "stateful", "admin_state_up"})
_PORTS = frozenset({"port_range_min", "port_range_max"})
_IDS = frozenset({"id", "remote_group_id", "security_group_id", "security_groups", "object_id"})
_TAGS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "tags": lambda has, wanted: wanted <= has,
    "tags-any": lambda has, wanted: bool(wanted & has),
    "not-tags": lambda has, wanted: not wanted <= has,
    "not-tags-any": lambda has, wanted: not wanted & has,
}
_BYTE_MAX = 255
_PORT_MAX = 65535
_RBAC_TYPES = frozenset({"security_group", "network", "qos_policy", "address_group"})


def matcher(name: str, values: Sequence[str], *, is_any_case: bool = False) -> Matches:
    """Return what decides whether a row matches a filter; several values mean "or".

    Raises:
        RefusedError: 400, a value that the field cannot have.
    """
    if name in _TAGS:
        wanted = {tag for value in values for tag in value.split(",")}
        return lambda row: _TAGS[name](set(row.get("tags", [])), wanted)
    if name == "fixed_ips":
        pairs = [_pair(value) for value in values]
        return lambda row: any(
            str(one.get(key)) == value for one in row.get(name, []) for key, value in pairs
        )
    folded = is_any_case and name in _IDS
    converted = [_converted(name, value) for value in values]
    wanted_values = [_folded(one) if folded else one for one in converted]
    if name == "security_groups":
        # The binding is what is asked for, in whichever field the port shows it.
        return lambda row: _has(_texts_in(row), wanted_values, is_folded=folded)
    return lambda row: _has(row.get(name), wanted_values, is_folded=folded)


def _texts_in(row: Row) -> list[str]:
    lists = [value for value in row.values() if isinstance(value, list)]
    return [item for value in lists for item in value if isinstance(item, str)]


def _has(value: object, wanted: Collection[object], *, is_folded: bool) -> bool:
    if isinstance(value, list):
        return any(_has(item, wanted, is_folded=is_folded) for item in value)
    if isinstance(value, bool) or value is None:
        return value in wanted
    return (_folded(str(value)) if is_folded else str(value)) in wanted


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _converted(name: str, value: str) -> object:
    """Return the value as it is stored.

    Raises:
        RefusedError: 400.
    """
    if name in _FLAGS:
        return _flag(value)
    if name == "ethertype":
        return _ethertype(value)
    if name == "protocol":
        return _protocol(value)
    if name in _PORTS:
        if not value.isdigit() or int(value) > _PORT_MAX:
            message = f"Invalid value for port {value}"
            raise refused(400, "SecurityGroupInvalidPortValue", message)
        return str(int(value))
    if name == "remote_ip_prefix":
        return _prefix(value)
    if name == "object_type" and value not in _RBAC_TYPES:
        message = f"Invalid input for operation: '{value}' is not a valid RBAC object type."
        raise refused(400, "InvalidInput", message)
    return value


def _flag(value: str) -> bool:
    if value.lower() not in _TRUTHS:
        message = f"Invalid input for operation: '{value}' cannot be converted to boolean."
        raise refused(400, "InvalidInput", message)
    return _TRUTHS[value.lower()]


def _ethertype(value: str) -> str:
    for known in ("IPv4", "IPv6"):
        if value.lower() == known.lower():
            return known
    message = (
        f"Security group rule for ethertype '{value}' not supported. "
        "Allowed values are ['IPv4', 'IPv6']."
    )
    raise refused(400, "SecurityGroupRuleInvalidEtherType", message)


def _protocol(value: str) -> str | None:
    text = value.lower()
    if text == "any":
        return None
    if text not in NUMBERS and not (text.isdigit() and int(text) <= _BYTE_MAX):
        message = f"Security group rule protocol {value} not supported."
        raise refused(400, "SecurityGroupRuleInvalidProtocol", message)
    return text


def _prefix(value: str) -> str:
    try:
        ip_network(value, strict=False)
    except ValueError:
        message = f"Invalid CIDR {value} given as IP prefix."
        raise refused(400, "InvalidCIDR", message) from None
    return value


def _pair(value: str) -> tuple[str, str]:
    key, equals, text = value.partition("=")
    if not equals:
        message = f"Invalid input for operation: '{value}' is not of the form <key>=[value]."
        raise refused(400, "InvalidInput", message)
    return key, text
