"""The clouds of the emulator: accounts, groups, rules, instances, interfaces, products.

State knows nothing of HTTP, signatures or JSON: it holds what exists and the rules that every cloud
shares. How a cloud's API names and renders it is up to the wire face.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from threading import RLock
from typing import Any, Self

from sgguard.emulator.lookup import RUNTIME, Lookups
from sgguard.emulator.resource import (
    Account,
    AccountRole,
    Attachment,
    Group,
    Instance,
    Interface,
    Rule,
    build,
)

__all__ = [
    "Account",
    "AccountRole",
    "Attachment",
    "Cloud",
    "Group",
    "Instance",
    "Interface",
    "Rule",
    "State",
    "StateError",
]


class StateError(Exception):
    """A change the state refuses; ``kind`` is the reason, which a face maps to its cloud's code.

    ``kind`` is ``not-found``, ``in-use``, ``referenced``, ``default``, ``managed``,
    ``duplicate``, ``not-bound``, ``last-group`` or ``limit``.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


@dataclass(slots=True)
class Cloud(Lookups):
    """One cloud: all the state of its wire face.

    ``limits`` are ceilings under the names of :class:`sgguard.model.resource.Limit`. ``quirks``
    turn documented peculiarities on (``page_max``, ``v3_absent``, ``references_shape``, …): each
    face's docstring lists its own. ``rates`` are calls per second by action (fnmatch).
    ``tokens``, ``nonces`` and ``sessions`` (assumed roles, by access key) are runtime data of the
    faces, never part of a scenario. Whatever else is changed, the ``index`` begins anew.
    """

    provider: str
    regions: list[str] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    quirks: dict[str, Any] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    sessions: dict[str, Account] = field(default_factory=dict)

    # -- reading ---------------------------------------------------------------------------

    def account_of_key(self, key_id: str) -> Account | None:
        """Return the account that owns an access key, with the rights of an assumed role's key."""
        found = next((a for a in self.accounts if key_id and a.key_id == key_id), None)
        return found or self.sessions.get(key_id)

    def account(self, account_id: str) -> Account | None:
        """Return the account with that id."""
        return next((a for a in self.accounts if a.id == account_id), None)

    # -- changing --------------------------------------------------------------------------

    def delete_group(
        self, group_id: str, *, is_cascading: bool = False, is_forced: bool = False
    ) -> None:
        """Delete a group.

        ``is_cascading`` deletes the rules of other groups that name it (OpenStack) instead of
        refusing; ``is_forced`` unbinds the instances first (Tencent API 2.0).

        Raises:
            StateError: not-found, default, managed, in-use or referenced.
        """
        group = self.group(group_id)
        if group is None:
            raise StateError("not-found", group_id)
        holders = self.interfaces_with(group_id)
        if is_forced:
            holders = [i for i in holders if not i.instance]
        if holders or self.attachments_with(group_id):
            raise StateError("in-use", group_id)
        if group.default:
            raise StateError("default", group_id)
        if group.managed_by or group.protected:
            raise StateError("managed", group_id)
        if self.references(group_id):
            if not is_cascading:
                raise StateError("referenced", group_id)
            for other in self.groups:
                other.rules = [r for r in other.rules if r.peer_group != group_id]
        for interface in self.interfaces_with(group_id):
            interface.groups.remove(group_id)
        self.groups.remove(group)

    def bind(self, interface_id: str, group_id: str, *, at_most: int | None = None) -> None:
        """Add a group to an interface, after those it has.

        Raises:
            StateError: not-found, duplicate, or limit when it has ``at_most`` groups.
        """
        interface = self.interface(interface_id)
        if interface is None or self.group(group_id) is None:
            raise StateError("not-found", f"{interface_id} or {group_id}")
        if group_id in interface.groups:
            raise StateError("duplicate", group_id)
        if at_most is not None and len(interface.groups) >= at_most:
            raise StateError("limit", interface_id)
        interface.groups.append(group_id)


@dataclass(slots=True)
class State:
    """All clouds of one emulator. Hold ``lock`` while reading or changing anything."""

    clouds: list[Cloud] = field(default_factory=list)
    lock: RLock = field(default_factory=RLock)

    @classmethod
    def load(cls, scenario: Mapping[str, Any]) -> Self:
        """Build the state a scenario describes (its ``clouds`` table; other keys are ignored).

        An instance with ``groups`` and no interface of its own gets a primary interface that
        has them. Where region, account or project are left out, the cloud's first is filled in.

        Raises:
            ValueError: an unknown key, a wrong type, or a duplicate id, with its path.
        """
        clouds = [_cloud(raw, f"clouds[{n}]") for n, raw in enumerate(scenario.get("clouds", []))]
        names = [cloud.provider for cloud in clouds]
        if len(set(names)) != len(names):
            raise ValueError(f"clouds: a provider is listed twice: {', '.join(names)}")
        return cls(clouds)

    def cloud(self, provider: str) -> Cloud | None:
        """Return the cloud of that provider name."""
        return next((c for c in self.clouds if c.provider == provider), None)

    def dump(self) -> dict[str, Any]:
        """Return everything that exists, as a scenario that would build it again."""
        with self.lock:
            clouds = [asdict(cloud) for cloud in self.clouds]
        for cloud in clouds:
            for name in RUNTIME:
                del cloud[name]
        return {"clouds": clouds}

    def replace(self, other: State) -> None:
        """Take over another state's clouds in place: references to this state stay valid."""
        with self.lock:
            self.clouds = other.clouds


def _cloud(table: object, path: str) -> Cloud:
    if not isinstance(table, Mapping):
        raise ValueError(f"{path}: expected a table, got {type(table).__name__}")  # noqa: TRY004
    lists = {kind: table.get(kind, []) for kind in ("instances", "interfaces")}
    if wrong := [kind for kind, value in lists.items() if not isinstance(value, list)]:
        raise ValueError(f"{path}.{wrong[0]}: expected a list, got {lists[wrong[0]]!r}")
    raw: dict[str, Any] = deepcopy(dict(table))
    with_groups = [i for i in raw.get("instances", []) if isinstance(i, dict) and "groups" in i]
    if with_groups:
        raw["interfaces"] = list(raw.get("interfaces", []))
    for instance in with_groups:
        raw["interfaces"].append(
            {
                "id": f"eni-of-{instance.get('id')}",
                "instance": instance.get("id", ""),
                "groups": instance.pop("groups"),
            }
        )
    cloud = build(Cloud, raw, path)
    _fill_defaults(cloud)
    for kind in ("accounts", "groups", "instances", "interfaces", "attachments"):
        _require_unique((resource.id for resource in getattr(cloud, kind)), f"{path}.{kind}")
    return cloud


def _fill_defaults(cloud: Cloud) -> None:
    account = cloud.accounts[0] if cloud.accounts else None
    region = cloud.regions[0] if cloud.regions else ""
    resources: list[Group | Instance | Interface | Attachment] = [
        *cloud.groups,
        *cloud.instances,
        *cloud.interfaces,
        *cloud.attachments,
    ]
    for resource in resources:
        resource.region = resource.region or region
        resource.account = resource.account or (account.id if account else "")
        owner = cloud.account(resource.account)
        first_project = owner.projects[0] if owner and owner.projects else ""
        resource.project = resource.project or first_project
    for instance in cloud.instances:
        for interface in cloud.interfaces_of(instance.id):
            interface.network = interface.network or instance.network
    for group in cloud.groups:
        for number, rule in enumerate(group.rules):
            rule.id = rule.id or f"{group.id}-rule-{number}"


def _require_unique(ids: Iterable[str], path: str) -> None:
    seen: set[str] = set()
    for item in ids:
        if item in seen:
            raise ValueError(f"{path}: the id {item!r} is used twice")
        seen.add(item)
