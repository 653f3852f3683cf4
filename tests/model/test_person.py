"""Names of people: what looks the same is the same, and what no honest name has is refused."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard import policy
from sgguard.errors import EventError, PolicyError
from sgguard.events import request
from sgguard.model import person
from sgguard.model.person import may_be_same, problem_of
from sgguard.render.language.sentence import whole_english

HONEST = [
    "ada",
    "ada.lovelace@example.com",
    "Müller, Jörg (Ops)",
    "王伟",
    "王伟 Wang Wei",
    "田中さくら Tanaka",
    "サーバー係",
    "김민준 Kim",
    "ㄅㄆ 王 Wang",
    "Ада Лавлейс",
    "Αλέξης",
    "佐々木",
    "O'Brien-Smith_42",
    "Nguyễn Thị Ánh",
    "",
]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_is_accepted(name):
    assert problem_of(name) == ""
    assert problem_of(unicodedata.normalize("NFD", name)) == ""


MADE_UP = {
    "zero width space": "a\u200bda",
    "zero width joiner": "a\u200dda",
    "right-to-left override": "ada\u202eevil",
    "isolate": "\u2066ada",
    "byte order mark": "\ufeffada",
    "soft hyphen": "a\u00adda",
    "escape": "ada\x1b[31m",
    "line separator": "ada\u2028",
    "tag character": "ada\U000e0041",
    "half a surrogate pair": "ada\ud800",
    "private use": "ada\ue000",
    "Latin and Cyrillic": "\u0430da",
    "Latin and Greek": "ad\u03b1",
    "Latin and Cherokee": "\u13aada",
    "Cyrillic and Han": "\u0430\u738b",
    "Hangul and Katakana": "\uae40\u30b5",
    "Latin and Armenian": "\u0585rg",
    "marks in a heap": "a" + "\u0301" * 9,
}


@pytest.mark.parametrize("how", MADE_UP)
def test_a_name_that_only_looks_like_one_is_refused(how):
    assert problem_of(MADE_UP[how])


ALIKE = [
    ("ada", "ADA"),
    ("ada lovelace", "AdaLovelace"),
    ("ada", "\u0430d\u0430"),
    ("paypal", "\u0440\u0430\u0443\u0440\u0430l"),
    ("Ivan", "lvan"),
    ("Ivan", "1van"),
    ("olga", "0lga"),
    ("marion", "rnarion"),
    ("ada", "\uff41da"),
    ("ada", "\U0001d41a\U0001d41d\U0001d41a"),
    ("ada", "a\u200bda"),
    ("sergey", "\u0455ergey"),
    ("HAXOP", "\u041d\u0410\u0425\u041e\u0420"),
    ("M\u00fcller", "Mu\u0308ller"),
    ("scope", "\u0455\u0441\u043e\u0440\u0435"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_the_same_are_one_person(one, other):
    assert may_be_same(one, other)
    assert may_be_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "eda"),
        ("王伟", "王维"),
        ("ann", "anna"),
        ("Jörg", "Jürg"),
        ("Ада", "Ида"),
        ("a", ""),
    ],
)
def test_names_that_look_different_are_two_people(one, other):
    assert not may_be_same(one, other)


@given(st.text(max_size=20))
def test_a_name_is_the_same_as_itself_in_every_case_and_form(name):
    assert may_be_same(name, name)
    assert may_be_same(name, unicodedata.normalize("NFD", name))
    assert may_be_same(name, f" {name} ")


@given(st.text(max_size=20))
def test_any_text_is_judged_without_an_error(name):
    assert bool(whole_english(problem_of(name))) == bool(problem_of(name))


def test_every_prototype_stands_for_itself():
    table = person._prototypes()
    assert len(table) > 2000
    for alike, prototype in table.items():
        assert may_be_same(alike, prototype), (alike, prototype)


@pytest.mark.parametrize("how", MADE_UP)
def test_an_event_in_such_a_name_is_refused_with_its_path(how):
    delete = {"target": "tencent::ap-guangzhou:sg-5ua9adfv", "requested_by": MADE_UP[how]}
    where = {"provider": "tencent", "region": "ap-guangzhou", "groups": ["sg-5ua9adfv"]}
    launch = {**where, "count": 1, "requested_by": MADE_UP[how]}
    for parse, data in ((request.delete_request, delete), (request.instance_launch, launch)):
        with pytest.raises(EventError) as caught:
            parse(data)
        assert caught.value.status == 400
        assert [one.path for one in caught.value.problems] == ["/requested_by"]


@pytest.mark.parametrize(
    ("approvers", "message"),
    [
        (["ada", "\u0430da"], "mixes scripts"),
        (["ada", "\u0430\u0501\u0430"], "looks like another approver"),
        (["Ivan", "lvan"], "looks like another approver"),
        (["a\u200bda"], "cannot be seen"),
    ],
)
def test_a_policy_with_approvers_that_look_alike_is_refused(approvers, message, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"mode": "approve", "approval": {"approvers": approvers}}))
    with pytest.raises(PolicyError, match=message):
        policy.load(str(path))
