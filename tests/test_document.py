"""The decision document: one shape for everything, and always what its schema says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from sgguard import document, schemas
from sgguard.guards.base import DELETE_CODES, LAUNCH_CODES
from sgguard.model import Binding

from .guards.cast import (
    DELETE_FACTS,
    LAUNCH_FACTS,
    NO_PERMISSION,
    POLICIES,
    decision,
    facts,
    group,
    instance,
    launched,
    named_by,
    planned,
    server,
)


@settings(deadline=None, max_examples=50)
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
    assert all(one["additionalProperties"] is False for one in objects)
    assert all(set(one["required"]) == set(one["properties"]) for one in objects)
