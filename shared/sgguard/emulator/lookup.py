"""How groups, rules, instances and interfaces are looked up, quickly also in a large cloud."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, TypeVar

from sgguard.emulator.index import Index
from sgguard.emulator.resource import Attachment, Group, Instance, Interface, Rule
from sgguard.emulator.watch import Watched

RUNTIME = frozenset({"tokens", "nonces", "sessions"})
"""Attributes of a cloud that are no part of its state: no look depends on them."""


class _Named(Protocol):
    id: str


N = TypeVar("N", bound=_Named)
T = TypeVar("T")


class Lookups(Watched):
    """What a cloud is asked; whatever of it is changed, its ``index`` begins anew."""

    __slots__ = ("_index",)
    _index: Index
    groups: list[Group]
    instances: list[Instance]
    interfaces: list[Interface]
    attachments: list[Attachment]
    quirks: dict[str, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in RUNTIME:
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def index(self) -> Index:
        """The index of the present state."""
        found: Index | None = getattr(self, "_index", None)
        if found is None or not found.is_current:
            found = Index()
            object.__setattr__(self, "_index", found)
        return found

    def kept(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what was found for a key in the present state, with its quirks; else find it."""
        return self.index.kept((key, repr(self.quirks)), find)

    def group(self, group_id: str) -> Group | None:
        """Return the group with that id."""
        return self._of_id("groups", self.groups, group_id)

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance with that id."""
        return self._of_id("instances", self.instances, instance_id)

    def interface(self, interface_id: str) -> Interface | None:
        """Return the interface with that id."""
        return self._of_id("interfaces", self.interfaces, interface_id)

    def _of_id(self, name: str, found: Sequence[N], wanted: str) -> N | None:
        table = self.index.table(name, lambda: {one.id: one for one in reversed(found)})
        if table is not None:
            return table.get(wanted)
        return next((one for one in found if one.id == wanted), None)

    def references(self, group_id: str) -> list[tuple[Group, Rule]]:
        """Return every rule of another group whose peer is the group."""
        return [(group, rule) for group, rule in self.naming(group_id) if group.id != group_id]

    def naming(self, group_id: str) -> list[tuple[Group, Rule]]:
        """Return every rule whose peer is the group, its own included."""
        table = self.index.table("naming", self._by_peer)
        if table is not None:
            return list(table.get(group_id, ()))
        return [(g, rule) for g in self.groups for rule in g.rules if rule.peer_group == group_id]

    def _by_peer(self) -> dict[str, list[tuple[Group, Rule]]]:
        found: dict[str, list[tuple[Group, Rule]]] = {}
        for group in self.groups:
            for rule in group.rules:
                found.setdefault(rule.peer_group, []).append((group, rule))
        return found

    def interfaces_with(self, group_id: str) -> list[Interface]:
        """Return every interface that holds the group."""
        table = self.index.table("interfaces with", self._by_group)
        if table is not None:
            return list(table.get(group_id, ()))
        return [i for i in self.interfaces if group_id in i.groups]

    def _by_group(self) -> dict[str, list[Interface]]:
        found: dict[str, list[Interface]] = {}
        for interface in self.interfaces:
            for group_id in dict.fromkeys(interface.groups):
                found.setdefault(group_id, []).append(interface)
        return found

    def interfaces_of(self, instance_id: str) -> list[Interface]:
        """Return the interfaces of an instance, the primary one first."""
        table = self.index.table("interfaces of", self._by_instance)
        if table is not None:
            found = table.get(instance_id, [])
        else:
            found = [i for i in self.interfaces if i.instance == instance_id]
        return sorted(found, key=lambda i: i.kind != "primary") if len(found) > 1 else list(found)

    def _by_instance(self) -> dict[str, list[Interface]]:
        found: dict[str, list[Interface]] = {}
        for interface in self.interfaces:
            found.setdefault(interface.instance, []).append(interface)
        return found

    def groups_of(self, instance_id: str) -> list[str]:
        """Return the groups of an instance, in the order of its interfaces, each once."""
        groups = [g for i in self.interfaces_of(instance_id) for g in i.groups]
        return list(dict.fromkeys(groups))

    def instances_with(self, group_id: str) -> list[Instance]:
        """Return every instance with an interface that holds the group."""
        return list(self.kept(("instances with", group_id), lambda: self._with(group_id)))

    def _with(self, group_id: str) -> list[Instance]:
        ids = {i.instance for i in self.interfaces_with(group_id)}
        return [i for i in self.instances if i.id in ids]

    def attachments_with(self, group_id: str) -> list[Attachment]:
        """Return every attachment that holds the group."""
        return [a for a in self.attachments if group_id in a.groups]
