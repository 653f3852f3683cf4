"""The graph as Mermaid and as Graphviz DOT; hostile names cannot inject syntax.

Nodes get numbers for ids, so that a name is only ever a label; labels are escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from sgguard.model.resource import Binding, Reference, Rule
from sgguard.render.graph.model import Edge, Graph, Node
from sgguard.render.wording import count, label, one_line

RULES_MAX = 4
"""Rules between two groups that get an edge each; more become one edge with their number."""

HOLDERS_MAX = 12
"""Holders of one kind that get a node each; more become one node with their number."""

GROUPS_MAX = 40
"""Groups naming one group that get a node each; the rest become one node with their number."""

LINES_MAX = 300
"""Edges of a whole picture: beyond it the rules between two groups, and then most groups, become
one edge. Mermaid draws nothing at all beyond 500 edges or 50,000 characters."""

_LABEL_MAX = 60

_PLAIN = frozenset(" -_.:,()[]/")


class _Line(msgspec.Struct, frozen=True):
    """One drawn edge."""

    source: str
    target: str
    kind: str
    label: str


class _Picture(msgspec.Struct, frozen=True):
    """What is drawn: the graph, with many holders as one node and many rules as one edge."""

    nodes: tuple[Node, ...]
    edges: tuple[_Line, ...]


def to_mermaid(graph: Graph) -> str:
    """Return a Mermaid flowchart: one line for the header, each node, each edge, each style."""
    picture = _simplify(graph)
    ids = {node.key: f"n{index}" for index, node in enumerate(picture.nodes)}
    lines = ["flowchart LR"]
    for node in picture.nodes:
        left, right = ("[", "]") if node.kind == "group" else ("([", "])")
        lines.append(f'  {ids[node.key]}{left}"{_mermaid(_title(node))}"{right}')
    for edge in picture.edges:
        arrow = "-->" if edge.kind == "references" else "-.->"
        lines.append(f'  {ids[edge.source]} {arrow}|"{_mermaid(edge.label)}"| {ids[edge.target]}')
    lines += [f"  style {ids[n.key]} stroke-width:3px" for n in picture.nodes if n.is_target]
    return "\n".join(lines)


def to_dot(graph: Graph) -> str:
    """Return a Graphviz digraph: one line for the header, each node, each edge, the footer."""
    picture = _simplify(graph)
    ids = {node.key: f"n{index}" for index, node in enumerate(picture.nodes)}
    lines = ["digraph sgguard {", "  rankdir=LR;"]
    for node in picture.nodes:
        shape = "box" if node.kind == "group" else "ellipse"
        width = ", penwidth=3" if node.is_target else ""
        lines.append(f'  {ids[node.key]} [label="{_dot(_title(node))}", shape={shape}{width}];')
    for edge in picture.edges:
        style = "solid" if edge.kind == "references" else "dashed"
        ends = f"{ids[edge.source]} -> {ids[edge.target]}"
        lines.append(f'  {ends} [label="{_dot(edge.label)}", style={style}];')
    return "\n".join([*lines, "}"])


def _simplify(graph: Graph) -> _Picture:
    """Return the picture with the most detail that can still be drawn."""
    for groups_max, rules_max in ((GROUPS_MAX, RULES_MAX), (GROUPS_MAX, 1), (3, 1), (1, 1), (0, 1)):
        picture = _picture(graph, groups_max, rules_max)
        if len(picture.edges) <= LINES_MAX:
            break
    return picture


def _picture(graph: Graph, groups_max: int, rules_max: int) -> _Picture:
    known = {node.key: node for node in graph.nodes}
    nodes = {node.key: node for node in graph.nodes if node.is_target}
    lines: list[_Line] = []
    referring = [edge for edge in graph.edges if edge.kind == "references"]
    by_target = groupby(sorted(referring, key=_target_first), key=lambda edge: edge.target)
    for target, each in by_target:
        pairs = [list(pair) for _, pair in groupby(each, key=_ends)]
        # Groups on a longer path are drawn first: without them the path would be cut.
        pairs.sort(key=lambda pair: not known[pair[0].source].is_followed)
        shown = [*pairs[:groups_max]]
        nodes.update((pair[0].source, known[pair[0].source]) for pair in shown)
        nodes[target] = known[target]
        lines += [line for pair in shown for line in _references(pair, rules_max)]
        if rest := pairs[groups_max:]:
            many = _many(f"more:{target}", f"{count(len(rest), 'more group')}", known[target])
            nodes[many.key] = many
            rules = count(sum(map(len, rest)), "rule")
            lines.append(_Line(many.key, target, "references", rules))
    carrying = [edge for edge in graph.edges if edge.kind == "carries" and edge.target in nodes]
    for _, held in groupby(sorted(carrying, key=_kind_and_target), key=_kind_and_target):
        for node, drawn in _holders(known, list(held)):
            nodes[node.key] = node
            lines.append(drawn)
    return _Picture(tuple(nodes.values()), tuple(lines))


def _target_first(edge: Edge) -> tuple[str, str]:
    return edge.target, edge.source


def _many(key: str, words: str, beside: Node) -> Node:
    return Node(key, "holder", words, beside.scope)


def _ends(edge: Edge) -> tuple[str, str]:
    return edge.source, edge.target


def _kind_and_target(edge: Edge) -> tuple[str, str]:
    return edge.target, edge.evidence.kind if isinstance(edge.evidence, Binding) else ""


def _references(edges: Sequence[Edge], rules_max: int) -> Iterator[_Line]:
    first = edges[0]
    if len(edges) > rules_max:
        yield _Line(first.source, first.target, first.kind, count(len(edges), "rule"))
        return
    for edge in edges:
        rule = edge.evidence.rule if isinstance(edge.evidence, Reference) else None
        yield _Line(edge.source, edge.target, edge.kind, _short(rule))


def _short(rule: Rule | None) -> str:
    """Return ``ingress tcp 22``: a picture has no room for more."""
    if rule is None:
        return "rule unknown"
    parts = [rule.direction.value, rule.protocol, rule.ports]
    dropped = [] if rule.action == "accept" else [rule.action]
    disabled = [] if rule.is_enabled else ["disabled"]
    return " ".join([*parts, *dropped, *disabled])


def _holders(known: Mapping[str, Node], edges: Sequence[Edge]) -> Iterator[tuple[Node, _Line]]:
    first = edges[0]
    if len(edges) > HOLDERS_MAX:
        kind = _kind_and_target(first)[1]
        target = known[first.target]
        many = _many(f"many:{kind}:{first.target}", count(len(edges), one_line(kind, 30)), target)
        yield many, _Line(many.key, first.target, first.kind, "bound to")
        return
    for edge in edges:
        yield known[edge.source], _Line(edge.source, edge.target, edge.kind, "bound to")


def _title(node: Node) -> str:
    note = f" - {node.note}" if node.note else ""
    return one_line(f"{label(node.identifier, node.name, _LABEL_MAX)}{note}", _LABEL_MAX * 2)


def _mermaid(text: str) -> str:
    """Write everything but letters, digits and harmless signs as a Mermaid entity.

    Quotes would end the label; ``%%{…}%%`` anywhere is a directive, a backtick starts markdown.
    """
    flat = one_line(text, _LABEL_MAX * 2)
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in flat)


def _dot(text: str) -> str:
    """Escape what DOT reads inside a quoted label: backslash, quote, and HTML entities."""
    flat = one_line(text, _LABEL_MAX * 2)
    return flat.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
