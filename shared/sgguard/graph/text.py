"""The graph as a tree of text: below each group who references it and what carries it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sgguard.graph.model import Edge, Graph, Node
from sgguard.model import Binding, Reference, Rule
from sgguard.wording import binding_words, count, kinds, label, one_line, rule_words

SHOWN_MAX = 20
"""Rules of one group, or holders of one kind, that are listed; how many more is said."""

_LINE_MAX = 200

Branch = tuple[str, Sequence["Branch"]]
"""A line and the branches below it."""


def to_text(graph: Graph) -> str:
    """Return the tree, one root per group that was asked about."""
    lines = [line for node in graph.targets() for line in _draw(_root(graph, node))]
    return "\n".join(lines)


def _root(graph: Graph, node: Node) -> Branch:
    edges = [edge for edge in graph.edges if edge.target == node.key]
    referring = [e for e in edges if e.kind == "references" and e.source != node.key]
    own = [e for e in graph.edges if e.kind == "references" and e.source == node.key]
    carrying = [e.evidence for e in edges if isinstance(e.evidence, Binding)]
    unseen: list[Branch] = [
        (one_line(f"{one.what}: {one.why}", _LINE_MAX), ())
        for one in graph.unseen
        if one.group_id in ("", node.identifier)
    ]
    note = f" [{one_line(node.note, 60)}]" if node.note else ""
    branches = [_referenced(graph, referring), _carried(carrying)]
    if own:
        branches.append(_names(graph, own))
    if unseen:
        branches.append(("not seen, so there may be more", unseen))
    return f"{label(node.identifier, node.name, 100)}{note}", branches


def _referenced(graph: Graph, edges: Sequence[Edge]) -> Branch:
    if not edges:
        return "referenced by no other group", ()
    ordered = sorted(edges, key=lambda e: e.source)
    by_source = groupby(ordered, key=lambda e: e.source)
    groups = [(graph.node(key), list(each)) for key, each in by_source]
    branches: list[Branch] = [
        (f"{label(node.identifier, node.name, 100)}{_note(node)}", _rules(each))
        for node, each in groups
    ]
    return f"referenced by {count(len(edges), 'rule')} of {count(len(groups), 'group')}", branches


def _note(node: Node) -> str:
    return f", {one_line(node.note, 60)}" if node.note and not node.is_target else ""


def _rules(edges: Sequence[Edge]) -> list[Branch]:
    rules = [e.evidence.rule for e in edges if isinstance(e.evidence, Reference)]
    return _cut([(_rule(rule), ()) for rule in rules])


def _rule(rule: Rule | None) -> str:
    return rule_words(rule) if rule else "a rule that could not be read"


def _carried(bindings: Sequence[Binding]) -> Branch:
    if not bindings:
        return "carried by nothing", ()
    by_kind = groupby(sorted(bindings, key=lambda b: b.kind), key=lambda b: b.kind)
    branches: list[Branch] = []
    for _, each in by_kind:
        branches += _cut([(binding_words(one), ()) for one in each])
    return f"carried by {kinds(bindings)}", branches


def _names(graph: Graph, edges: Sequence[Edge]) -> Branch:
    """Say which groups the group's own rules name: they are free of it once it is gone."""
    lines: list[Branch] = []
    for edge in edges:
        node = graph.node(edge.target)
        rule = edge.evidence.rule if isinstance(edge.evidence, Reference) else None
        peer = "itself" if edge.target == edge.source else label(node.identifier, node.name)
        lines.append((one_line(f"{peer}: {_rule(rule)}", _LINE_MAX), ()))
    return f"references {count(len(edges), 'group rule')} of its own", _cut(lines)


def _cut(branches: Sequence[Branch]) -> list[Branch]:
    """Return the first branches and a last one that says how many are left out."""
    if len(branches) <= SHOWN_MAX:
        return list(branches)
    return [*branches[:SHOWN_MAX], (f"and {len(branches) - SHOWN_MAX} more", ())]


def _draw(branch: Branch, lead: str = "", below: str = "") -> Iterator[str]:
    text, branches = branch
    yield lead + text
    for index, one in enumerate(branches):
        is_last = index == len(branches) - 1
        yield from _draw(
            one, below + ("└─ " if is_last else "├─ "), below + ("   " if is_last else "│  ")
        )
