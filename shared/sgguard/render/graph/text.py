"""The graph as a tree of text: below each group what names it, what it is bound to, how to detach.

The rules of one group are listed together, and so are holders with the same instruction; of each
only the first few, with the number of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from sgguard.model.resource import Binding, Reference, Rule
from sgguard.render.graph.detach import detach_rules
from sgguard.render.graph.model import Edge, Graph, Node
from sgguard.render.language.sentence import in_english
from sgguard.render.wording import (
    binding_words,
    columns,
    count,
    kinds,
    label,
    one_line,
    rule_words,
    short_ids,
    wrapped,
)

WIDTH = 160
"""Columns of a line where there is no terminal."""

GROUPS_MAX, RULES_MAX, HOLDERS_MAX, DRAWN_MAX = 10, 4, 5, 40
"""Referring groups below one group, rules below one of them, holders with the same words, and
groups with branches of their own in the whole tree; the number of the others is printed."""

SEE_ALL = "--json shows all"
"""What is printed beside the number of things left out."""

_OWNER = re.compile(
    r"(?i)(^|[^a-z])(owner|team|contact|maintainer|creator|created.?by|department|cost.?cent)"
)

_DETACH = "detach: "

Branch = tuple[str, Sequence["Branch"]]
"""A line and the branches below it."""


class _Tree(msgspec.Struct, frozen=True):
    """The graph by group, and the groups that have been drawn so far."""

    graph: Graph
    nodes: dict[str, Node]
    naming: dict[str, dict[str, list[Edge]]]
    carrying: dict[str, list[Edge]]
    drawn: set[str] = msgspec.field(default_factory=set)


def to_text(graph: Graph, *, width: int = WIDTH) -> str:
    """Return the tree, one root per target group; no line is wider than ``width``."""
    tree = _plant(graph)
    tree.drawn.update(node.key for node in graph.targets())
    lines = [
        line
        for node in graph.targets()
        for line in _draw(_root(tree, node), "", "", max(width, 40))
    ]
    circles = [one_line(f"cycle: {_circle(tree, one)}", width) for one in graph.cycles]
    return "\n".join([*lines, *circles[:GROUPS_MAX], *_more(circles, GROUPS_MAX, "cycle")])


def _plant(graph: Graph) -> _Tree:
    naming: dict[str, dict[str, list[Edge]]] = {}
    carrying: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        if edge.kind == "carries":
            carrying.setdefault(edge.target, []).append(edge)
        elif edge.source != edge.target:
            naming.setdefault(edge.target, {}).setdefault(edge.source, []).append(edge)
    return _Tree(graph, {one.key: one for one in graph.nodes}, naming, carrying)


def _circle(tree: _Tree, circle: Sequence[str]) -> str:
    """Return ``a → b → a``: each names the next."""
    return " → ".join(label(tree.nodes[key].identifier, tree.nodes[key].name, 50) for key in circle)


def _root(tree: _Tree, node: Node) -> Branch:
    return _title(node), _below(tree, node)


def _title(node: Node) -> str:
    """Return the group with its scope, project, owner tags, and what is special about it."""
    owners = [f"{key}={value}" for key, value in node.tags or () if _OWNER.search(key)]
    place = [str(node.scope)] if node.is_target else []
    notes = [node.note] if node.note else []
    project = [f"project {node.project}"] if node.project else []
    special = f" [{one_line(', '.join(notes), 60)}]" if notes and node.is_target else ""
    details = [*place, *([] if node.is_target else notes), *project, *owners]
    tail = "".join(f", {one_line(part, 60)}" for part in details)
    return f"{label(node.identifier, node.name, 100)}{special}{tail}"


def _below(tree: _Tree, node: Node) -> list[Branch]:
    """Return what is known about a group: what names it, what it is bound to, what it names."""
    branches = [_referenced(tree, node), _bound(tree, node)]
    own = [e for e in tree.graph.edges if e.kind == "references" and e.source == node.key]
    if own and node.is_target:
        branches.append(_names(tree, own))
    unseen: list[Branch] = [
        (f"{in_english(one.what)}: {in_english(one.why)}", ())
        for key, one in tree.graph.unseen
        if key == node.key
    ]
    if unseen:
        branches.append(("not seen, so there may be more", unseen))
    return branches


def _referenced(tree: _Tree, node: Node) -> Branch:
    by_source = tree.naming.get(node.key, {})
    if not by_source:
        return _nothing(tree, node, "referenced by no other group"), ()
    sources = sorted(by_source)
    rules = count(sum(map(len, by_source.values())), "rule")
    branches = [_referrer(tree, tree.nodes[key], by_source[key]) for key in sources[:GROUPS_MAX]]
    more = [(one, ()) for one in _more(sources, GROUPS_MAX, "group")]
    return f"referenced by {rules} of {count(len(sources), 'group')}", [*branches, *more]


def _referrer(tree: _Tree, node: Node, edges: Sequence[Edge]) -> Branch:
    references = [e.evidence for e in edges if isinstance(e.evidence, Reference)]
    rules: list[Branch] = [(_rule(one.rule), ()) for one in references]
    below = [
        *rules[:RULES_MAX],
        *((one, ()) for one in _more(rules, RULES_MAX, "rule")),
        (f"{_DETACH}{detach_rules(references, is_under_group=True)}", ()),
    ]
    return _title(node), [*below, *_onward(tree, node)]


def _onward(tree: _Tree, node: Node) -> Iterator[Branch]:
    """Yield what names the referring group, where that was read; each group is drawn once."""
    if not node.is_followed:
        is_deep = any(one.is_followed and not one.is_target for one in tree.graph.nodes)
        if is_deep and not node.note.startswith("account"):
            yield "not followed further", ()
        elif is_deep:
            yield "not followed further: another account's groups cannot be read", ()
    elif node.key in tree.drawn:
        yield "drawn elsewhere in this tree", ()
    elif len(tree.drawn) >= DRAWN_MAX:
        yield f"not drawn further: {SEE_ALL}", ()
    else:
        tree.drawn.add(node.key)
        yield from _below(tree, node)


def _nothing(tree: _Tree, node: Node, words: str) -> str:
    return f"{words} that could be seen" if _gaps(tree, node) else words


def _gaps(tree: _Tree, node: Node) -> bool:
    return any(key == node.key for key, _ in tree.graph.unseen)


def _rule(rule: Rule | None) -> str:
    return rule_words(rule) if rule else "a rule that could not be read"


def _bound(tree: _Tree, node: Node) -> Branch:
    edges = tree.carrying.get(node.key, [])
    bindings = [edge.evidence for edge in edges if isinstance(edge.evidence, Binding)]
    if not bindings:
        return _nothing(tree, node, "bound to nothing"), ()
    if not node.is_target:
        return f"bound to {kinds(bindings)}", ()
    alike = groupby(sorted(edges, key=_kind_and_words), key=_kind_and_words)
    branches = [_held(list(each), words) for (_, words), each in alike]
    # Where all holders are of one sort, a line that counts them again adds nothing.
    below = branches if len(branches) > 1 else branches[0][1]
    return f"bound to {kinds(bindings)}", below


def _held(edges: Sequence[Edge], words: str) -> Branch:
    """Return holders of one kind that are detached in the same way."""
    bindings = [edge.evidence for edge in edges if isinstance(edge.evidence, Binding)]
    named = [one for one in bindings if one.holder_id]
    branches: list[Branch] = [(binding_words(one), ()) for one in named[:HOLDERS_MAX]]
    branches += [(one, ()) for one in _more(named, HOLDERS_MAX, bindings[0].kind)]
    return kinds(bindings), [*branches, (f"{_DETACH}{words}", ())]


def _kind_and_words(edge: Edge) -> tuple[str, str]:
    kind = edge.evidence.kind if isinstance(edge.evidence, Binding) else ""
    return kind, edge.detach


def _names(tree: _Tree, edges: Sequence[Edge]) -> Branch:
    """Return which groups the group's own rules name: those references end with its delete."""
    lines: list[Branch] = []
    for edge in edges:
        node = tree.nodes[edge.target]
        rule = edge.evidence.rule if isinstance(edge.evidence, Reference) else None
        peer = "itself" if edge.target == edge.source else label(node.identifier, node.name)
        lines.append((f"{peer}: {_rule(rule)}", ()))
    more = [(one, ()) for one in _more(lines, GROUPS_MAX, "rule")]
    return f"references {count(len(edges), 'group rule')} of its own", [*lines[:GROUPS_MAX], *more]


def _more(things: Sequence[object], shown: int, thing: str) -> Iterator[str]:
    if len(things) > shown:
        yield f"and {count(len(things) - shown, f'more {thing}')}: {SEE_ALL}"


def _draw(branch: Branch, lead: str, below: str, width: int) -> Iterator[str]:
    text, branches = branch
    room = max(width - columns(lead), 20)
    if text.startswith(_DETACH):
        # An instruction is never cut, only wrapped.
        first, *rest = wrapped(text.removeprefix(_DETACH), room, _DETACH)
        yield lead + first
        yield from (below + one for one in rest)
    else:
        fitting = text if columns(text) <= room else short_ids(text)
        yield lead + one_line(fitting, room)
    for index, one in enumerate(branches):
        is_last = index == len(branches) - 1
        last, further = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _draw(one, below + last, below + further, width)
