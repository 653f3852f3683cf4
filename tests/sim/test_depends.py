"""An answer depends on what was looked at for it, and on nothing else."""

from __future__ import annotations

import pytest

from sgguard.emulator.faces.tencent.binding import Task
from sgguard.emulator.resource import Group
from tests.sim.depends import EVERYWHERE, Content, watched, watching
from tests.sim.story import Story, id_of, state_of

GROUPS = {
    "g0": [["ingress", "22", "g1"]],
    "g1": [["ingress", "443", ""]],
    "g2": [],
}
G0, G1, G2 = (id_of("tencent", name) for name in GROUPS)


@pytest.fixture
def cloud():
    story = Story("tencent", "1", GROUPS, {"h0": ["g1", "g2"]})
    cloud = watched(state_of(story).clouds[0])
    Content(cloud)
    return cloud


LOOKS = {
    "a group that is there": (lambda cloud: cloud.group(G0), {f"?{G0}"}),
    "a group that is not there": (lambda cloud: cloud.group("sg-none"), {"?sg-none"}),
    "the rules of a group": (lambda cloud: cloud.group(G0).rules, {f"?{G0}", G0}),
    "the rules that name a group": (lambda cloud: cloud.references(G1), {f">{G1}"}),
    "the interfaces with a group": (lambda cloud: cloud.interfaces_with(G1), {f"@{G1}"}),
    "all groups": (lambda cloud: [one.name for one in cloud.groups], {"groups"}),
    "all rules": (
        lambda cloud: [one.rules for one in cloud.groups if not one.default],
        {"groups", G0, G1, G2},
    ),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_has_the_names_of_what_it_found(cloud, name):
    look, names = LOOKS[name]
    with watching() as seen:
        look(cloud)
    assert seen == names


def changed(cloud, change) -> set[str]:
    """The looks that find something else after a change."""
    looks = ["groups", "interfaces", "instances"]
    looks += [f"{kind}{one}" for kind in ("", "?", ">", "@") for one in (G0, G1, G2)]
    before = Content(cloud)
    numbers = {one: before.number(one) for one in looks}
    change(cloud)
    after = Content(cloud)
    return {one for one in looks if after.number(one) != numbers[one]}


def test_a_change_is_found_by_the_looks_at_it_and_by_no_others(cloud):
    def rules(cloud) -> None:
        cloud.group(G0).rules.clear()

    assert changed(cloud, rules) == {G0, f">{G1}"}

    def unbound(cloud) -> None:
        cloud.interfaces[0].groups.remove(G2)

    assert changed(cloud, unbound) == {f"@{G2}"}
    assert changed(cloud, lambda cloud: cloud.delete_group(G2)) == {"groups", f"?{G2}", G2}
    assert changed(cloud, lambda _: None) == set()


def test_what_was_put_back_is_what_it_was(cloud):
    def there_and_back(cloud) -> None:
        rules = cloud.group(G0).rules
        first = list(rules)
        rules.clear()
        Content(cloud)
        rules.extend(first)

    assert changed(cloud, there_and_back) == set()


def test_a_new_group_is_watched(cloud):
    cloud.groups.append(Group("sg-new"))
    Content(cloud)
    with watching() as seen:
        assert cloud.group("sg-new").rules == []
    assert "sg-new" in seen


def test_what_an_answer_says_of_an_operation_changes_by_itself_when_that_ends(cloud):
    times = [10.0]
    task = Task("AssociateSecurityGroups", "r-1", ("AssociateSecurityGroups", G0), 12.0, (G1,))
    content = Content(cloud, lambda: times[-1])
    idle = content.number(EVERYWHERE)
    cloud.tokens["tencent-binding-tasks"] = {"ins-1": task}
    under_way = content.number(EVERYWHERE)
    times.append(12.0)
    over = content.number(EVERYWHERE)
    assert len({idle, under_way, over}) == 3
