"""Who names a group and what an instance has, found without looking at everything again.

An index is built from what exists when one call is answered and dropped after it: the things
themselves may be changed at any time by whoever holds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from sgguard.emulator.things import Group, Interface, Rule


class Index:
    """What is found by something other than its own id; each part is built when first asked for."""

    def __init__(self, groups: Sequence[Group], interfaces: Sequence[Interface]) -> None:
        self._groups = groups
        self._interfaces = interfaces

    @cached_property
    def naming(self) -> Mapping[str, list[tuple[Group, Rule]]]:
        """Rules with their groups, by the group they name, in the cloud's order."""
        found: dict[str, list[tuple[Group, Rule]]] = {}
        for group in self._groups:
            for rule in group.rules:
                if rule.peer_group:
                    found.setdefault(rule.peer_group, []).append((group, rule))
        return found

    @cached_property
    def interfaces(self) -> Mapping[str, list[Interface]]:
        """Interfaces by their instance, in the cloud's order."""
        found: dict[str, list[Interface]] = {}
        for interface in self._interfaces:
            found.setdefault(interface.instance, []).append(interface)
        return found
