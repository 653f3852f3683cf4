"""The decision document: one shape for everything, and always what its schema says."""

from __future__ import annotations

import json
from datetime import timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard import schemas
from sgguard.model.codes import DELETE_CODES, LAUNCH_CODES
from sgguard.model.resource import Binding, Limit
from sgguard.render import document
from tests.examples import examples
from tests.guards.builders import (
    DELETE_FACTS,
    LAUNCH_FACTS,
    LIMITS,
    NO_PERMISSION,
    OPENSTACK,
    POLICIES,
    TENCENT,
    decision,
    facts,
    group,
    instance,
    launched,
    named_by,
    planned,
    server,
)


@examples(50)
@given(st.one_of(DELETE_FACTS, LAUNCH_FACTS), POLICIES)
def test_every_decision_is_what_the_schema_says(of, policy):
    written = document.to_json(decision(of, policy))
    assert schemas.problems("decision", written) == ()
    assert json.loads(json.dumps(written)) == written


def test_a_single_group_a_set_and_a_launch_have_the_same_shape():
    single = document.to_json(decision(facts(group("sg-a"))))
    several = document.to_json(decision(facts(group("sg-a"), group("sg-b"))))
    launch = document.to_json(decision(planned(group(count=1))))
    assert set(single) == set(several) == set(launch)
    assert set(single["facts"]) == set(several["facts"]) == set(launch["facts"])
    assert single["target"] == ["tencent::ap-guangzhou:sg-a"]


def test_references_and_bindings_name_the_group_they_concern():
    of = facts(
        group("sg-a", references=[named_by("sg-x")]),
        group("sg-b", bindings=[server(), Binding("database", count=2)]),
    )
    written = document.to_json(decision(of))["facts"]
    assert [(one["target"], one["group_id"]) for one in written["references"]] == [
        ("tencent::ap-guangzhou:sg-a", "sg-x")
    ]
    assert [(one["target"], one["kind"], one["count"]) for one in written["bindings"]] == [
        ("tencent::ap-guangzhou:sg-b", "instance", 1),
        ("tencent::ap-guangzhou:sg-b", "database", 2),
    ]


def test_facts_are_complete_when_nothing_was_unseen():
    assert document.to_json(decision(facts(group())))["facts"]["complete"] is True
    written = document.to_json(decision(facts(group(unseen=[NO_PERMISSION]))))["facts"]
    assert written["complete"] is False
    (unseen,) = written["unseen"]
    assert (unseen["target"], unseen["code"]) == ("tencent::ap-guangzhou:sg-a", "no-permission")
    assert unseen["remedy"]


def test_what_the_guard_found_missing_is_unseen_too():
    written = document.to_json(decision(planned(group())))["facts"]
    assert written["complete"] is False
    assert [one["code"] for one in written["unseen"]] == ["not-told"]


def test_what_a_delete_would_do_is_told_for_each_group_in_the_order_of_the_plan():
    rules = [named_by("sg-x"), named_by("sg-y")]
    both = facts(group("sg-a", references=[named_by("sg-b")]), group("sg-b"))
    written = document.to_json(decision(both))["consequences"]
    assert [(one["target"][-4:], one["kind"]) for one in written] == [
        ("sg-b", "will-succeed"),
        ("sg-a", "will-succeed"),
    ]
    cascade = facts(group(references=rules), capabilities=OPENSTACK)
    (written,) = document.to_json(decision(cascade))["consequences"]
    assert [one["group_id"] for one in written["vanishing"]] == ["sg-x", "sg-y"]
    assert written["vanishing"][0]["target"] == "tencent::ap-guangzhou:sg-a"
    (refused,) = document.to_json(decision(facts(group(bindings=[server()]))))["consequences"]
    assert (refused["kind"], refused["error_code"]) == ("will-be-refused", "ResourceInUse")
    assert document.to_json(decision(planned()))["consequences"] == []


def test_blind_spots_are_told_and_leave_the_facts_complete():
    blind = replace(TENCENT, blind_spots=("Launch templates are not told.",))
    written = document.to_json(decision(facts(group(), capabilities=blind)))
    assert written["facts"]["blind_spots"] == ["Launch templates are not told."]
    assert (written["facts"]["complete"], written["verdict"]) == (True, "allow")


def test_a_limit_is_told_before_and_after_for_each_group_it_is_about():
    rules = Limit("rules-per-group", 100, used=40, source="live")
    of = planned(group("sg-a", count=1599), group("sg-b", count=1), limits=(*LIMITS, rules))
    written = document.to_json(decision(of))["facts"]["limits"]
    assert [(one["target"][-4:], one["used"], one["after"], one["percent"]) for one in written] == [
        ("sg-a", 1599, 1600, 80.0),
        ("zhou", 0, 2, 40.0),
        ("sg-b", 1, 2, 0.1),
        ("", 40, None, 40.0),
    ]
    assert [one["source"] for one in written] == ["live", "documented", "live", "live"]


def test_the_owners_tags_of_a_referring_group_are_told():
    tagged = replace(named_by("sg-x"), tags=(("owner", "team-a"),))
    written = document.to_json(decision(facts(group(references=[tagged]))))
    (reference,) = written["facts"]["references"]
    assert reference["tags"] == [{"key": "owner", "value": "team-a"}]


def test_an_existing_instance_is_part_of_the_facts():
    written = document.to_json(decision(launched(instance("sg-a"), group(count=1))))["facts"]
    assert written["instance"]["group_ids"] == ["sg-a"]
    assert written["count"] is None
    assert document.to_json(decision(planned(count=7)))["facts"]["count"] == 7


def test_times_are_rfc3339_in_utc():
    made = decision(facts(group()))
    assert document.to_json(made)["decided_at"] == "2026-11-22T03:04:05.678Z"
    assert document.to_json(made)["took_ms"] == 12.346
    there = made.decided_at.astimezone(timezone(timedelta(hours=8)))
    elsewhere = replace(made, decided_at=there)
    assert document.to_json(elsewhere)["decided_at"] == "2026-11-22T03:04:05.678Z"


def test_long_evidence_is_cut_and_counted_but_the_facts_stay_whole():
    of = facts(group(bindings=[server(f"ins-{n}") for n in range(250)]))
    written = document.to_json(decision(of))
    (reason,) = written["reasons"]
    assert (len(reason["evidence"]), reason["evidence_count"]) == (document.EVIDENCE_MAX, 250)
    assert len(written["facts"]["bindings"]) == 250


def test_the_schema_lists_every_reason_code_and_lets_nothing_else_in():
    schema = schemas.load("decision")
    assert schema["$id"] == "https://sgguard.dev/schemas/decision.v1.json"
    listed = schema["$defs"]["reason"]["properties"]["code"]["enum"]
    assert listed == sorted({*DELETE_CODES, *LAUNCH_CODES})
    objects = [schema, *schema["$defs"].values()]
    objects = [one for each in objects for one in each.get("anyOf", [each]) if "properties" in one]
    objects = [
        one for one in objects if one.get("type", "object") == "object" and "$ref" not in one
    ]
    assert all(one["additionalProperties"] is False for one in objects)
    optional = [set(one["properties"]) - set(one["required"]) for one in objects]
    assert set().union(*optional) == {
        "sentence",
        "sentences",
        "left_out",
        "notes",
        "blind_spot_sentences",
    }  # decisions of older versions have none
