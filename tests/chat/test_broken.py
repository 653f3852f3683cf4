"""What nobody means to send: names of 40 KB, absurd waits, changes in the middle, two at once."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.chat.documents import document
from tests.chat.harness import chat_harness
from tests.chat.markup import beyond_text
from tests.chat.test_outgoing import Desk, Wall
from tests.chat.test_render import WAYS, rendered, service

HUGE = {
    "letters": "x" * 40_000,
    "han": "安" * 40_000,
    "mentions": "<!here><@U1>@all " * 2_500,
    "marks": "[a](http://e.vil)`*_~" * 2_000,
    "back": "\u202e" * 40_000,
    "lines": "a\n" * 20_000,
    "flags": "🇨🇳" * 10_000,
    "nothing": "\u200b" * 40_000,
}


@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("case", list(HUGE))
@pytest.mark.sampled(72)
def test_a_name_of_40_kb_fits_and_mentions_nobody(kind, way, case):
    found = copy.deepcopy(document(7, name=HUGE[case], referrer=HUGE[case]))
    found["facts"]["groups"][0]["project"] = HUGE[case]
    found["approval"]["resolved_by"] = HUGE[case]
    for step in found["plan"][:2]:
        step["details"] = {**step["details"], "rule_id": HUGE[case]}
    for language in ("en", "zh"):
        body = rendered(kind, way, language, found)
        assert service(kind).problems(body) == []
        for markup, text in service(kind).texts(body):
            assert beyond_text(markup, text) == []


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    with chat_harness("slack", tmp_path) as given:
        yield Desk(given, Wall(given.service, rate=0.0, seed=1))


ABSURD = (
    *("-5", "-1e9", "0", "1e9", "99999999999999999999", "nan", "inf", "-inf", "abc", "", "7.5"),
    *("Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "0x10", "٧", "1 2"),
)


@pytest.mark.parametrize("asked", ABSURD)
@pytest.mark.sampled(6)
def test_an_absurd_retry_after_neither_hurries_nor_silences_a_channel(desk, asked):
    desk.given.service.faults = [
        httpx.Response(429, headers={"Retry-After": asked.encode()}) for _ in range(2)
    ]
    desk.decide(1)
    desk.round()
    row = desk.row(1)
    assert row.state == "waiting"
    wait_s = row.next_try_s - desk.clock()
    assert 0 < wait_s <= 25 * 3600
    # However long it was asked to wait, the message comes.
    desk.settle(step_s=3600.0)
    assert desk.says(1) == ["Approval needed"]


def test_a_decision_that_ends_while_its_message_is_being_sent_is_told_as_it_ended(desk):
    plain = desk.wall.service.answer
    is_over: list[bool] = []

    def answer(request, body):
        found = plain(request, body)
        if not is_over and request.url.path.endswith("chat.postMessage"):
            is_over.append(True)
            desk.decide(1, "remediated")  # between what was rendered and its answer
        return found

    desk.wall.service.answer = answer
    desk.decide(1)
    desk.settle()
    assert is_over
    assert desk.says(1) == ["Done"]


def test_a_button_pressed_on_two_instances_in_the_same_moment_is_carried_out_once(tmp_path):
    with chat_harness("slack", tmp_path) as given:
        asked = given.approvals.asked()
        clicks = [
            given.service.click(given.pressed(asked)),
            given.service.click(given.pressed(asked, user="W222")),
        ]
        ready = threading.Barrier(2)
        answers: list[object] = []

        def press(click) -> None:
            ready.wait(60)
            answers.append(given.tried(click))

        threads = [threading.Thread(target=press, args=(click,)) for click in clicks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(answers) == 2
        assert given.approvals.is_deleted
        assert given.document(asked)["outcome"] == "remediated"
        deletes = [
            one
            for one in given.approvals.emulator.requests
            if "DeleteSecurityGroup" in one.action and "Polic" not in one.action
        ]
        assert len(deletes) == 1
