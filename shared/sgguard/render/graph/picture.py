"""The graph as SVG for a page: each group the graph is about, and below it what keeps it.

It is as wide as a phone and grows in height, so that every text can be read without zooming. The
page's style sheet colours it (classes ``box``, ``about``, ``line``, ``tip``, ``name``, ``how``);
nothing is loaded, and no name of a cloud is more than a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

import msgspec

from sgguard.model.resource import Binding, Reference, Rule
from sgguard.render.graph.model import Edge, Graph, Node
from sgguard.render.language.words import Words, isolated, plain, within
from sgguard.render.wording import label

ROWS_MAX = 8
"""Groups that name one group, and holders of one kind, that get a row each."""

RULES_MAX = 2
"""Rules of one group that are told; more are counted."""

TARGETS_MAX = 10

_WIDTH, _INDENT, _SPINE = 360, 28, 12
_HEAD, _ROW, _GAP = 40, 46, 8
_COLUMNS = 44
"""Columns of a line in a row: 13 px letters are at most 7 px wide on average."""


class _Row(msgspec.Struct, frozen=True):
    """What keeps a group: a name, how it does, and whether it is a group or a holder."""

    name: str
    how: str
    kind: str


def to_svg(graph: Graph, words: Words) -> str:
    """Return an ``<svg>`` element, empty where the graph is about nothing."""
    targets = graph.targets()
    parts: list[str] = []
    y = 1
    for node in targets[:TARGETS_MAX]:
        rows = list(_rows(graph, node, words))
        parts += _block(node, rows, y)
        y += _HEAD + len(rows) * (_ROW + _GAP) + 2 * _GAP
    if len(targets) > TARGETS_MAX:
        more = words.say("picture.more", n=len(targets) - TARGETS_MAX)
        parts.append(_text(0, y + 14, "how", more))
        y += 24
    if not parts:
        return ""
    title = escape(words.say("picture.title"))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {y}" role="img" aria-label="{title}" class="picture">'
        f"<title>{title}</title>{''.join(parts)}</svg>"
    )


def _block(node: Node, rows: Sequence[_Row], y: int) -> Iterator[str]:
    """Draw a group, a line down from it, and a row for each of what keeps it."""
    yield f'<rect class="box about" x="1" y="{y}" width="{_WIDTH - 2}" height="{_HEAD}" rx="4"/>'
    yield _text(12, y + 25, "name", within(_named(node), _COLUMNS))
    if not rows:
        return
    top = y + _HEAD
    last = top + _GAP + (len(rows) - 1) * (_ROW + _GAP) + _ROW // 2
    yield f'<path class="line" d="M{_SPINE} {last}V{top + 6}"/>'
    # The head of the arrow points at the group that is kept.
    yield f'<path class="tip" d="M{_SPINE} {top}l-5 8h10z"/>'
    for number, row in enumerate(rows):
        at = top + _GAP + number * (_ROW + _GAP)
        radius = 4 if row.kind == "group" else 16
        dashed = "" if row.kind == "group" else " dashed"
        yield f'<path class="line{dashed}" d="M{_SPINE} {at + _ROW // 2}H{_INDENT}"/>'
        yield (
            f'<rect class="box" x="{_INDENT}" y="{at}" width="{_WIDTH - _INDENT - 1}" '
            f'height="{_ROW}" rx="{radius}"/>'
        )
        yield _text(_INDENT + 12, at + 19, "name", within(row.name, _COLUMNS - 4))
        yield _text(_INDENT + 12, at + 37, "how", within(row.how, _COLUMNS - 2))


def _rows(graph: Graph, target: Node, words: Words) -> Iterator[_Row]:
    """Yield what names the group, then what it is bound to; of many, how many more there are."""
    naming = [one for one in graph.edges if one.target == target.key and one.kind == "references"]
    pairs = [list(each) for _, each in groupby(sorted(naming, key=_source), key=_source)]
    for edges in pairs[:ROWS_MAX]:
        yield _Row(_named(graph.node(edges[0].source)), _rules(edges, words), "group")
    if rest := pairs[ROWS_MAX:]:
        rules = words.count(sum(map(len, rest)), "rule")
        yield _Row(words.say("picture.more", n=len(rest)), rules, "group")
    bound = [one for one in graph.edges if one.target == target.key and one.kind == "carries"]
    for kind, each in groupby(sorted(bound, key=_kind), key=_kind):
        held = list(each)
        said = words.say(f"kind.{kind}") if words.has(f"kind.{kind}") else plain(kind, 30)
        how = words.say("picture.bound", kind=said)
        if len(held) > ROWS_MAX:
            yield _Row(words.count(sum(map(_number, held)), kind), how, "holder")
            continue
        for edge in held:
            node = graph.node(edge.source)
            counted = words.count(_number(edge), kind)
            is_counted = isinstance(edge.evidence, Binding) and not edge.evidence.holder_id
            yield _Row(counted if is_counted else _named(node), how, "holder")


def _rules(edges: Sequence[Edge], words: Words) -> str:
    """Return what the first rules between two groups let through, and how many more."""
    told = [_rule(one.evidence.rule, words) for one in edges if isinstance(one.evidence, Reference)]
    shown = words.items(told[:RULES_MAX])
    rest = len(told) - RULES_MAX
    return shown if rest <= 0 else words.say("list.more", listed=shown, n=rest)


def _rule(rule: Rule | None, words: Words) -> str:
    if rule is None:
        return words.say("picture.rule")
    any_ = "any"
    traffic = f"{rule.protocol} {rule.ports}"
    if rule.protocol == rule.ports == any_:
        traffic = words.say("traffic.any")
    return f"{words.say(f'way.{rule.direction.value}')} {plain(traffic, 40)}"


def _source(edge: Edge) -> str:
    return edge.source


def _kind(edge: Edge) -> str:
    return edge.evidence.kind if isinstance(edge.evidence, Binding) else ""


def _number(edge: Edge) -> int:
    return edge.evidence.count if isinstance(edge.evidence, Binding) else 1


def _named(node: Node) -> str:
    return isolated(label(node.identifier, node.name, 60))


def _text(x: int, y: int, kind: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'
