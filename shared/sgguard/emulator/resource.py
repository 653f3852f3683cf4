"""The resources of an emulated cloud, and how they are built from the tables of a scenario.

Rules, groups, interfaces, instances, products and accounts are plain records with the defaults of
what a scenario leaves out. How they change: ``state.py`` and ``edit.py``. ``build`` turns a plain
table (TOML, JSON) into such a record and names the path of what is invalid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from sgguard.emulator.watch import Watched


@dataclass(slots=True)
class Rule(Watched):
    """One rule. Its peer is ``peer_group``, ``cidr`` or ``template``.

    ``service`` is a template that replaces protocol and ports.
    ``nic`` is the network of a rule of a classic group: ``internet`` or ``intranet``.
    ``project`` is empty if it is that of its group.
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
class Group(Watched):
    """One group. ``shared_with`` lists projects (``*`` for all) that may use it.

    Instances in an ``isolated`` group do not reach each other unless a rule allows it.
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
class Interface(Watched):
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
class Instance(Watched):
    """One instance; its interfaces hold its groups. ``state`` is the cloud's own value."""

    id: str
    name: str = ""
    state: str = "RUNNING"
    operation: str = "SUCCESS"
    region: str = ""
    account: str = ""
    project: str = ""
    network: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Attachment(Watched):
    """Another product that holds groups without an interface of its own (CLB, CDB, Redis, …)."""

    id: str
    kind: str
    groups: list[str] = field(default_factory=list)
    name: str = ""
    region: str = ""
    account: str = ""
    project: str = ""


@dataclass(slots=True)
class AccountRole(Watched):
    """A role (Huawei: agency) of an account that others may assume.

    ``trusts`` lists the ids of the accounts that may; ``external_id`` must be told where it is set.
    ``denied`` lists actions (fnmatch) that the role may not call.
    """

    name: str
    trusts: list[str] = field(default_factory=list)
    external_id: str = ""
    denied: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Account(Watched):
    """An account that may call the cloud, with its secrets.

    ``key_id``/``secret`` sign; ``token`` is the session token, required when set.
    ``user``/``password``/``domain`` and ``app_credentials`` (id → secret) are for Keystone.
    ``role`` is admin, member or reader. ``denied`` lists actions (fnmatch) this account may
    not call. ``projects`` lists the project ids it can see, the first being its own. ``roles``
    may be assumed; ``ends_at_s`` is when an assumed one's key ends (0: never).
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
    roles: list[AccountRole] = field(default_factory=list)
    ends_at_s: float = 0.0


T = TypeVar("T")


def build(kind: type[T], raw: object, path: str) -> T:
    """Return ``raw`` as an instance of the dataclass ``kind``.

    Raises:
        ValueError: an unknown or missing key or a wrong type; the message starts with its path.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"{path}: expected a table, got {type(raw).__name__}")  # noqa: TRY004
    hints = _hints(kind)  # type: ignore[arg-type]  # every class has a hash
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]  # T is a dataclass
    for key in raw:
        if key not in known:
            raise ValueError(f"{path}.{key}: unknown key; expected one of {', '.join(known)}")
    for name, spec in known.items():
        if spec.default is MISSING and spec.default_factory is MISSING and name not in raw:
            raise ValueError(f"{path}.{name}: missing")
    return kind(**{key: _value(hints[key], value, f"{path}.{key}") for key, value in raw.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Resolve the annotations of a record once: it takes a millisecond each time."""
    return get_type_hints(kind)


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
