"""The referrers of a group and theirs in turn: followed level by level, within limits."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sgguard.errors import DeadlineError, UnavailableError
from sgguard.model.address import Address, Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.facts import GroupFacts
from sgguard.model.resource import Direction, Group, Reference, Rule, Seen, Visibility
from sgguard.operations import explain as explanation
from sgguard.render import graph
from sgguard.render.language.sentence import in_english

SCOPE = Scope("tencent", "", "ap-guangzhou")


@dataclass
class Cloud:
    """A provider over a dictionary: by group, the groups that name it."""

    naming: dict[str, list[str]]
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    failing: dict[int, Exception] = field(default_factory=dict)
    capabilities = Capabilities("tencent", "refused", "ResourceInUse", "instance", "sg-5ua9adfv")
    visibility = Visibility.ACCOUNT

    def is_group_id(self, text):
        return True

    def read_groups(self, ids):
        self.asked.append(("groups", tuple(ids)))
        tags = (("owner", "team-a"),)
        return Seen({one: Group(one, f"name-of-{one}", tags=tags) for one in ids})

    def list_references(self, ids):
        self.asked.append(("references", tuple(ids)))
        if error := self.failing.get(len([one for one in self.asked if one[0] == "references"])):
            raise error
        return Seen({one: tuple(map(reference, self.naming.get(one, ()))) for one in ids})

    def list_bindings(self, ids):
        return Seen(dict.fromkeys(ids, ()))

    def list_rules(self, group_id):
        return Seen(())

    def references(self):
        return [ids for what, ids in self.asked if what == "references"]


def reference(group_id):
    account, _, own = group_id.rpartition("/")
    return Reference(own, account=account, rule=Rule("ingress[0]", Direction.INGRESS))


def explain(cloud, depth, **bounds) -> tuple[GroupFacts, ...]:
    return explanation.gather(cloud, Address(SCOPE, "a"), depth, **bounds).groups


def ids(groups):
    return [one.address.group_id for one in groups]


def text(groups):
    return graph.to_text(graph.build(groups, targets=1))


LONG = {"a": ["b", "c"], "b": ["d"], "c": ["d", "a"], "d": ["e"], "e": []}


@pytest.mark.parametrize(
    ("depth", "reached"), [(1, "a"), (2, "abc"), (3, "abcd"), (4, "abcde"), (9, "abcde")]
)
def test_each_level_follows_those_who_name_the_level_before_it_in_one_wave(depth, reached):
    cloud = Cloud(LONG)
    groups = explain(cloud, depth)
    assert ids(groups) == list(reached)
    asked = cloud.references()
    assert asked[:4] == [("a",), ("b", "c"), ("d",), ("e",)][: len(asked)]
    assert len([one for each in asked for one in each]) == len(reached)


def test_a_circle_ends_and_is_named():
    groups = explain(Cloud({"a": ["b"], "b": ["c"], "c": ["a"]}), 20)
    assert ids(groups) == ["a", "b", "c"]
    assert "cycle: a (name-of-a) → c (name-of-c) → b (name-of-b) → a (name-of-a)" in text(groups)


def test_a_referring_group_has_its_name_and_its_owners_tags_even_where_it_is_not_followed():
    (first,) = explain(Cloud(LONG), 1)
    told = {(one.group_id, one.group_name, one.tags) for one in first.references}
    assert told == {
        ("b", "name-of-b", (("owner", "team-a"),)),
        ("c", "name-of-c", (("owner", "team-a"),)),
    }


def test_another_accounts_group_is_neither_followed_nor_described():
    cloud = Cloud({"a": ["another/b"]})
    (first,) = explain(cloud, 5)
    assert first.references[0].tags is None
    assert cloud.references() == [("a",)]
    assert cloud.asked.count(("groups", ("b",))) == 0


def test_beyond_the_bound_groups_are_named_and_said_not_to_be_followed():
    cloud = Cloud({"a": [f"x{n}" for n in range(5)], "x0": ["y"]})
    groups = explain(cloud, 3, groups_max=3)
    assert ids(groups) == ["a", "x0", "x1", "x2", "x3", "x4"]
    assert cloud.references() == [("a",), ("x0", "x1", "x2")]
    gaps = {one.address.group_id: one.unseen for one in groups if one.unseen}
    assert list(gaps) == ["x3", "x4"]
    assert "more than 3 groups are reached" in in_english(gaps["x3"][0].why)
    assert "not followed further" in text(groups)


@pytest.mark.parametrize(
    "error", [DeadlineError("the time is used up"), UnavailableError("tencent", "x")]
)
def test_what_could_not_be_followed_in_time_leaves_what_is_known(error):
    groups = explain(Cloud(LONG, failing={3: error}), 9)
    assert ids(groups) == ["a", "b", "c", "d"]
    assert [one.address.group_id for one in groups if one.unseen] == ["d"]
    assert groups[3].unseen[0].code == "not-told"
    assert "referenced by no other group that could be seen" in text(groups)


def test_the_group_itself_must_be_read():
    with pytest.raises(DeadlineError):
        explain(Cloud(LONG, failing={1: DeadlineError("the time is used up")}), 9)


def test_a_description_that_cannot_be_read_takes_nothing_away():
    class Mute(Cloud):
        def read_groups(self, ids):
            if "b" in ids:
                raise UnavailableError("tencent", "DescribeSecurityGroups")
            return super().read_groups(ids)

    (first,) = explain(Mute(LONG), 1)
    assert [one.group_id for one in first.references] == ["b", "c"]
    assert first.unseen == ()
