"""What exists in an emulated cloud: rules, groups, interfaces, instances, products, accounts.

Plain records with the defaults a scenario may leave out. What can happen to them: ``state.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints


@dataclass(slots=True)
class Rule:
    """One rule. ``peer_group`` or ``cidr`` (or ``template``) is the other end.

    ``service`` is a template of protocols and ports, where it stands in their place.
    ``nic`` is the network a rule of a classic group is for: ``internet`` or ``intranet``.
    ``project`` is empty for that of its group.
    ``source_ports`` (written like ``ports``) and ``near_cidr`` complete a rule of five parts.
    """

    direction: str
    id: str = ""
    protocol: str = "tcp"
    ports: str = "any"
    cidr: str = ""
    peer_group: str = ""
    peer_account: str = ""
    template: str = ""
    service: str = ""
    action: str = "accept"
    priority: int = 1
    description: str = ""
    enabled: bool = True
    ethertype: str = "IPv4"
    nic: str = "intranet"
    project: str = ""
    source_ports: str = ""
    near_cidr: str = ""


@dataclass(slots=True)
class Group:
    """One group. ``shared_with`` lists projects (``*`` for all) that may use it.

    Members of an ``isolated`` group do not reach each other unless a rule lets them.
    """

    id: str
    name: str = ""
    description: str = ""
    region: str = ""
    account: str = ""
    project: str = ""
    network: str = ""
    kind: str = ""
    default: bool = False
    managed_by: str = ""
    protected: bool = False
    isolated: bool = False
    shared_with: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    created: str = "2026-11-01T00:00:00Z"
    version: int = 1
    rules: list[Rule] = field(default_factory=list)


@dataclass(slots=True)
class Interface:
    """A network interface or port. ``kind`` is primary, secondary or supplementary.

    ``version`` grows with every change of its groups.
    """

    id: str
    groups: list[str] = field(default_factory=list)
    instance: str = ""
    kind: str = "primary"
    owner: str = ""
    name: str = ""
    region: str = ""
    account: str = ""
    project: str = ""
    network: str = ""
    managed_by: str = ""
    ip: str = ""
    version: int = 1


@dataclass(slots=True)
class Instance:
    """One instance; the groups it carries hang on its interfaces. ``state`` is the cloud's word."""

    id: str
    name: str = ""
    state: str = "RUNNING"
    operation: str = "SUCCESS"
    region: str = ""
    account: str = ""
    project: str = ""
    network: str = ""


@dataclass(slots=True)
class Attachment:
    """Another product that holds groups without an interface of its own (CLB, CDB, Redis, …)."""

    id: str
    kind: str
    groups: list[str] = field(default_factory=list)
    name: str = ""
    region: str = ""
    account: str = ""
    project: str = ""


@dataclass(slots=True)
class Account:
    """Who may ask, and with which secrets.

    ``key_id``/``secret`` sign; ``token`` is the session token that must come along when set.
    ``user``/``password``/``domain`` and ``app_credentials`` (id → secret) are for Keystone.
    ``role`` is admin, member or reader. ``denied`` lists actions (fnmatch) this account may
    not call. ``projects`` lists the project ids it can see, the first being its own.
    """

    id: str
    key_id: str = ""
    secret: str = ""
    token: str = ""
    user: str = ""
    password: str = ""
    domain: str = "Default"
    app_credentials: dict[str, str] = field(default_factory=dict)
    projects: list[str] = field(default_factory=list)
    project_names: dict[str, str] = field(default_factory=dict)
    role: str = "member"
    denied: list[str] = field(default_factory=list)


T = TypeVar("T")


# Plain tables (TOML, JSON) into dataclasses, refusing what does not fit with its path.


def build(kind: type[T], raw: object, path: str) -> T:
    """Return ``raw`` as an instance of the dataclass ``kind``.

    Raises:
        ValueError: an unknown or missing key or a wrong type; the message starts with its path.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"{path}: expected a table, got {type(raw).__name__}")  # noqa: TRY004
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]  # T is a dataclass
    for key in raw:
        if key not in known:
            raise ValueError(f"{path}.{key}: unknown key; expected one of {', '.join(known)}")
    for name, spec in known.items():
        if spec.default is MISSING and spec.default_factory is MISSING and name not in raw:
            raise ValueError(f"{path}.{name}: missing")
    return kind(**{key: _value(hints[key], value, f"{path}.{key}") for key, value in raw.items()})


def _value(hint: Any, value: object, path: str) -> object:
    origin, args = get_origin(hint), get_args(hint)
    if origin is list:
        if not isinstance(value, list):
            raise ValueError(f"{path}: expected a list, got {type(value).__name__}")
        return [_value(args[0], item, f"{path}[{n}]") for n, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ValueError(f"{path}: expected a table, got {type(value).__name__}")
        return {k: _value(args[1], item, f"{path}.{k}") for k, item in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, path)
    if hint is Any:
        return value
    if hint is float and type(value) is int:
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ValueError(f"{path}: expected {hint.__name__}, got {value!r}")
    return value
