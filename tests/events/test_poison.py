"""Text that no store can keep, or no cloud can have, is refused with its path: 400, never 503."""

from __future__ import annotations

import re

import pytest

from sgguard import schemas
from sgguard.errors import EventError
from sgguard.events import request

POISON = ["\0", "\x1b[2J", "\t", "\n", "\x7f", "\x9b", "\ud800", "\udfff"]
PARSERS = {
    "delete_request": request.delete_request,
    "instance_launch": request.instance_launch,
}
LAUNCH = {"provider": "tencent", "region": "ap-guangzhou"}
PLACES = [
    ("delete_request", {"target": "TEXT"}, "/target"),
    ("delete_request", {"targets": ["tencent::r:sg-1", "TEXT"]}, "/targets/1"),
    ("delete_request", {"target": "tencent::r:sg-1", "requested_by": "TEXT"}, "/requested_by"),
    ("instance_launch", {**LAUNCH, "provider": "TEXT", "groups": ["a"]}, "/provider"),
    ("instance_launch", {**LAUNCH, "region": "TEXT", "groups": ["a"]}, "/region"),
    ("instance_launch", {**LAUNCH, "account": "TEXT", "groups": ["a"]}, "/account"),
    ("instance_launch", {**LAUNCH, "groups": ["a", "TEXT"]}, "/groups/1"),
    ("instance_launch", {**LAUNCH, "instance_id": "TEXT"}, "/instance_id"),
    ("instance_launch", {**LAUNCH, "groups": ["a"], "project": "TEXT"}, "/project"),
    ("instance_launch", {**LAUNCH, "groups": ["a"], "network": "TEXT"}, "/network"),
    ("instance_launch", {**LAUNCH, "groups": ["a"], "requested_by": "TEXT"}, "/requested_by"),
    ("approval", {"requested_by": "TEXT"}, "/requested_by"),
]


def filled(value, text):
    if isinstance(value, dict):
        return {key: filled(one, text) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, text) for one in value]
    return text if value == "TEXT" else value


@pytest.mark.parametrize("poison", POISON, ids=ascii)
@pytest.mark.parametrize("where", [0, 1, 2], ids=["first", "within", "last"])
@pytest.mark.parametrize(("name", "data", "path"), PLACES, ids=[p[0] + p[2] for p in PLACES])
@pytest.mark.sampled(3)
def test_poison_is_refused_with_its_path(name, data, path, where, poison):
    text = "".join(["tencent::r:sg-1"[: 15 * (where > 0)], poison, "x" * (where < 2)])
    problems = schemas.problems(name, filled(data, text))
    if name in PARSERS:
        with pytest.raises(EventError) as refused:
            PARSERS[name](filled(data, text))
        assert refused.value.status == 400
        problems = refused.value.problems
    assert path in {one.path for one in problems}


@pytest.mark.parametrize("name", ["delete_request", "instance_launch", "approval", "chat"])
def test_every_text_of_an_event_says_what_may_stand_in_it(name):
    def texts(schema, where=""):
        if not isinstance(schema, dict):
            return
        if schema.get("type") == "string":
            yield where, schema.get("pattern")
        for key, part in schema.items():
            yield from texts(part, f"{where}/{key}")

    found = dict(texts(schemas.load(name)))
    assert found
    for where, pattern in found.items():
        if where != "/$defs/address":  # read part by part
            assert pattern, where
            assert not re.search(pattern, "a\0"), where


@pytest.mark.parametrize("text", ["Zoë Åström", "王小明", "😀", "o'neil@example.org", "a  b"])
def test_names_of_people_are_still_names(text):
    given = {"target": "tencent::r:sg-1", "requested_by": text}
    assert request.delete_request(given).requested_by == text
