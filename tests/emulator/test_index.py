"""An index is of the state as it is: whoever changes anything of it, the next look sees that."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest

from sgguard.emulator.index import SEARCHES
from sgguard.emulator.state import Attachment, Cloud, Group, Instance, Interface, Rule


@pytest.fixture
def cloud() -> Cloud:
    """Groups a, b and c; rules of b and c name a; ports p and q of instances i and j carry a."""
    cloud = Cloud(
        "tencent",
        groups=[Group("a"), Group("b"), Group("c")],
        instances=[Instance("i"), Instance("j")],
        interfaces=[Interface("p", ["a"], "i"), Interface("q", ["a"], "j")],
    )
    cloud.groups[1].rules.append(Rule("ingress", peer_group="a"))
    cloud.groups[2].rules.append(Rule("egress", peer_group="a"))
    for _ in range(SEARCHES + 1):
        seen(cloud)
    return cloud


def seen(cloud: Cloud) -> dict[str, object]:
    """All looks at a cloud, as texts."""
    return {
        "found": [cloud.group("a"), cloud.instance("i"), cloud.interface("p")].count(None),
        "naming": [group.id for group, _ in cloud.naming("a")],
        "with": [one.id for one in cloud.interfaces_with("a")],
        "of": [one.id for one in cloud.interfaces_of("i")],
        "instances": [one.id for one in cloud.instances_with("a")],
        "kept": cloud.kept("names", lambda: [one.name for one in cloud.groups]),
    }


BEFORE = {
    "found": 0,
    "naming": ["b", "c"],
    "with": ["p", "q"],
    "of": ["p"],
    "instances": ["i", "j"],
    "kept": ["", "", ""],
}


def test_a_table_tells_what_a_search_told(cloud):
    assert seen(cloud) == BEFORE
    assert seen(Cloud("tencent", **parts(cloud))) == BEFORE


def parts(cloud: Cloud) -> dict[str, list]:
    return {name: getattr(cloud, name) for name in ("groups", "instances", "interfaces")}


RULE = Rule("egress", peer_group="a")
CHANGES = {
    "a rule is added": (
        lambda c: c.groups[0].rules.append(Rule("egress", peer_group="a")),
        "naming",
    ),
    "rules are replaced": (lambda c: setattr(c.groups[1], "rules", []), "naming"),
    "rules are cleared": (lambda c: c.groups[1].rules.clear(), "naming"),
    "rules are cut": (lambda c: c.groups[1].rules.__setitem__(slice(None), []), "naming"),
    "a rule names another": (lambda c: setattr(c.groups[1].rules[0], "peer_group", "b"), "naming"),
    "a group goes": (lambda c: c.groups.pop(0), "found"),
    "a group is deleted by slice": (lambda c: c.groups.__delitem__(slice(0, 1)), "found"),
    "a group gets a name": (lambda c: setattr(c.groups[0], "name", "web"), "kept"),
    "a port loses a group": (lambda c: c.interfaces[0].groups.remove("a"), "with"),
    "a port gets other groups": (lambda c: setattr(c.interfaces[0], "groups", ["b"]), "instances"),
    "a port comes": (lambda c: c.interfaces.insert(0, Interface("r", ["a"], "i")), "of"),
    "ports come": (lambda c: c.interfaces.extend([Interface("r", ["a"], "i")]), "with"),
    "ports turn round": (lambda c: c.interfaces.reverse(), "with"),
    "a port moves": (lambda c: setattr(c.interfaces[0], "instance", "j"), "of"),
    "an instance goes": (lambda c: c.instances.remove(c.instances[0]), "found"),
    "all instances go": (lambda c: setattr(c, "instances", []), "instances"),
}


@pytest.mark.parametrize(("change", "look"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_any_kind_is_seen_by_the_next_look(cloud, change, look):
    change(cloud)
    fresh = Cloud("tencent", **parts(cloud))
    assert seen(cloud)[look] != BEFORE[look]
    assert seen(cloud) == seen(fresh)


def test_what_was_found_under_a_quirk_is_not_told_without_it(cloud):
    cloud.quirks["lists"] = ["p"]
    assert cloud.kept("names", lambda: "with it") == "with it"
    cloud.quirks["lists"].append("q")  # a list in a table, which is not watched
    assert cloud.kept("names", lambda: "with both") == "with both"


def test_nothing_is_found_twice_while_nothing_changes(cloud):
    found = [cloud.kept("list", object) for _ in range(2)]
    assert found[0] is found[1]
    cloud.nonces.add("n")
    cloud.tokens["t"] = 1  # runtime data, of which no look depends
    assert cloud.kept("list", object) is found[0]
    cloud.limits["rules-per-group"] = 5
    assert cloud.kept("list", object) is not found[0]


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, replace, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_has_looks_of_its_own(cloud, copied):
    other = copied(cloud)
    assert seen(other) == BEFORE
    other.interfaces = [copy.deepcopy(one) for one in cloud.interfaces]
    other.interfaces[0].groups.append("b")
    assert [one.id for one in other.interfaces_with("b")] == ["p"]
    assert cloud.interfaces_with("b") == []


def test_groups_that_are_shared_with_a_view_are_watched_there_too(cloud):
    product = Attachment("lb", "load-balancer", ["a"])
    view = Interface("lb", product.groups)
    cloud.interfaces.append(view)
    assert len(cloud.interfaces_with("a")) == 3
    product.groups.remove("a")
    assert len(cloud.interfaces_with("a")) == 2
