from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from sgguard.errors import DeadlineError, ForbiddenError, ThrottledError, UnknownShapeError
from sgguard.facts.gather import SLICE, gather_delete, gather_explanation, gather_launch
from sgguard.model.address import Address, Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.resource import (
    Binding,
    Direction,
    Group,
    Instance,
    Interface,
    Limit,
    Reference,
    Rule,
    Seen,
    Unseen,
    Visibility,
)
from sgguard.render.language.sentence import in_english
from sgguard.wire.workers import WORKERS

SCOPE = Scope("cloud", "", "north")
REFERENCE = Reference("sg-other", rule=Rule("r-1", Direction.INGRESS, peer_group="sg-1"))
CAPABILITIES = Capabilities("cloud", "refused", "InUse", "instance", "sg-1")
FORBIDDEN = ForbiddenError("cloud", "ListThings", code="NoPermission")
UNKNOWN = UnknownShapeError("cloud", "ListThings", code="null")


@dataclass
class Cloud:
    """A provider that answers what a test says; an exception is raised instead."""

    groups: Any = field(default_factory=dict)
    references: Any = field(default_factory=dict)
    bindings: Any = field(default_factory=dict)
    counts: Any = field(default_factory=dict)
    limits: Any = ()
    instance: Any = None
    rules: Any = ()
    calls: list[tuple[str, Any]] = field(default_factory=list)
    capabilities: Capabilities = CAPABILITIES
    visibility: Visibility = Visibility.PROJECT

    def _answer(self, name: str, asked: Any) -> Any:
        told = getattr(self, name)
        self.calls.append((name, asked))
        if isinstance(told, Exception):
            raise told
        if isinstance(told, Seen):
            return told
        if isinstance(told, dict):
            return Seen({k: v for k, v in told.items() if k in asked})
        return Seen(told)

    def is_group_id(self, text: str) -> bool:
        return text.startswith("sg-")

    def read_groups(self, group_ids: Sequence[str]) -> Any:
        return self._answer("groups", tuple(group_ids))

    def find_groups(self, name: str) -> tuple[str, ...]:
        groups = self.groups if isinstance(self.groups, dict) else {}
        return tuple(key for key, one in groups.items() if one and one.name == name)

    def list_references(self, group_ids: Sequence[str]) -> Any:
        return self._answer("references", tuple(group_ids))

    def list_bindings(self, group_ids: Sequence[str]) -> Any:
        return self._answer("bindings", tuple(group_ids))

    def count_instances(self, group_ids: Sequence[str]) -> Any:
        return self._answer("counts", tuple(group_ids))

    def list_rules(self, group_id: str) -> Any:
        return self._answer("rules", group_id)

    def read_instance(self, instance_id: str) -> Any:
        return self._answer("instance", instance_id)

    def read_limits(self, group_ids: Sequence[str] = ()) -> Any:
        return self._answer("limits", None)


def known(*ids: str, **more: Any) -> Cloud:
    return Cloud(
        groups={i: Group(i, name=f"name of {i}") for i in ids},
        references=dict.fromkeys(ids, ()),
        bindings=dict.fromkeys(ids, ()),
        counts=dict.fromkeys(ids, 0),
        **more,
    )


def delete(*ids: str) -> DeleteRequest:
    return DeleteRequest(tuple(Address(SCOPE, group_id) for group_id in ids))


# -- delete --------------------------------------------------------------------------------------


def test_what_the_cloud_told_becomes_the_facts_of_its_group_in_the_order_asked():
    cloud = known("sg-1", "sg-2")
    cloud.references["sg-1"] = (REFERENCE,)
    cloud.bindings["sg-2"] = (Binding("instance", "i-1"),)
    facts = gather_delete(cloud, delete("sg-2", "sg-1"))
    two, one = facts.groups
    assert [two.address.group_id, one.address.group_id] == ["sg-2", "sg-1"]
    assert two.group == Group("sg-2", name="name of sg-2")
    assert (two.references, two.bindings) == ((), (Binding("instance", "i-1"),))
    assert (one.references, one.bindings) == ((REFERENCE,), ())
    assert one.unseen == two.unseen == ()
    assert facts.visibility is Visibility.PROJECT


def test_a_set_of_groups_shares_its_reads():
    cloud = known("sg-1", "sg-2", "sg-3")
    gather_delete(cloud, delete("sg-1", "sg-2", "sg-3"))
    asked = ("sg-1", "sg-2", "sg-3")
    assert sorted(cloud.calls) == [("bindings", asked), ("groups", asked), ("references", asked)]


def test_all_reads_of_a_delete_are_under_way_at_the_same_time():
    together = threading.Barrier(3, timeout=60)

    class Meeting(Cloud):
        def _answer(self, name: str, asked: Any) -> Any:
            WORKERS.begin_next()  # as each call to a cloud says before it waits
            together.wait()
            return super()._answer(name, asked)

    facts = gather_delete(Meeting(groups={"sg-1": None}), delete("sg-1"))
    assert facts.groups[0].group is None


def test_a_group_the_cloud_does_not_know_is_none():
    cloud = known("sg-1")
    cloud.groups["sg-1"] = None
    assert gather_delete(cloud, delete("sg-1")).groups[0].group is None


@pytest.mark.parametrize("part", ["groups", "references", "bindings"])
def test_an_id_missing_from_a_response_is_unseen_and_never_empty(part):
    cloud = known("sg-1", "sg-2")
    del getattr(cloud, part)["sg-2"]
    one, two = gather_delete(cloud, delete("sg-1", "sg-2")).groups
    assert one.unseen == ()
    (unseen,) = two.unseen
    assert (unseen.code, in_english(unseen.what), unseen.group_id) == (
        "not-told",
        f"{part} of sg-2",
        "sg-2",
    )


@pytest.mark.parametrize("part", ["groups", "references", "bindings"])
@pytest.mark.parametrize(
    ("error", "code"), [(FORBIDDEN, "no-permission"), (UNKNOWN, "unknown-shape")]
)
def test_a_part_that_cannot_be_read_is_unseen_once_for_every_group(part, error, code):
    cloud = known("sg-1", "sg-2")
    setattr(cloud, part, error)
    for facts in gather_delete(cloud, delete("sg-1", "sg-2")).groups:
        assert [(u.code, in_english(u.what)) for u in facts.unseen] == [(code, part)]


def test_an_unreadable_group_is_not_reported_as_missing():
    cloud = known("sg-1")
    cloud.groups = FORBIDDEN
    assert gather_delete(cloud, delete("sg-1")).groups[0].group == Group("sg-1")


def test_what_is_unseen_of_one_group_leaves_the_others_complete():
    unseen = Unseen("record-ceiling", "references", "100 records", group_id="sg-2")
    cloud = known("sg-1", "sg-2")
    cloud.references = Seen({"sg-1": (), "sg-2": (REFERENCE,)}, (unseen,))
    one, two = gather_delete(cloud, delete("sg-1", "sg-2")).groups
    assert (one.unseen, two.unseen) == ((), (unseen,))
    assert two.references == (REFERENCE,)


def test_a_gap_of_an_unrequested_group_concerns_all():
    unseen = Unseen("record-ceiling", "references", "100 records", group_id="sg-9")
    cloud = known("sg-1", "sg-2")
    cloud.references = Seen({"sg-1": (), "sg-2": ()}, (unseen,))
    assert [g.unseen for g in gather_delete(cloud, delete("sg-1", "sg-2")).groups] == [
        (unseen,),
        (unseen,),
    ]


def test_a_malformed_id_is_not_sent_and_hides_nothing_of_the_others():
    cloud = known("sg-1")
    good, bad = gather_delete(cloud, delete("sg-1", "nonsense")).groups
    assert {asked for _, asked in cloud.calls} == {("sg-1",)}
    assert (good.is_malformed, bad.is_malformed) == (False, True)
    assert (bad.group, bad.unseen) == (None, ())


def test_nothing_is_asked_when_every_id_is_malformed():
    cloud = Cloud()
    gather_delete(cloud, delete("nonsense"))
    assert cloud.calls == []


def test_a_cloud_that_cannot_be_asked_is_an_error_and_not_unseen():
    cloud = known("sg-1")
    cloud.bindings = ThrottledError("cloud", "ListThings", code="Throttling")
    with pytest.raises(ThrottledError):
        gather_delete(cloud, delete("sg-1"))


# -- launch --------------------------------------------------------------------------------------


def test_a_planned_launch_reads_groups_counts_and_limits():
    limit = Limit("instances-per-group", 2000)
    cloud = known("sg-1", "sg-2", limits=(limit,))
    cloud.counts["sg-2"] = 7
    request = LaunchRequest(SCOPE, ("sg-1", "sg-2"), count=3, project="p", network="n")
    facts = gather_launch(cloud, request)
    assert [g.instance_count for g in facts.groups] == [0, 7]
    assert (facts.count, facts.project, facts.network) == (3, "p", "n")
    assert (facts.limits, facts.unseen, facts.additional) == ((limit,), (), ())
    assert sorted(name for name, _ in cloud.calls) == ["counts", "groups", "limits"]


def test_the_groups_of_an_instance_come_first_and_are_read_in_a_second_wave():
    eni = Interface("eni-2", ("sg-3", "sg-1"))
    instance = Instance("i-1", group_ids=("sg-1", "sg-2"), interfaces=(eni,))
    cloud = known("sg-1", "sg-2", "sg-3", "sg-4", instance=instance)
    facts = gather_launch(cloud, LaunchRequest(SCOPE, ("sg-4", "sg-2"), instance_id="i-1"))
    assert [g.address.group_id for g in facts.groups] == ["sg-1", "sg-2", "sg-3", "sg-4"]
    assert [g.instance_count for g in facts.groups] == [0, 0, 0, 0]
    assert facts.instance == instance
    assert facts.additional == ("sg-4", "sg-2")
    assert [asked for name, asked in cloud.calls if name == "groups"] == [
        ("sg-4", "sg-2"),
        ("sg-1", "sg-3"),
    ]


def test_an_instance_without_further_groups_costs_no_second_wave():
    cloud = known("sg-1", instance=Instance("i-1", group_ids=("sg-1",)))
    gather_launch(cloud, LaunchRequest(SCOPE, ("sg-1",), instance_id="i-1"))
    assert sorted(name for name, _ in cloud.calls) == ["counts", "groups", "instance", "limits"]


def test_an_instance_that_does_not_exist_is_none():
    facts = gather_launch(Cloud(), LaunchRequest(SCOPE, instance_id="i-9"))
    assert (facts.instance, facts.unseen) == (None, ())


def test_an_unreadable_instance_is_not_reported_as_missing():
    facts = gather_launch(Cloud(instance=FORBIDDEN), LaunchRequest(SCOPE, instance_id="i-9"))
    assert facts.instance == Instance("i-9")
    assert [(u.code, in_english(u.what)) for u in facts.unseen] == [("no-permission", "instance")]


def test_unreadable_limits_are_unseen():
    cloud = known("sg-1", limits=UNKNOWN)
    facts = gather_launch(cloud, LaunchRequest(SCOPE, ("sg-1",)))
    assert [(u.code, in_english(u.what)) for u in facts.unseen] == [("unknown-shape", "limits")]


def test_a_count_that_is_missing_is_unseen_for_its_group():
    cloud = known("sg-1")
    cloud.counts = {}
    (group,) = gather_launch(cloud, LaunchRequest(SCOPE, ("sg-1",))).groups
    assert group.instance_count is None
    assert [in_english(u.what) for u in group.unseen] == ["instance counts of sg-1"]


def test_what_one_wave_could_not_see_does_not_taint_the_other():
    class Half(Cloud):
        def read_groups(self, group_ids: Sequence[str]) -> Any:
            if "sg-2" in group_ids:
                raise FORBIDDEN
            return super().read_groups(group_ids)

    cloud = Half(
        groups={"sg-1": Group("sg-1")},
        counts={"sg-1": 1, "sg-2": 1},
        instance=Instance("i-1", group_ids=("sg-2",)),
    )
    two, one = gather_launch(cloud, LaunchRequest(SCOPE, ("sg-1",), instance_id="i-1")).groups
    assert one.unseen == ()
    assert [(u.code, u.group_id) for u in two.unseen] == [("no-permission", "sg-2")]


def test_a_malformed_id_of_a_launch_is_not_sent():
    cloud = known("sg-1")
    good, bad = gather_launch(cloud, LaunchRequest(SCOPE, ("sg-1", "x"))).groups
    assert (good.is_malformed, bad.is_malformed, bad.group) == (False, True, None)
    assert ("groups", ("sg-1",)) in cloud.calls


# -- explanation ---------------------------------------------------------------------------------


def test_an_explanation_has_the_groups_own_rules_too():
    rule = Rule("r-9", Direction.EGRESS, peer_group="sg-2")
    cloud = known("sg-1", rules=(rule,))
    (facts,) = gather_explanation(cloud, Address(SCOPE, "sg-1")).groups
    assert facts.group is not None
    assert facts.group.rules == (rule,)


def test_unreadable_rules_are_unseen_in_an_explanation():
    cloud = known("sg-1", rules=FORBIDDEN)
    (facts,) = gather_explanation(cloud, Address(SCOPE, "sg-1")).groups
    assert facts.group is not None
    assert facts.group.rules is None
    assert [in_english(u.what) for u in facts.unseen] == ["rules"]


@pytest.mark.parametrize("group_id", ["nonsense", "sg-9"])
def test_a_group_that_is_not_there_can_be_explained(group_id):
    cloud = Cloud(groups={"sg-9": None}, references={"sg-9": ()}, bindings={"sg-9": ()})
    (facts,) = gather_explanation(cloud, Address(SCOPE, group_id)).groups
    assert facts.group is None


# -- large sets ------------------------------------------------------------------------------------


def large(number: int = 2 * SLICE + 1) -> tuple[list[str], dict[str, Group]]:
    ids = [f"sg-{n}" for n in range(number)]
    return ids, {one: Group(one) for one in ids}


class Slow(Cloud):
    """A cloud whose time is used up after so many reads of bindings."""

    reads_left = 0

    def list_bindings(self, group_ids: Sequence[str]) -> Any:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise DeadlineError("the time of this event is used up")
        return super().list_bindings(group_ids)


def test_a_large_set_is_read_in_slices_and_is_one_answer():
    ids, groups = large()
    last_names_first = {ids[0]: (Reference(ids[-1]),)}
    cloud = Cloud(
        groups=groups,
        references=dict.fromkeys(ids, ()) | last_names_first,
        bindings=dict.fromkeys(ids, ()),
    )
    found = gather_delete(cloud, delete(*ids))
    assert [one.address.group_id for one in found.groups] == ids
    assert found.groups[0].references == last_names_first[ids[0]]
    assert not any(one.unseen for one in found.groups)
    assert [len(asked) for name, asked in cloud.calls if name == "groups"] == [SLICE, SLICE, 1]


def test_what_there_is_no_time_for_is_unseen_and_what_was_read_before_is_kept():
    ids, groups = large()
    nothing = dict.fromkeys(ids, ())
    cloud = Slow(groups=groups, references=nothing, bindings=nothing)
    cloud.reads_left = 1
    found = gather_delete(cloud, delete(*ids))
    codes = [[gap.code for gap in one.unseen] for one in found.groups]
    assert codes == [[]] * SLICE + [["out-of-time"]] * (SLICE + 1)
    assert {one.unseen[0].group_id for one in found.groups[SLICE:]} == set(ids[SLICE:])


def test_a_large_set_of_which_nothing_could_be_read_in_time_is_an_error():
    ids, groups = large()
    with pytest.raises(DeadlineError):
        gather_delete(Slow(groups=groups), delete(*ids))
