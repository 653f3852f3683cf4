"""The reference and binding graph of groups: who names them, what carries them, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sgguard.model import Binding, GroupFacts, Reference, Rule, Unseen

NodeKind = Literal["group", "holder"]


@dataclass(frozen=True, slots=True)
class Node:
    """A group or a holder. ``key`` is unique in the graph; ``is_target``: it was asked about."""

    key: str
    kind: NodeKind
    identifier: str
    name: str = ""
    note: str = ""
    is_target: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """From the group that holds a rule, or the holder, to the group that is named or carried."""

    source: str
    target: str
    kind: Literal["references", "carries"]
    evidence: Reference | Binding


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by key in order of appearance, edges in a fixed order, and what was not seen."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    unseen: tuple[Unseen, ...] = ()

    def node(self, key: str) -> Node:
        """Return the node with this key; every end of an edge has one."""
        return next(one for one in self.nodes if one.key == key)

    def targets(self) -> tuple[Node, ...]:
        """Return the groups that were asked about."""
        return tuple(one for one in self.nodes if one.is_target)


def build(groups: Iterable[GroupFacts]) -> Graph:
    """Return the graph of these groups; one that references another of them is one node.

    Rules that the groups hold themselves, where they were read, show what they reference.
    """
    asked = list(groups)
    nodes = {node.key: node for node in map(_target, asked)}
    edges: dict[tuple[str, str, Rule | Binding | None], Edge] = {}
    for one in asked:
        for node, edge in (*_referrers(one), *_holders(one), *_named(one)):
            nodes.setdefault(node.key, node)
            edges.setdefault((edge.source, edge.target, _what(edge)), edge)
    unseen = dict.fromkeys(each for one in asked for each in one.unseen)
    return Graph(tuple(nodes.values()), tuple(edges.values()), tuple(unseen))


def _what(edge: Edge) -> Rule | Binding | None:
    """Tell edges with the same ends apart: a rule seen from both of its groups is one edge."""
    return edge.evidence.rule if isinstance(edge.evidence, Reference) else edge.evidence


def _target(facts: GroupFacts) -> Node:
    group = facts.group
    notes = [
        *(["malformed id"] if facts.is_malformed else []),
        *(["not found"] if group is None and not facts.is_malformed else []),
        *(["default group"] if group and group.is_default else []),
        *([f"managed by {group.managed_by}"] if group and group.managed_by else []),
    ]
    group_id = facts.address.group_id
    name = group.name if group else ""
    return Node(_key(group_id), "group", group_id, name, ", ".join(notes), is_target=True)


def _key(group_id: str, account: str = "") -> str:
    return f"group:{account}:{group_id}"


def _referrers(facts: GroupFacts) -> Iterator[tuple[Node, Edge]]:
    target = _key(facts.address.group_id)
    for one in sorted(facts.references, key=repr):
        key = _key(one.group_id, one.account)
        note = f"account {one.account}" if one.account else ""
        node = Node(key, "group", one.group_id, one.group_name, note)
        yield node, Edge(key, target, "references", one)


def _named(facts: GroupFacts) -> Iterator[tuple[Node, Edge]]:
    """Return what the group's own rules name; a rule naming itself is a circle of one."""
    own = facts.address.group_id
    group = facts.group
    for rule in (group.rules or ()) if group else ():
        if rule.peer_group:
            node = Node(_key(rule.peer_group), "group", rule.peer_group)
            evidence = Reference(own, group.name if group else "", rule=rule)
            yield node, Edge(_key(own), node.key, "references", evidence)


def _holders(facts: GroupFacts) -> Iterator[tuple[Node, Edge]]:
    target = _key(facts.address.group_id)
    for one in sorted(facts.bindings, key=repr):
        # What is only counted has no id: it is a holder of its own for each group.
        key = f"holder:{one.kind}:{one.holder_id or target}"
        identifier = one.holder_id or f"{one.count} counted"
        note = ", ".join(part for part in (one.kind, _of_instance(one), one.owner) if part)
        yield Node(key, "holder", identifier, one.name, note), Edge(key, target, "carries", one)


def _of_instance(binding: Binding) -> str:
    is_other = binding.instance_id and binding.instance_id != binding.holder_id
    return f"of {binding.instance_id}" if is_other else ""
