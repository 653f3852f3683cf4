"""A problem is told in the language of who asked; code and arguments are the same in each."""

from __future__ import annotations

import json
import re

import pytest

from sgguard import schemas
from sgguard.approvals.reminders import KIND
from sgguard.callers.veil import HIDDEN
from sgguard.errors import (
    BusyError,
    CloudError,
    EventError,
    ForbiddenError,
    StoreError,
    ThrottledError,
    UntrustedError,
)
from sgguard.events.request import delete_request
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal
from sgguard.render.said import sentences_json
from sgguard.web import problem
from sgguard.web.language import detail_of, spoken, words_of
from sgguard.web.problem import PROBLEMS
from sgguard.web.response import of_problem, to_delivery

HAN = re.compile(r"[\u4e00-\u9fff]")
ZH = "zh-CN,zh;q=0.9,en;q=0.8"


def unlisted() -> EventError:
    return refusal(EventError, said("approval.unlisted", name="mallory"), status=403)


def told(error: Exception, accepted: str = "") -> tuple[dict, dict]:
    answer = spoken(of_problem(problem.of(error)), accepted)
    return json.loads(answer.body), answer.headers


def test_who_asks_for_chinese_is_told_in_chinese_and_the_code_stays():
    english, _ = told(unlisted())
    chinese, headers = told(unlisted(), ZH)
    assert english["detail"].startswith("mallory may not approve or deny this")
    assert chinese["detail"] == "mallory 不在审批人名单中（approval.approvers），不能审批"
    assert chinese["title"] == "无权执行此操作"
    assert (headers["Content-Language"], headers["Vary"]) == ("zh-CN", "Accept-Language")
    same = {"sentence": {"code": "approval.unlisted", "args": {"name": "mallory"}}}
    for one in (english, chinese):
        assert same.items() <= one.items()
        assert (one["type"], one["status"]) == (english["type"], 403)
        assert schemas.problems("problem", one) == ()


@pytest.mark.parametrize("accepted", ["", "*", "en", "de", "en,zh;q=0.5", "fr;q=1,en;q=0.9"])
def test_a_machine_that_asks_for_no_language_is_told_the_same_english_as_ever(accepted):
    found, headers = told(unlisted(), accepted)
    assert found == told(unlisted())[0]
    assert "Content-Language" not in headers


def test_every_kind_of_problem_has_a_detail_in_chinese():
    for slug in PROBLEMS:
        words = words_of("zh", "")
        assert HAN.search(words.say(f"problem.{slug}")), slug
        assert HAN.search(words.say(f"detail.{slug}")), slug


ERRORS = {
    "without a sentence": EventError("the event's data cannot be read"),
    "busy": BusyError("decision d works on it"),
    "a store": StoreError("disk full"),
    "a cloud": CloudError("tencent", "DeleteSecurityGroup", code="InternalError", status=500),
    "throttled": ThrottledError("huawei", "GET /v1/ports"),
    "forbidden": ForbiddenError("alibaba", "DescribeRegions", code="Forbidden.RAM"),
    "a bug": ZeroDivisionError("division by zero"),
}


@pytest.mark.parametrize("case", list(ERRORS))
def test_what_has_no_sentence_is_told_by_its_kind_with_codes_and_no_english(case):
    found, _ = told(ERRORS[case], ZH)
    codes = "|".join(map(re.escape, ("tencent", "huawei", "alibaba", "problems", "InternalError")))
    codes += r"|DeleteSecurityGroup|GET /v1/ports|DescribeRegions|Forbidden\.RAM|[0-9a-f]{32}"
    assert HAN.search(found["detail"])
    assert not re.search(r"[A-Za-z]{2,}", re.sub(codes, "", found["detail"])), found["detail"]


def test_what_is_for_the_log_alone_has_no_sentence():
    error = refusal(UntrustedError, said("chat.unsigned"))
    assert "sentence" not in problem.of(error).document


def test_a_sentence_that_this_sgguard_does_not_know_is_told_by_its_kind():
    details = problem.of(unlisted())
    details.document["sentence"] = {"code": "of.tomorrow", "args": {}}
    assert detail_of(details, words_of("zh", "")) == "该调用方或人员无权执行此操作"


def test_each_thing_that_is_wrong_is_told_in_the_language_and_keeps_its_code():
    with pytest.raises(EventError) as caught:
        delete_request({"traget": "sg-1", "requested_by": ""})
    english, _ = told(caught.value)
    chinese, _ = told(caught.value, ZH)
    assert schemas.problems("problem", chinese) == ()
    assert chinese["detail"] == "事件的 data 不符合要求"
    assert [(one["path"], one["problem"], one["expected"]) for one in chinese["problems"]] == [
        ("", "缺少 target、targets 中的一项", "以下之一：target、targets"),
        ("/requested_by", "为空", "申请人，用于记录：1 到 256 个字符的字符串，不含控制字符"),
        ("/traget", "不是已知的字段", "target"),
    ]
    assert [one["problem"] for one in english["problems"]] == [
        "target or targets is missing",
        "is empty",
        "is not known here",
    ]
    for one, other in zip(english["problems"], chinese["problems"], strict=True):
        assert (one["path"], one["sentences"]) == (other["path"], other["sentences"])


def test_a_group_that_its_reader_may_not_see_is_hidden_in_the_language():
    details = problem.of(refusal(EventError, said("chat.waits", why=HIDDEN)))
    details.document["problems"] = [
        {"path": "", "problem": "", "expected": ""}
        | sentences_json(problem=said("wrong.other-scope", address=HIDDEN, scope="a:b:c"))
    ]
    found = json.loads(spoken(of_problem(details), ZH).body)
    assert found["detail"] == "消息待发：（授权范围以外的安全组）"
    assert found["problems"][0]["problem"].startswith("（授权范围以外的安全组）")


def test_a_problem_of_another_version_stays_in_english():
    details = problem.of(unlisted())
    details.document["problems"] = [
        {"path": "", "problem": "is odd", "expected": "even"},
        {"path": "", "problem": "is odd", "expected": "", "sentences": {"problem": {"code": "x"}}},
    ]
    found = json.loads(spoken(of_problem(details), ZH).body)
    assert found["problems"] == details.document["problems"]


def test_problems_of_a_batch_are_data_and_stay_in_english():
    answer = to_delivery("batched", [problem.of(unlisted()), problem.of(unlisted())], KIND)
    assert spoken(answer, ZH) == answer
