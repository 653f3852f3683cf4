"""What every source of a cloud's events keeps: joining the folder means passing this suite."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from sgguard import events
from sgguard.errors import EventError
from sgguard.events import native
from sgguard.model.occurrence import Happened
from sgguard.render.language.refusal import problem_json
from tests.events.samples import (
    AT_S,
    OPERATION,
    cases,
    made,
    read,
    samples,
    source_modules,
    told,
    without,
)

every_source = pytest.mark.parametrize("name", source_modules())
every_sample = pytest.mark.parametrize(("name", "happened"), list(cases()))

IRRELEVANT = [
    pytest.param(name, document, id=f"{name}-{number}")
    for name in source_modules()
    for number, document in enumerate(samples(name).irrelevant)
]
NEEDED = [
    pytest.param(name, pointer, id=f"{name}{pointer}")
    for name in source_modules()
    for pointer in samples(name).needed
]
SECRET = "PLANTED/secret+0123456789=="


def module(name: str) -> Any:
    return next(one for one in events.cloud_sources() if one.__name__.endswith(f".{name}"))


def claiming(document: Any) -> list[str]:
    parts = native._parts(native.Part(document), events.cloud_sources(), 6)
    return [
        source.NAME
        for part in parts
        if isinstance(part, native.Part)
        for source in events.cloud_sources()
        if source.claims(part.document)
    ]


@every_sample
@pytest.mark.sampled(6)
def test_an_event_is_claimed_by_its_source_and_no_other(name, happened):
    assert claiming(made(name, happened)) == [module(name).NAME]


@every_sample
def test_an_event_tells_what_happened_to_what_when_and_by_which_operation(name, happened):
    about = samples(name).example
    found = told(made(name, happened))
    assert found.happened is happened
    assert found.provider == module(name).PROVIDER
    assert found.operation
    assert found.at_s == pytest.approx(AT_S, abs=1)
    if happened in (Happened.DELETE_REFUSED, Happened.DELETED, Happened.CHANGED):
        assert found.groups == (about.group,)
    if happened is Happened.BOUND:
        assert found.instances == (about.instance,)
    assert bool(found.code) is (happened is Happened.DELETE_REFUSED)
    assert found.is_in_use is (happened is Happened.DELETE_REFUSED)


@every_sample
def test_two_deliveries_of_an_operation_have_one_id_and_two_operations_have_two(name, happened):
    of = samples(name)
    other = {**asdict(of.example), "at_s": AT_S + 1}
    other["operation"] = OPERATION.replace("1", "2")
    first, again = told(made(name, happened)), told(made(name, happened))
    assert first == again
    assert told(made(name, happened, type(of.example)(**other))) != first


@pytest.mark.parametrize(("name", "document"), IRRELEVANT)
def test_what_concerns_nobody_is_told_with_its_reason(name, document):
    found = told(document)
    assert found.happened is Happened.IRRELEVANT
    assert found.source == module(name).NAME
    assert found.reason


@pytest.mark.parametrize(("name", "pointer"), NEEDED)
def test_a_shape_that_nearly_fits_is_refused_with_what_is_missing(name, pointer):
    happened = next(iter(samples(name).made))
    with pytest.raises(EventError) as refused:
        read(without(made(name, happened), pointer))
    (problem,) = refused.value.problems
    assert problem.path == pointer
    told = problem_json(problem)
    assert told["problem"] == "is missing"
    assert told["expected"]
    assert refused.value.status == 422


@every_source
def test_a_batch_has_the_events_in_order_and_one_that_is_wrong_hides_no_other(name):
    happened = next(iter(samples(name).made))
    found = read([made(name, happened), {"other": 1}, made(name, happened)])
    assert found.mode == "bus"
    first, wrong, last = found.items
    assert isinstance(wrong, EventError)
    assert wrong.problems[0].path == "/1"
    assert not isinstance(first, EventError)
    assert not isinstance(last, EventError)
    assert (first.pointer[:2], last.pointer[:2]) == ("/0", "/2")


def leaves(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all scalars, also of those in a text of JSON (marked by a dot)."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*at, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from leaves(one, (*at, number))
    else:
        yield at
        if isinstance(value, str) and value[:1] in ("{", "["):
            yield from leaves(json.loads(value), (*at, "."))


def planted(value: Any, at: tuple[str | int, ...], secret: Any) -> Any:
    """The document with a secret in one place."""
    if not at:
        return secret
    if at[0] == ".":
        return json.dumps(planted(json.loads(value), at[1:], secret))
    changed = copy.copy(value)
    changed[at[0]] = planted(value[at[0]], at[1:], secret)
    return changed


def answers_of(document: Any) -> str:
    """All that a delivery leaves behind: its events, or the errors that are shown and logged."""
    try:
        found = read(document)
    except EventError as error:
        return f"{error} {error.problems}"
    return "".join(
        f"{one} {one.problems}" if isinstance(one, EventError) else f"{one!r} {one.data}"
        for one in found.items
    )


@every_sample
@pytest.mark.sampled(6)
def test_a_secret_in_any_field_goes_no_further_than_the_door(name, happened):
    document = made(name, happened)
    kept = samples(name).kept
    for at in leaves(document):
        if "/" + "/".join(map(str, at)) not in kept:
            assert SECRET not in answers_of(planted(document, at, SECRET)), at


@every_sample
def test_a_secret_under_a_key_that_nobody_knows_goes_no_further(name, happened):
    document = made(name, happened)
    inner = next((value for value in document.values() if isinstance(value, dict)), document)
    inner[SECRET] = {"token": [SECRET]}
    document[SECRET] = SECRET
    assert SECRET not in answers_of(document)


def test_an_event_that_two_sources_claim_is_refused(monkeypatch):
    twin = events.cloud_sources() * 2
    monkeypatch.setattr(events, "cloud_sources", lambda: twin)
    with pytest.raises(EventError, match="two sources"):
        read(made("timer", Happened.DUE))


def test_what_no_source_knows_is_refused_and_names_the_sources():
    with pytest.raises(EventError, match="no source reads this event") as refused:
        read({"some": "thing"})
    assert "tencent-cloudaudit" in problem_json(refused.value.problems[0])["expected"]
