from __future__ import annotations

import pytest

from sgguard.errors import EventError
from sgguard.events.request import delete_request, delete_sets, instance_launch
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.render.language.refusal import problem_json
from sgguard.schemas.broken import MAX_PROBLEMS

ONE = "tencent::ap-guangzhou:sg-5ua9adfv"
TWO = "tencent::ap-guangzhou:sg-5ua9adfw"
LAUNCH = {"provider": "tencent", "region": "ap-guangzhou", "groups": ["sg-5ua9adfv"]}


def refused(read, data) -> EventError:
    with pytest.raises(EventError) as caught:
        read(data)
    return caught.value


def test_one_target_or_several_are_read():
    assert delete_request({"target": ONE}) == DeleteRequest((Address.parse(ONE),))
    assert delete_request({"targets": [TWO, ONE], "requested_by": "portal"}) == DeleteRequest(
        (Address.parse(TWO), Address.parse(ONE)), "portal"
    )


@pytest.mark.parametrize(
    ("data", "path", "problem", "expected"),
    [
        ({}, "", "target or targets is missing", "one of target, targets"),
        ({"target": ONE, "targets": [TWO]}, "", "target and targets cannot", "only one"),
        ({"traget": ONE, "targets": [TWO]}, "/traget", "is not known here", "target"),
        ({"target": ONE, "force": True}, "/force", "is not known here", "one of target, targets"),
        ({"target": 7}, "/target", "is a whole number", "a text: provider:account:region"),
        ({"target": None}, "/target", "is null", "a text: provider:account:region"),
        ({"target": True}, "/target", "is true or false", "a text: provider:account:region"),
        ({"target": ""}, "/target", "is empty", "provider:account:region:group-id"),
        ({"target": "x" * 513}, "/target", "is too long", "provider:account:region:group-id"),
        ({"target": "sg-5ua9adfv"}, "/target", "'sg-5ua9adfv' is not", "provider:account"),
        ({"targets": []}, "/targets", "is empty", "1 to 1000 groups"),
        ({"targets": ONE}, "/targets", "is a text", "a list: 1 to 1000 groups"),
        ({"targets": [ONE, 7]}, "/targets/1", "is a whole number", "a text: provider"),
        ({"targets": [ONE, "x"]}, "/targets/1", "'x' is not a group address", "provider:account"),
        ({"targets": [ONE] * 1001}, "/targets", "has too many entries", "1 to 1000 groups"),
        ({"target": ONE, "requested_by": ""}, "/requested_by", "is empty", "who asks"),
        ([], "", "is a list", "an object"),
        ("text", "", "is a text", "an object"),
        (None, "", "is null", "an object"),
    ],
)
def test_a_wrong_delete_request_is_named_with_what_would_be_right(data, path, problem, expected):
    error = refused(delete_request, data)
    assert error.status == 400
    (found,) = error.problems
    assert found.path == path
    told = problem_json(found)
    assert told["problem"].startswith(problem)
    assert told["expected"].startswith(expected)


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (ONE, "is named twice"),
        ("tencent::ap-beijing:sg-5ua9adfw", "is not in tencent::ap-guangzhou"),
        ("tencent:blue:ap-guangzhou:sg-5ua9adfw", "is not in tencent::ap-guangzhou"),
        ("alibaba::ap-guangzhou:sg-5ua9adfw", "is not in tencent::ap-guangzhou"),
    ],
)
def test_targets_that_cannot_be_judged_together_are_impossible_and_not_malformed(second, problem):
    error = refused(delete_request, {"targets": [ONE, second]})
    assert error.status == 422
    (found,) = error.problems
    assert found.path == "/targets/1"
    assert problem in problem_json(found)["problem"]


def test_a_launch_is_read_with_everything_it_may_say():
    assert instance_launch(
        {**LAUNCH, "account": "blue", "count": 20, "project": "p", "network": "vpc-1"}
    ) == LaunchRequest(
        Scope("tencent", "blue", "ap-guangzhou"), ("sg-5ua9adfv",), 20, "", "p", "vpc-1"
    )


def test_an_instance_needs_no_groups_and_a_launch_may_have_none():
    scope = Scope("tencent", "", "ap-guangzhou")
    place = {"provider": "tencent", "region": "ap-guangzhou"}
    assert instance_launch({**place, "instance_id": "i-1"}) == LaunchRequest(
        scope, instance_id="i-1"
    )
    assert instance_launch({**place, "groups": []}) == LaunchRequest(scope)


def test_a_count_written_as_a_whole_float_is_a_count():
    count = instance_launch({**LAUNCH, "count": 20.0}).count
    assert (count, type(count)) == (20, int)


@pytest.mark.parametrize(
    ("change", "path", "problem"),
    [
        ({"provider": None}, "/provider", "is null"),
        ({"provider": "Tencent"}, "/provider", "has characters"),
        ({"region": ""}, "/region", "has characters"),
        ({"region": "a:b"}, "/region", "has characters"),
        ({"region": "a\n"}, "/region", "has characters"),
        ({"count": 0}, "/count", "is too small"),
        ({"count": 1_000_001}, "/count", "is too large"),
        ({"count": True}, "/count", "is true or false"),
        ({"count": 1.5}, "/count", "is a number"),
        ({"groups": [""]}, "/groups/0", "is empty"),
        ({"groups": ["g"] * 101}, "/groups", "has too many entries"),
        ({"groups": {}}, "/groups", "is an object"),
        ({"instance_id": "i-1", "count": 2}, "/count", "cannot be given together with instance_id"),
        ({"instance_id": "i-1", "network": "n"}, "/network", "cannot be given together"),
        ({"instanceid": "i-1"}, "/instanceid", "is not known here"),
    ],
)
def test_a_wrong_launch_is_named_by_its_path(change, path, problem):
    error = refused(instance_launch, {**LAUNCH, **change})
    assert error.status == 400
    assert path in [found.path for found in error.problems]
    (found,) = [found for found in error.problems if found.path == path]
    assert problem_json(found)["problem"].startswith(problem)


def test_everything_missing_from_a_launch_is_listed_at_once():
    error = refused(instance_launch, {})
    assert [p.path for p in error.problems] == ["", "/provider", "/region"]
    assert problem_json(error.problems[1])["expected"] == "a provider's name, such as tencent"


def test_a_group_of_a_launch_is_named_once():
    error = refused(instance_launch, {**LAUNCH, "groups": ["a", "b", "a"]})
    assert (error.status, [p.path for p in error.problems]) == (422, ["/groups/2"])


def test_a_value_never_comes_back_in_a_problem():
    error = refused(delete_request, {"secret": "s3cret", "target": ["s3cret"], "requested_by": 7})
    assert "s3cret" not in str(error) + str(error.problems)


def test_a_key_is_cut_and_escaped_in_its_pointer():
    error = refused(delete_request, {"target": ONE, "a/b~c" + "x" * 1000: 1})
    (found,) = error.problems
    assert found.path.startswith("/a~1b~0cxxx")
    assert len(found.path) < 80


def test_not_more_than_twenty_problems_are_listed():
    error = refused(delete_request, {"targets": [7] * 100})
    assert len(error.problems) == MAX_PROBLEMS


def test_a_list_with_too_many_entries_is_refused_without_reading_them():
    class Unread(list):
        def __iter__(self):
            raise AssertionError("an entry was read")

    error = refused(delete_request, {"targets": Unread(["a"] * 250_000)})
    assert [problem_json(p)["problem"] for p in error.problems] == ["has too many entries"]


def test_addresses_of_several_scopes_are_as_many_sets_in_the_order_named():
    texts = ["tencent::r:sg-1", "alibaba::r:sg-2", "tencent::r:sg-3", "tencent::other:sg-1"]
    sets = delete_sets(texts)
    assert [[str(target) for target in one.targets] for one in sets] == [
        ["tencent::r:sg-1", "tencent::r:sg-3"],
        ["alibaba::r:sg-2"],
        ["tencent::other:sg-1"],
    ]


@pytest.mark.parametrize(
    ("texts", "status", "path"),
    [
        (["tencent::r:sg-1", "nonsense"], 400, "/targets/1"),
        (["tencent::r:sg-1", "alibaba::r:sg-1", "tencent::r:sg-1"], 422, "/targets/2"),
    ],
    ids=["no address", "twice"],
)
def test_addresses_that_cannot_be_used_are_named(texts, status, path):
    with pytest.raises(EventError) as caught:
        delete_sets(texts)
    assert caught.value.status == status
    assert [problem.path for problem in caught.value.problems] == [path]
