from __future__ import annotations

import pytest

from sgguard.emulator.state import State, StateError


def world(**extra):
    return {
        "clouds": [
            {
                "provider": "tencent",
                "regions": ["ap-guangzhou"],
                "accounts": [{"id": "100", "projects": ["7"]}],
                "groups": [
                    {"id": "sg-a", "rules": [{"direction": "ingress", "peer_group": "sg-a"}]},
                    {"id": "sg-b", "rules": [{"direction": "egress", "peer_group": "sg-a"}]},
                    {"id": "sg-c"},
                    {"id": "sg-default", "default": True},
                    {"id": "sg-managed", "managed_by": "TKE"},
                ],
                "instances": [{"id": "ins-1", "groups": ["sg-b", "sg-c"]}, {"id": "ins-2"}],
                "interfaces": [
                    {"id": "eni-2", "instance": "ins-2", "groups": ["sg-c"], "kind": "secondary"},
                    {"id": "eni-3", "groups": ["sg-b"]},
                ],
                "attachments": [{"id": "lb-1", "kind": "CLB", "groups": ["sg-b"]}],
                **extra,
            }
        ]
    }


@pytest.fixture
def cloud():
    return State.load(world()).clouds[0]


def test_what_has_no_region_account_or_project_gets_the_clouds_first(cloud):
    group = cloud.group("sg-a")
    assert (group.region, group.account, group.project) == ("ap-guangzhou", "100", "7")


def test_a_rule_of_the_group_itself_is_not_a_reference(cloud):
    assert [(g.id, r.direction) for g, r in cloud.references("sg-a")] == [("sg-b", "egress")]


def test_groups_of_an_instance_hang_on_its_interfaces(cloud):
    assert cloud.groups_of("ins-1") == ["sg-b", "sg-c"]
    assert cloud.groups_of("ins-2") == ["sg-c"]
    assert {i.id for i in cloud.instances_with("sg-c")} == {"ins-1", "ins-2"}


@pytest.mark.parametrize(
    ("group_id", "kind"),
    [
        ("sg-nowhere", "not-found"),
        ("sg-a", "referenced"),
        ("sg-b", "in-use"),
        ("sg-c", "in-use"),
        ("sg-default", "default"),
        ("sg-managed", "managed"),
    ],
)
def test_a_delete_is_refused_for_what_holds_the_group(cloud, group_id, kind):
    with pytest.raises(StateError) as caught:
        cloud.delete_group(group_id)
    assert caught.value.kind == kind


def test_a_cascading_delete_takes_the_rules_of_other_groups_with_it(cloud):
    cloud.delete_group("sg-a", is_cascading=True)
    assert cloud.group("sg-a") is None
    assert cloud.group("sg-b").rules == []


def test_a_forced_delete_unbinds_instances_but_nothing_else(cloud):
    cloud.delete_group("sg-c", is_forced=True)
    assert cloud.groups_of("ins-1") == ["sg-b"]
    with pytest.raises(StateError, match="in-use"):
        cloud.delete_group("sg-b", is_forced=True)


def test_a_group_is_bound_behind_those_that_are_there(cloud):
    cloud.bind("eni-3", "sg-c")
    assert cloud.interface("eni-3").groups == ["sg-b", "sg-c"]


@pytest.mark.parametrize(
    ("interface", "group", "kind"),
    [
        ("eni-9", "sg-c", "not-found"),
        ("eni-3", "sg-x", "not-found"),
        ("eni-3", "sg-b", "duplicate"),
    ],
)
def test_a_binding_that_cannot_be_is_refused(cloud, interface, group, kind):
    with pytest.raises(StateError) as caught:
        cloud.bind(interface, group)
    assert caught.value.kind == kind


def test_a_binding_over_the_limit_is_refused(cloud):
    with pytest.raises(StateError, match="limit"):
        cloud.bind("eni-3", "sg-c", at_most=1)


def test_a_dump_loads_into_the_same_state():
    state = State.load(world())
    assert State.load(state.dump()).dump() == state.dump()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"grops": []}, r"clouds\[0\].grops: unknown key"),
        ({"groups": [{"name": "x"}]}, r"clouds\[0\].groups\[0\].id: missing"),
        ({"groups": [{"id": 7}]}, r"clouds\[0\].groups\[0\].id: expected str, got 7"),
        ({"groups": {}}, r"clouds\[0\].groups: expected a list"),
        ({"groups": [{"id": "a"}, {"id": "a"}]}, r"clouds\[0\].groups: the id 'a' is used twice"),
        ({"groups": [{"id": "a", "rules": [{}]}]}, r"groups\[0\].rules\[0\].direction: missing"),
        ({"limits": {"groups-per-instance": True}}, r"limits.groups-per-instance: expected int"),
        ({"groups": ["a"]}, r"groups\[0\]: expected a table"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_scenario_that_does_not_fit_is_refused_with_its_path(change, path):
    with pytest.raises(ValueError, match=path):
        State.load(world(**change))


def test_a_provider_listed_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        State.load({"clouds": [{"provider": "tencent"}, {"provider": "tencent"}]})
