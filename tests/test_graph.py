"""The graph of a group: text to read, JSON to compute with, pictures nobody can break into."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from sgguard import graph
from sgguard.graph.draw import HOLDERS_MAX, RULES_MAX
from sgguard.graph.text import SHOWN_MAX
from sgguard.model import Binding, Unseen

from .guards.cast import GROUP_SETS, group, missing, named_by, named_by_unknown_rule, rule, server

MERMAID_NODE = re.compile(r'  n\d+(\[|\(\[)"[^"`<>%{}|;\n]*(#\d+;[^"`<>%{}|;\n]*)*"(\]|\]\))')
MERMAID_EDGE = re.compile(r'  n\d+ (-->|-\.->)\|"[^"`<>%{}|;\n]*(#\d+;[^"`<>%{}|;\n]*)*"\| n\d+')
MERMAID_STYLE = re.compile(r"  style n\d+ stroke-width:3px")
DOT_TEXT = r'"(?:[^"\\]|\\["\\])*"'
DOT_NODE = re.compile(rf"  n\d+ \[label={DOT_TEXT}, shape=(box|ellipse)(, penwidth=3)?\];")
DOT_EDGE = re.compile(rf"  n\d+ -> n\d+ \[label={DOT_TEXT}, style=(solid|dashed)\];")

RICH = group(
    name="web",
    references=[
        named_by("sg-b", description="from web"),
        named_by("sg-b", "egress[1]"),
        named_by("sg-c", account="another"),
        named_by_unknown_rule("sg-d"),
    ],
    bindings=[
        server("ins-1", name="front"),
        Binding("port", "p-1", owner="network:dhcp"),
        Binding("database", count=3),
    ],
)


def test_the_tree_says_who_references_by_which_rule_and_what_is_bound():
    assert graph.to_text(graph.build([RICH])).split("\n") == [
        "sg-a (web)",
        "├─ referenced by 4 rules of 3 groups",
        "│  ├─ sg-b (name-of-sg-b)",
        "│  │  ├─ egress[1]: tcp 22 accept",
        '│  │  └─ ingress[0]: tcp 22 accept "from web"',
        "│  ├─ sg-d",
        "│  │  └─ a rule that could not be read",
        "│  └─ sg-c (name-of-sg-c), account another",
        "│     └─ ingress[0]: tcp 22 accept",
        "└─ carried by 3 databases, 1 instance, 1 port",
        "   ├─ database (3, only counted)",
        "   ├─ instance ins-1 (front)",
        "   └─ port p-1, owner network:dhcp",
    ]


def test_a_free_group_says_that_nothing_was_found():
    tree = graph.to_text(graph.build([group(name="")]))
    assert tree == "sg-a\n├─ referenced by no other group\n└─ carried by nothing"


def test_what_was_not_seen_is_in_the_tree():
    hidden = Unseen("no-permission", "references", "not permitted")
    tree = graph.to_text(graph.build([group(unseen=[hidden])]))
    assert "not seen, so there may be more\n   └─ references: not permitted" in tree


def test_a_missing_group_is_marked():
    assert graph.to_text(graph.build([missing("sg-x")])).startswith("sg-x [not found]")


def test_rules_of_its_own_that_name_groups_are_shown():
    own = (rule(peer_group="sg-z"), rule("egress[0]", peer_group="sg-a"), rule(peer="0.0.0.0/0"))
    built = graph.build([group(rules=own)])
    tree = graph.to_text(built)
    assert "referenced by no other group" in tree
    assert "references 2 group rules of its own" in tree
    assert "itself: egress[0]: tcp 22 accept" in tree
    assert len(built.edges) == 2


def test_a_rule_seen_from_both_groups_is_one_edge():
    shared = rule(peer_group="sg-a")
    a = group("sg-a", references=[named_by("sg-b", peer_group="sg-a")])
    b = group("sg-b", rules=(shared,))
    assert len(graph.build([a, b]).edges) == 1


def test_many_holders_and_rules_are_grouped_and_counted():
    bindings = [Binding("port", f"p-{n:03}") for n in range(100)]
    references = [named_by("sg-b", f"ingress[{n}]") for n in range(30)]
    built = graph.build([group(references=references, bindings=bindings)])
    assert f"and {100 - SHOWN_MAX} more" in graph.to_text(built)
    assert f"and {30 - SHOWN_MAX} more" in graph.to_text(built)
    for drawn in (graph.to_mermaid(built), graph.to_dot(built)):
        assert "100 ports" in drawn
        assert "30 rules" in drawn
        assert "p-001" not in drawn
    assert len(graph.to_json(built)["edges"]) == 130


def test_few_holders_and_rules_are_drawn_one_by_one():
    bindings = [Binding("port", f"p-{n:03}") for n in range(HOLDERS_MAX)]
    references = [named_by("sg-b", f"ingress[{n}]") for n in range(RULES_MAX)]
    built = graph.build([group(references=references, bindings=bindings)])
    assert graph.to_mermaid(built).count("-->") == RULES_MAX
    assert graph.to_mermaid(built).count("-.->") == HOLDERS_MAX


def test_a_hostile_name_stays_a_label():
    hostile = 'x"]\n  evil --> n0 %%{init: {}}%%'
    built = graph.build([group(name=hostile, references=[named_by()])])
    mermaid, dot = graph.to_mermaid(built), graph.to_dot(built)
    assert (
        '  n0["sg-a (x#34;] evil --#62; n0 #37;#37;#123;init: #123;#125;#125;#37;#37;)"]' in mermaid
    )
    assert '  n0 [label="sg-a (x\\"] evil --> n0 %%{init: {}}%%)", shape=box, penwidth=3];' in dot


@settings(deadline=None, max_examples=50)
@given(GROUP_SETS)
def test_every_line_of_mermaid_is_a_node_an_edge_or_a_style(groups):
    head, *lines = graph.to_mermaid(graph.build(groups)).split("\n")
    assert head == "flowchart LR"
    nodes = [one for one in lines if MERMAID_NODE.fullmatch(one)]
    edges = [one for one in lines if MERMAID_EDGE.fullmatch(one)]
    styles = [one for one in lines if MERMAID_STYLE.fullmatch(one)]
    assert len(nodes) + len(edges) + len(styles) == len(lines)
    assert len(styles) == len(groups)
    assert ends_of(edges) <= set(range(len(nodes)))


@settings(deadline=None, max_examples=50)
@given(GROUP_SETS)
def test_every_line_of_dot_is_a_node_or_an_edge(groups):
    first, second, *lines, last = graph.to_dot(graph.build(groups)).split("\n")
    assert (first, second, last) == ("digraph sgguard {", "  rankdir=LR;", "}")
    nodes = [one for one in lines if DOT_NODE.fullmatch(one)]
    edges = [one for one in lines if DOT_EDGE.fullmatch(one)]
    assert len(nodes) + len(edges) == len(lines)
    assert ends_of(edges) <= set(range(len(nodes)))


def ends_of(edges):
    outside = (re.sub(r'"(?:[^"\\]|\\.)*"', "", one) for one in edges)
    return {int(number) for one in outside for number in re.findall(r"\bn(\d+)\b", one)}


@settings(deadline=None, max_examples=50)
@given(GROUP_SETS)
def test_the_tree_has_one_root_for_each_group_and_no_forged_line(groups):
    lines = graph.to_text(graph.build(groups)).split("\n")
    assert all(one.isprintable() for one in lines)
    assert len([one for one in lines if not one.startswith(("├", "└", "│", " "))]) == len(groups)


@settings(deadline=None, max_examples=50)
@given(GROUP_SETS)
def test_json_has_a_node_for_both_ends_of_every_edge(groups):
    written = graph.to_json(graph.build(groups))
    assert json.loads(json.dumps(written)) == written
    keys = [one["key"] for one in written["nodes"]]
    assert len(keys) == len(set(keys))
    for edge in written["edges"]:
        assert {edge["source"], edge["target"]} <= set(keys)
        assert (edge["reference"] is None) != (edge["binding"] is None)


@given(st.permutations([named_by("sg-b"), named_by("sg-c"), named_by("sg-d", "egress[1]")]))
def test_the_order_of_the_answer_does_not_change_the_graph(references):
    assert graph.build([group(references=references)]) == graph.build(
        [group(references=sorted(references, key=repr))]
    )
