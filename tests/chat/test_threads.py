"""News of a message that cannot be replaced are a reply in its thread, where there is one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from msgspec.structs import replace

from sgguard.chat.kept import Kept
from sgguard.policy.channel import Route
from tests.chat.documents import document
from tests.chat.harness import chat_harness
from tests.chat.test_outgoing import Desk
from tests.chat.wall import Wall

THREADED = ("slack", "lark")
# How each service says that a message can be changed no more, and that it is not there any more.
LOCKED = {
    "slack": httpx.Response(200, json={"ok": False, "error": "edit_window_closed"}),
    "lark": httpx.Response(400, json={"code": 230031, "msg": "too old"}),
}
REMOVED = {
    "slack": httpx.Response(200, json={"ok": False, "error": "message_not_found"}),
    "lark": httpx.Response(400, json={"code": 230011, "msg": "recalled"}),
}


@pytest.fixture(params=THREADED)
def desk(request, tmp_path) -> Iterator[Desk]:
    with chat_harness(request.param, tmp_path) as given:
        found = Desk(given, Wall(given.service))
        found.decide(1)
        found.settle()
        yield found


def kind(desk: Desk) -> str:
    return desk.given.service.kind


def fail_next(desk: Desk, *faults: httpx.Response) -> None:
    desk.given.service.faults = list(faults)


def replies(desk: Desk) -> list[str]:
    """Return the messages that were answered in a thread, in order."""
    found = []
    for method, path, body in desk.given.service.asked:
        if method == "POST" and path.endswith("/reply") and body["reply_in_thread"]:
            found.append(path.split("/")[-2])
        elif path.endswith("/chat.postMessage") and "thread_ts" in body:
            found.append(body["thread_ts"])
    return found


def first(desk: Desk) -> str:
    return next(iter(desk.wall.shown))


def test_what_cannot_be_replaced_any_more_is_answered_in_its_thread(desk):
    desk.decide(1, "refused")
    fail_next(desk, LOCKED[kind(desk)])
    desk.settle()
    assert desk.says(1) == ["Approval needed", "Denied"]
    assert replies(desk) == [first(desk)]


@pytest.mark.sampled(2)
def test_the_reply_is_replaced_and_another_one_goes_to_the_same_thread(desk):
    desk.decide(1, "undone")
    fail_next(desk, LOCKED[kind(desk)])
    desk.settle()
    desk.decide(1, "refused")
    desk.settle()
    # 1. The reply is there to be replaced, like any message.
    assert desk.says(1) == ["Approval needed", "Denied"]
    assert len(replies(desk)) == 1
    # 2. Where that cannot be either, the thread is still the one of the first message.
    desk.decide(1, "remediated")
    fail_next(desk, LOCKED[kind(desk)])
    desk.settle()
    assert desk.says(1) == ["Approval needed", "Denied", "Done"]
    assert replies(desk) == [first(desk)] * 2
    assert Kept.of(desk.row(1).reference_json).thread == first(desk)


def test_a_message_that_is_not_there_any_more_is_not_answered(desk):
    desk.decide(1, "refused")
    fail_next(desk, REMOVED[kind(desk)])
    desk.settle()
    assert desk.says(1) == ["Approval needed", "Denied"]
    assert replies(desk) == []
    assert Kept.of(desk.row(1).reference_json).thread == ""


def test_a_thread_that_takes_nothing_is_left_for_a_message_of_its_own(desk):
    desk.decide(1, "refused")
    fail_next(desk, LOCKED[kind(desk)], REMOVED[kind(desk)])
    desk.settle()
    assert desk.says(1) == ["Approval needed", "Denied"]
    assert Kept.of(desk.row(1).reference_json).thread == ""


def test_a_question_that_is_asked_anew_is_no_reply(desk):
    desk.decide(1, approval={**document()["approval"], "approval_id": "b" * 32})
    fail_next(desk, LOCKED[kind(desk)])
    desk.settle()
    assert desk.says(1) == ["Approval needed", "Approval needed"]
    assert replies(desk) == []


def test_a_reply_that_is_throttled_is_sent_later_and_once(desk):
    desk.decide(1, "refused")
    fail_next(desk, LOCKED[kind(desk)], desk.given.service.too_often(), LOCKED[kind(desk)])
    desk.settle()
    assert desk.says(1) == ["Approval needed", "Denied"]
    # The one that was throttled is in the list as well.
    assert set(replies(desk)) == {first(desk)}


def test_lark_every_sending_has_a_key_of_its_own_however_long_the_channels_name(tmp_path):
    """Lark takes one message of a key in an hour: two of the same would be one."""
    name = "managers-of-the-network-team"
    with chat_harness("lark", tmp_path, name=name) as given:
        given.env.update(given.service.env(name.replace("-", "_")))
        desk = Desk(given, Wall(given.service), (Route((name,)),))
        desk.channels = (replace(given.channels[0], name=name),)
        desk.decide(1)
        desk.settle()
        desk.decide(1, "refused")
        fail_next(desk, REMOVED["lark"])
        desk.settle()
        keys = [body["uuid"] for _, _, body in given.service.asked if "uuid" in (body or {})]
        assert len(keys) == len(set(keys)) == 2
        assert all(0 < len(one) <= 50 for one in keys)
