"""The reference and binding graph of groups, as data: what names them, what they are bound to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from sgguard.model.address import Address, Scope
from sgguard.model.facts import GroupFacts
from sgguard.model.order import binding_key, reference_key
from sgguard.model.resource import Binding, Reference, Rule, Tags, Unseen
from sgguard.render.graph.cycle import cycles
from sgguard.render.graph.detach import detach_holder, detach_rules

NodeKind = Literal["group", "holder"]


class Node(msgspec.Struct, frozen=True):
    """A group or a holder.

    ``key`` is unique in the graph; ``scope`` is where it is. ``is_target``: the graph is about it.
    ``is_followed``: the references to this group were read as well (never true of a holder).
    ``name`` and ``tags`` are None where they are not told; a holder has no tags.
    """

    key: str
    kind: NodeKind
    identifier: str
    scope: Scope
    name: str | None = None
    note: str = ""
    project: str = ""
    tags: Tags | None = None
    is_target: bool = False
    is_followed: bool = False


class Edge(msgspec.Struct, frozen=True):
    """From the group that holds a rule, or from the holder, to the group it names or is bound to.

    ``detach`` is what an operator has to do to remove this one edge.
    """

    source: str
    target: str
    kind: Literal["references", "carries"]
    evidence: Reference | Binding
    detach: str = ""


class Graph(msgspec.Struct, frozen=True):
    """Nodes by key in order of appearance, edges in a fixed order, and what was not seen.

    ``unseen`` names the key of the group that each gap concerns. ``cycles`` are circles of
    references by key, each ending where it begins.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    unseen: tuple[tuple[str, Unseen], ...] = ()
    cycles: tuple[tuple[str, ...], ...] = ()

    def node(self, key: str) -> Node:
        """Return the node with this key; every end of an edge has one."""
        return next(one for one in self.nodes if one.key == key)

    def targets(self) -> tuple[Node, ...]:
        """Return the groups that the graph is about."""
        return tuple(one for one in self.nodes if one.is_target)


def build(groups: Iterable[GroupFacts], targets: int | None = None) -> Graph:
    """Return the graph of these groups; one that references another of them is one node.

    The graph is about the first ``targets`` groups (None: all). The others name them, directly or
    through each other. Rules that a group holds itself, where read, show what it names.
    """
    known = list(groups)
    asked = len(known) if targets is None else targets
    nodes = {
        node.key: node
        for node in (_followed(one, is_target=at < asked) for at, one in enumerate(known))
    }
    edges: dict[tuple[str, str, Rule | Binding | None], Edge] = {}
    for one in known:
        for node, edge in (*_referrers(one), *_holders(one), *_named(one)):
            nodes.setdefault(node.key, node)
            edges.setdefault((edge.source, edge.target, _what(edge)), edge)
    unseen = dict.fromkeys(
        (_key(one.address.group_id), each) for one in known for each in one.unseen
    )
    circles = cycles((e.source, e.target) for e in edges.values() if e.kind == "references")
    return Graph(tuple(nodes.values()), tuple(edges.values()), tuple(unseen), circles)


def _what(edge: Edge) -> Rule | Binding | None:
    """Tell edges with the same ends apart: a rule seen from both of its groups is one edge."""
    return edge.evidence.rule if isinstance(edge.evidence, Reference) else edge.evidence


def _followed(facts: GroupFacts, *, is_target: bool) -> Node:
    group = facts.group
    notes = [
        *(["malformed id"] if facts.is_malformed else []),
        *(["not found"] if group is None and not facts.is_malformed else []),
        *(["default group"] if group and group.is_default else []),
        *([f"managed by {group.managed_by}"] if group and group.managed_by else []),
    ]
    group_id = facts.address.group_id
    return Node(
        _key(group_id),
        "group",
        group_id,
        facts.address.scope,
        name=group.name if group else None,
        note=", ".join(notes),
        project=group.project if group else "",
        tags=group.tags if group else None,
        is_target=is_target,
        is_followed=True,
    )


def _key(group_id: str, account: str = "") -> str:
    return f"group:{account}:{group_id}"


def _referrers(facts: GroupFacts) -> Iterator[tuple[Node, Edge]]:
    target, here = _key(facts.address.group_id), facts.address.scope
    for one in sorted(facts.references, key=reference_key):
        key = _key(one.group_id, one.account)
        scope = Scope(here.provider, one.account or here.account, here.region)
        node = Node(
            key,
            "group",
            one.group_id,
            scope,
            one.group_name,
            f"account {one.account}" if one.account else "",
            one.project,
            one.tags,
        )
        yield node, Edge(key, target, "references", one, detach_rules([one]))


def _named(facts: GroupFacts) -> Iterator[tuple[Node, Edge]]:
    """Return what the group's own rules name; a rule may name its own group."""
    own = facts.address.group_id
    group = facts.group
    for rule in (group.rules or ()) if group else ():
        if rule.peer_group:
            peer = Address(facts.address.scope, rule.peer_group)
            node = Node(_key(peer.group_id), "group", peer.group_id, peer.scope)
            evidence = Reference(own, group.name if group else None, rule=rule)
            edge = Edge(_key(own), node.key, "references", evidence, detach_rules([evidence]))
            yield node, edge


def _holders(facts: GroupFacts) -> Iterator[tuple[Node, Edge]]:
    target, scope = _key(facts.address.group_id), facts.address.scope
    for one in sorted(facts.bindings, key=binding_key):
        # What is only counted has no id: it is a holder of its own for each group.
        key = f"holder:{one.kind}:{one.holder_id or target}"
        identifier = one.holder_id or f"{one.count} counted"
        note = ", ".join(part for part in (one.kind, _of_instance(one), one.owner) if part)
        node = Node(key, "holder", identifier, scope, one.name, note, one.project)
        yield node, Edge(key, target, "carries", one, detach_holder(one))


def _of_instance(binding: Binding) -> str:
    is_other = binding.instance_id and binding.instance_id != binding.holder_id
    return f"of {binding.instance_id}" if is_other else ""
