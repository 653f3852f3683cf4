"""The graph of a group as text, JSON and pictures, safe against injected names."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.model.resource import Binding, Unseen
from sgguard.render import graph
from sgguard.render.graph.cycle import cycles
from sgguard.render.graph.draw import GROUPS_MAX, HOLDERS_MAX, LINES_MAX, RULES_MAX
from sgguard.render.wording import columns
from tests.examples import examples
from tests.guards.builders import (
    GROUP_SETS,
    group,
    missing,
    named_by,
    named_by_unknown_rule,
    rule,
    server,
)

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


def test_the_tree_says_who_names_it_what_it_is_bound_to_and_how_to_detach_each():
    assert graph.to_text(graph.build([RICH])).split("\n") == [
        "sg-a (web), tencent::ap-guangzhou",
        "├─ referenced by 4 rules of 3 groups",
        "│  ├─ sg-b (name-of-sg-b)",
        "│  │  ├─ egress[1]: tcp 22 accept",
        '│  │  ├─ ingress[0]: tcp 22 accept "from web"',
        "│  │  └─ detach: revoke these 2 rules, the last one first: removing one shifts the others",
        "│  ├─ sg-d",
        "│  │  ├─ a rule that could not be read",
        "│  │  └─ detach: find the rule that names the group, and revoke it",
        "│  └─ sg-c (name-of-sg-c), account another",
        "│     ├─ ingress[0]: tcp 22 accept",
        "│     └─ detach: ask account another to revoke it: only its owner can",
        "└─ bound to 3 databases, 1 instance, 1 port",
        "   ├─ 3 databases",
        "   │  └─ detach: only counted; find and change them where databases are managed",
        "   ├─ 1 instance",
        "   │  ├─ instance ins-1 (front)",
        "   │  └─ detach: unbind this group; where it is the last one, bind another first",
        "   └─ 1 port",
        "      ├─ port p-1, owner network:dhcp",
        "      └─ detach: belongs to network:dhcp: change or delete it there",
    ]


def test_a_free_group_says_that_nothing_was_found():
    tree = graph.to_text(graph.build([group(name="")]))
    assert tree == (
        "sg-a, tencent::ap-guangzhou\n├─ referenced by no other group\n└─ bound to nothing"
    )


@pytest.mark.parametrize(
    ("binding", "said"),
    [
        (server(other_group_ids=("sg-x",)), "unbind this group, its other groups stay"),
        (server(other_group_ids=()), "bind another group first, it is the last one; then unbind"),
        (server(), "where it is the last one, bind another first"),
        (Binding("port", "p-1", instance_id="vm-1", owner="compute:nova"), "from the port"),
        (
            Binding("interface", "i-1", instance_id="vm-1", owner="sub-network-interface"),
            "from the interface",
        ),
        (
            Binding("interface", "eni-1", instance_id="i-1", owner="service ACK"),
            "belongs to service ACK: change or delete it there",
        ),
        (Binding("port", "p-1"), "on no instance: give it another group, or delete the port"),
        (Binding("database", "cdb-1"), "give it another group where databases are managed"),
        (Binding("load-balancer", count=2), "only counted; find and change them where load-bal"),
    ],
)
@pytest.mark.sampled(4)
def test_each_kind_of_holder_has_its_own_way_to_detach(binding, said):
    built = graph.build([group(bindings=[binding])])
    (edge,) = graph.to_json(built)["edges"]
    assert said in edge["let_go"]
    assert said in graph.to_text(built)


def test_each_rule_says_what_to_revoke_and_where():
    edges = graph.to_json(graph.build([RICH]))["edges"]
    said = {one["let_go"] for one in edges if one["kind"] == "references"}
    assert said == {
        "revoke rule ingress[0] in sg-b (name-of-sg-b)",
        "revoke rule egress[1] in sg-b (name-of-sg-b)",
        "ask account another to revoke it: only its owner can",
        "find the rule that names the group in sg-d, and revoke it",
    }


def test_an_edge_in_json_tells_account_and_region_of_where_it_begins():
    written = graph.to_json(graph.build([RICH]))
    places = {(one["source"], one["account"], one["region"]) for one in written["edges"]}
    assert ("group:another:sg-c", "another", "ap-guangzhou") in places
    assert ("group::sg-b", "", "ap-guangzhou") in places
    addresses = {one["address"] for one in written["nodes"] if one["kind"] == "group"}
    assert "tencent:another:ap-guangzhou:sg-c" in addresses


def test_tags_that_name_an_owner_are_shown_and_json_has_all():
    tags = (("owner", "team-a"), ("env", "prod"), ("CostCenter", "42"))
    tagged = replace(named_by("sg-b"), tags=tags)
    built = graph.build([group(references=[tagged], tags=(("team", "core"),))])
    tree = graph.to_text(built)
    assert "sg-a (name-of-sg-a), tencent::ap-guangzhou, team=core" in tree
    assert "sg-b (name-of-sg-b), owner=team-a, CostCenter=42" in tree
    assert "prod" not in tree
    (node,) = [one for one in graph.to_json(built)["nodes"] if one["id"] == "sg-b"]
    assert {"key": "env", "value": "prod"} in node["tags"]


def test_what_was_not_seen_is_in_the_tree():
    hidden = Unseen("no-permission", "references", "not permitted")
    tree = graph.to_text(graph.build([group(unseen=[hidden])]))
    assert "not seen, so there may be more\n   └─ references: not permitted" in tree
    assert "referenced by no other group that could be seen" in tree
    assert "bound to nothing that could be seen" in tree


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


def many(edges=500):
    """A group with as many rules naming it, in half as many groups, and as many holders."""
    references = [
        named_by(f"sg-{n // 2:03}", f"ingress[{n % 2}]", description="字" * 40)
        for n in range(edges)
    ]
    bindings = [Binding("port", f"p-{n:03}", instance_id=f"vm-{n}") for n in range(edges)]
    return group(references=references, bindings=bindings)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.sampled(2)
def test_a_thousand_edges_stay_readable_and_fit_the_terminal(width):
    built = graph.build([many()])
    lines = graph.to_text(built, width=width).split("\n")
    assert len(lines) < 70
    assert max(map(columns, lines)) <= width
    tree = "\n".join(lines)
    assert "referenced by 500 rules of 250 groups" in tree
    assert "and 240 more groups: --json shows all" in tree
    assert "and 495 more ports: --json shows all" in tree
    assert len(graph.to_json(built)["edges"]) == 1000


def test_what_to_do_is_wrapped_and_not_cut():
    lines = graph.to_text(graph.build([group(bindings=[server(other_group_ids=())])]), width=60)
    words = " ".join(line.strip("│ └├─") for line in lines.split("\n"))
    assert "bind another group first, it is the last one; then unbind this one" in words


def test_a_long_id_is_shortened_only_where_it_does_not_fit():
    built = graph.build([group(bindings=[Binding("port", ID, instance_id=VM)])])
    assert f"port {ID} of instance {VM}" in graph.to_text(built, width=120)
    assert "port 22222222…0001 of instance 33333333…0002" in graph.to_text(built, width=80)


ID, VM = "22222222-bbbb-4bbb-8bbb-000000000001", "33333333-bbbb-4bbb-8bbb-000000000002"


def test_many_holders_and_rules_are_drawn_as_one():
    bindings = [Binding("port", f"p-{n:03}") for n in range(100)]
    references = [named_by("sg-b", f"ingress[{n}]") for n in range(30)]
    built = graph.build([group(references=references, bindings=bindings)])
    for drawn in (graph.to_mermaid(built), graph.to_dot(built)):
        assert "100 ports" in drawn
        assert "30 rules" in drawn
        assert "p-001" not in drawn
    assert len(graph.to_json(built)["edges"]) == 130


@pytest.mark.parametrize("levels", [1, 200])
@pytest.mark.sampled(2)
def test_a_picture_stays_below_what_mermaid_draws(levels):
    deep = [
        group(f"sg-x{n:03}", references=[named_by(f"sg-{n}-{m}") for m in range(50)])
        for n in range(levels)
    ]
    built = graph.build([many(), *deep], targets=1)
    mermaid = graph.to_mermaid(built)
    edges = [one for one in mermaid.split("\n") if MERMAID_EDGE.fullmatch(one)]
    assert 0 < len(edges) <= LINES_MAX
    assert len(mermaid) < 50_000
    assert "more groups" in mermaid
    if levels == 1:
        assert f"{250 - GROUPS_MAX} more groups" in mermaid


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


@examples(50)
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


@examples(50)
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


@examples(50)
@given(GROUP_SETS)
def test_the_tree_has_one_root_for_each_group_and_no_forged_line(groups):
    lines = graph.to_text(graph.build(groups)).split("\n")
    assert all(one.isprintable() for one in lines)
    beside = ("├", "└", "│", " ", "cycle: ", "and ")
    assert len([one for one in lines if not one.startswith(beside)]) == len(groups)


@examples(50)
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


# -- who names those that name it ----------------------------------------------------------------


def chain(*names, closed=False):
    """Facts of groups each named by the next; the last one by the first if closed."""
    following = [*names[1:], names[0] if closed else None]
    return [
        group(one, references=[named_by(after)] if after else [])
        for one, after in zip(names, following, strict=True)
    ]


def test_who_names_those_that_name_it_stands_below_them():
    tree = graph.to_text(graph.build(chain("sg-a", "sg-b", "sg-c"), targets=1))
    assert tree.index("sg-a") < tree.index("sg-b") < tree.index("sg-c")
    assert tree.count("referenced by 1 rule of 1 group") == 2
    assert len([one for one in tree.split("\n") if one.startswith("sg-")]) == 1


def test_a_circle_is_named_and_drawn_once():
    built = graph.build(chain("sg-a", "sg-b", "sg-c", closed=True), targets=1)
    lines = graph.to_text(built).split("\n")
    names = [f"{one} (name-of-{one})" for one in ("sg-a", "sg-c", "sg-b", "sg-a")]
    assert lines[-1] == f"cycle: {' → '.join(names)}"
    assert "drawn elsewhere in this tree" in "\n".join(lines)
    assert graph.to_json(built)["cycles"] == [
        ["group::sg-a", "group::sg-c", "group::sg-b", "group::sg-a"]
    ]


def test_a_circle_of_two_is_seen_by_the_groups_own_rules():
    own = (rule(peer_group="sg-b"), rule("egress[0]", peer_group="sg-a"))
    built = graph.build([group(references=[named_by("sg-b")], rules=own)])
    assert built.cycles == (("group::sg-a", "group::sg-b", "group::sg-a"),)


def test_a_group_that_names_itself_is_no_circle():
    own = (rule("egress[0]", peer_group="sg-a"),)
    assert graph.build([group(rules=own)]).cycles == ()


def test_a_group_that_was_not_followed_is_not_said_to_be_free():
    tree = graph.to_text(graph.build(chain("sg-a", "sg-b", "sg-c")[:2], targets=1))
    assert "not followed further" in tree
    gap = Unseen("not-told", "who names it", "not followed further: the time is used up")
    hidden = group("sg-b", unseen=[gap])
    built = graph.build([group(references=[named_by("sg-b")]), hidden], targets=1)
    tree = graph.to_text(built)
    assert "referenced by no other group that could be seen" in tree
    assert "who names it: not followed further: the time is used up" in tree
    assert graph.to_json(built)["complete"] is False


def test_another_accounts_group_cannot_be_followed_and_says_so():
    first = group(references=[named_by("sg-b"), named_by("sg-b", account="another")])
    tree = graph.to_text(graph.build([first, group("sg-b")], targets=1))
    assert "another account's groups cannot be read" in tree


def test_json_says_of_each_group_whether_it_was_followed():
    nodes = graph.to_json(graph.build(chain("sg-a", "sg-b", "sg-c")[:2], targets=1))["nodes"]
    told = {one["id"]: (one["is_target"], one["is_followed"]) for one in nodes}
    assert told == {"sg-a": (True, True), "sg-b": (False, True), "sg-c": (False, False)}


EDGES = st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=16)


@given(EDGES)
def test_every_group_in_a_circle_is_in_one_that_is_named(edges):
    found = cycles(edges)
    for circle in found:
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1 > 1
        assert set(pairwise(circle)) <= edges
    told = {one for circle in found for one in circle}
    assert told == {one for one in "abcdef" if one in reached(one, edges)}


def reached(start, edges):
    """Everything the start leads to by others than itself; itself if there is a way back."""
    ways = {one for one in edges if one[0] != one[1]}
    found, waiting = set(), [start]
    while waiting:
        here = waiting.pop()
        for source, there in ways:
            if source == here and there not in found:
                found.add(there)
                waiting.append(there)
    return found


@examples(50)
@given(GROUP_SETS, st.integers(40, 200), st.integers(1, 4))
def test_the_tree_fits_whatever_the_names_are(groups, width, targets):
    built = graph.build(groups, targets=targets)
    assert all(columns(one) <= width for one in graph.to_text(built, width=width).split("\n"))
    _, *lines = graph.to_mermaid(built).split("\n")
    nodes = [one for one in lines if MERMAID_NODE.fullmatch(one)]
    assert ends_of([one for one in lines if MERMAID_EDGE.fullmatch(one)]) <= set(range(len(nodes)))
