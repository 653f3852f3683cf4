"""Lookups for one call: the rules that name a group, the interfaces of an instance.

An index lives for one call at most. The router makes one (``Cloud.indexed``) and drops it after the
response, and every change to the state drops it at once (``cloud.index = None``), so that it is
never older than the state. Between calls there is none: a test may change the state at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from sgguard.emulator.resource import Group, Interface, Rule

LOOKUPS = 4
"""After so many searches of one call it makes a table."""


class Index:
    """Lookups by something other than an id; each is built on first use."""

    def __init__(self, groups: Sequence[Group], interfaces: Sequence[Interface]) -> None:
        self._groups = groups
        self._interfaces = interfaces
        self._lookups = 0

    def rules_naming(self, group_id: str) -> list[tuple[Group, Rule]]:
        """Return the rules that name a group: looked for, or by a table if many groups are asked.

        The table costs as much as a few dozen searches.
        """
        self._lookups += 1
        if self._lookups > LOOKUPS:
            return list(self.naming.get(group_id, ()))
        return [(g, rule) for g in self._groups for rule in g.rules if rule.peer_group == group_id]

    @cached_property
    def naming(self) -> Mapping[str, list[tuple[Group, Rule]]]:
        """Rules with their owning groups, by the group they name, in the cloud's order."""
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
