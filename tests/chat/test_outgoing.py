"""One message per decision and channel, true whatever fails: sent, replaced, told, or summed up."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from sgguard.chat import outgoing
from sgguard.chat.kept import Kept
from sgguard.outbox.deliver import Delivered, Deliverer
from sgguard.outbox.what import telling
from sgguard.policy import Policy
from sgguard.policy.channel import ChannelPolicy, Route
from sgguard.store.notices import Notice, OutboxRow, Telling
from sgguard.store.rows import Record
from tests.chat.documents import document
from tests.chat.harness import ChatHarness, Router, chat_harness
from tests.chat.services import SERVICES
from tests.chat.wall import Wall

Json = dict[str, Any]
OPS = (Route(("ops",)),)
ROUNDS_MAX = 4000


@dataclass
class Desk:
    """Decisions that are kept with what tells of them, and a deliverer of chat messages."""

    given: ChatHarness
    wall: Wall
    routes: tuple[Route, ...] = OPS
    channels: tuple[ChannelPolicy, ...] = ()
    kept: dict[str, Json] = field(default_factory=dict)

    @property
    def clock(self) -> Any:
        return self.given.approvals.clock

    @property
    def store(self) -> Any:
        return self.given.approvals.store

    @property
    def policy(self) -> Policy:
        policy = self.given.context().policy
        channels = self.channels or self.given.channels
        return replace(policy, channels=channels, routes=self.routes)

    def deliverer(self, owner: str = "w1") -> Deliverer:
        transport = Router(self.given.service, self.wall)
        transport.service = self.wall
        context = self.given.context(policy=self.policy, transport=transport)
        return Deliverer(self.store, {"chat": outgoing.sender(context)}, owner, chance=lambda: 0.5)

    def decide(self, number: int, outcome: str = "pending", **changed: Any) -> str:
        """Keep a decision, or what became of it."""
        found = copy.deepcopy(document())
        found |= {"decision_id": f"{number:08d}" + "0" * 24, "outcome": outcome, **changed}
        if "approval" not in changed:
            found["approval"] |= {"approval_id": f"a{number:07d}" + "1" * 24}
        if outcome == "refused":
            found["approval"] |= {"state": "denied", "resolved_by": "bob"}
        decision_id = found["decision_id"]
        self.kept[decision_id] = found
        self.store.keep(
            Record(
                decision_id,
                "bus",
                f"e{number}",
                "delete",
                tuple(found["target"]),
                "grace",
                found["verdict"],
                "approve",
                outcome,
                json.dumps(found),
                telling=telling(found, "grace", self.policy),
            )
        )
        return decision_id

    def round(self) -> list[Delivered]:
        return list(self.deliverer().drain())

    def settle(self, step_s: float = 20.0) -> None:
        """Deliver until nothing waits; time passes between the rounds."""
        for _ in range(ROUNDS_MAX):
            self.round()
            if not self.store.waiting_notices()[1]:
                return
            self.clock.pass_(step_s)
        raise AssertionError(self.store.notices(state="waiting"))

    def row(self, number: int, channel: str = "ops") -> OutboxRow:
        found = self.store.notice(f"chat:{number:08d}{'0' * 24}:{channel}")
        assert found is not None
        return found

    def says(self, number: int) -> list[str]:
        return self.wall.states()[f"{number:08d}"]


@pytest.fixture(params=list(SERVICES))
def desk(request, tmp_path) -> Iterator[Desk]:
    with chat_harness(request.param, tmp_path) as given:
        yield Desk(given, Wall(given.service))


@pytest.fixture
def slack(tmp_path) -> Iterator[Desk]:
    with chat_harness("slack", tmp_path) as given:
        yield Desk(given, Wall(given.service))


def cannot_replace(desk: Desk) -> bool:
    return desk.given.service.kind == "teams"


# -- one message, kept true ----------------------------------------------------------------------


@pytest.mark.sampled(3)
def test_a_decision_is_posted_and_then_replaced_in_place(desk):
    desk.decide(1)
    desk.settle()
    assert desk.says(1) == ["Approval needed"]
    desk.decide(1, "refused")
    desk.settle()
    wanted = ["Approval needed", "Denied"] if cannot_replace(desk) else ["Denied"]
    assert desk.says(1) == wanted
    assert desk.row(1).state == "delivered"


@pytest.mark.sampled(3)
def test_what_passes_is_shown_in_place_and_is_worth_no_message_of_its_own(desk):
    desk.decide(1)
    desk.settle()
    desk.decide(1, "unfinished")
    desk.settle()
    shown = desk.says(1)
    assert shown == ["Approval needed" if cannot_replace(desk) else "Unfinished"]
    desk.decide(1, "remediated")
    desk.settle()
    # What can be replaced once (WeCom), or never (Teams), says the end in a message of its own.
    assert desk.says(1)[-1] == "Done"
    assert desk.wall.posts["00000001"] == (
        2 if desk.given.service.kind in ("teams", "wecom") else 1
    )


def test_a_state_that_is_over_before_it_was_sent_is_never_shown(desk):
    desk.decide(1)
    desk.decide(1, "refused")
    desk.settle()
    assert desk.says(1) == ["Denied"]


@pytest.mark.sampled(3)
def test_what_says_nothing_new_is_not_sent(desk):
    desk.decide(1)
    desk.settle()
    number = len(desk.wall.times)
    desk.decide(1)
    desk.settle()
    assert len(desk.wall.times) == number


def test_what_is_routed_to_nobody_any_more_is_still_kept_true(slack):
    slack.routes = (Route(("ops",), outcome=("pending",)),)
    slack.decide(1)
    slack.decide(2, "refused")
    slack.settle()
    slack.decide(1, "refused")
    slack.settle()
    assert (slack.says(1), slack.says(2)) == (["Denied"], [])


def test_a_message_that_somebody_removed_is_told_anew(slack):
    slack.decide(1)
    slack.settle()
    slack.decide(1, "refused")
    gone = {"ok": False, "error": "message_not_found"}
    slack.given.service.faults = [httpx.Response(200, json=gone)]
    slack.settle()
    assert slack.says(1) == ["Approval needed", "Denied"]


def test_an_update_that_is_refused_again_and_again_is_told_anew(slack):
    slack.decide(1)
    slack.settle()
    slack.decide(1, "refused")
    strange = httpx.Response(200, json={"ok": False, "error": "strange"})
    slack.given.service.faults = [strange] * 4
    slack.settle()
    assert slack.says(1) == ["Approval needed", "Denied"]


def test_a_card_whose_time_is_over_is_not_asked_to_change(tmp_path):
    with chat_harness("lark", tmp_path) as given:
        desk = Desk(given, Wall(given.service))
        desk.decide(1)
        desk.settle()
        desk.clock.pass_(15 * 86400)
        desk.decide(1, "refused")
        desk.settle()
        assert not [one for one in given.service.asked if one[0] == "PATCH"]
        assert desk.says(1) == ["Approval needed", "Denied"]


@pytest.mark.sampled(3)
def test_a_question_that_is_asked_anew_has_buttons_that_work(desk):
    if cannot_replace(desk):
        pytest.skip("it has no buttons")
    desk.decide(1)
    desk.settle()
    anew = {**document()["approval"], "approval_id": "b" * 32, "facts_hash": "f" * 64}
    desk.decide(1, approval=anew)
    desk.settle()
    newest = list(desk.wall.shown)[-1]
    said = desk.wall.shown[newest]
    assert "Approval needed" in said
    if desk.given.service.kind == "dingtalk":
        # Its cards are bound to their request: the old one has no buttons any more.
        assert newest == f"{'b' * 32}.ops"
        [old] = [text for key, text in desk.wall.shown.items() if key != newest]
        assert "Superseded" in old
        assert json.loads(old)["cardData"]["cardParamMap"]["is_open"] == "false"
    else:
        assert len(desk.wall.shown) == 1


def test_what_is_forgotten_is_dropped(slack):
    slack.store.notify("gone", Telling((Notice("x", "chat", "gone", "ops", "x"),)))
    assert [one.what for one in slack.round()] == ["gone"]


def test_a_process_whose_policy_lacks_a_channel_leaves_its_messages_to_others(slack):
    slack.decide(1)
    right = slack.given.channels
    slack.channels = (replace(right[0], name="other"),)
    slack.routes = ()
    assert [one.what for one in slack.round()] == ["later"]
    assert not slack.wall.times
    slack.channels, slack.routes = right, OPS
    slack.settle()
    assert slack.says(1) == ["Approval needed"]


def test_a_notice_of_a_newer_sgguard_waits_for_it(slack):
    decision_id = slack.decide(1)
    newer = Notice(f"chat:{decision_id}:x", "chat", decision_id, "ops", "x", '{"version":2}')
    slack.store.notify(decision_id, Telling((newer,)))
    found = {one.row.notice_id: one for one in slack.round()}
    assert found[newer.notice_id].what == "later"
    assert slack.says(1) == ["Approval needed"]


def test_a_field_that_a_newer_sgguard_kept_is_no_harm():
    assert Kept.of('{"message_id":"1","colour":"red"}').message_id == "1"


def test_poison_stops_no_other(slack):
    decision_id = slack.decide(1)
    slack.store.notify(
        decision_id, Telling((Notice("p", "chat", decision_id, "ops", "p", "no JSON"),))
    )
    for number in range(2, 6):
        slack.decide(number)
    slack.round()
    assert all(slack.says(number) == ["Approval needed"] for number in range(1, 6))
    assert slack.store.notice("p").state == "waiting"
    assert slack.store.notice("p").attempts == 1


# -- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(SERVICES))
@pytest.mark.sampled(5)
def test_at_20_percent_of_faults_nothing_is_lost_or_doubled_and_every_message_is_true(
    tmp_path, kind
):
    with chat_harness(kind, tmp_path, per_minute=1000, digest_over=1000) as given:
        desk = Desk(given, Wall(given.service, rate=0.2))
        numbers = range(40)
        for number in numbers:
            desk.decide(number)
            if number % 3 == 0:
                desk.round()
            if number % 4:
                desk.decide(number, "unfinished" if number % 2 else "refused")
        desk.settle()
        for number in numbers:
            if number % 4 and number % 2:
                desk.decide(number, "remediated")
        desk.settle()
        last = {0: "Approval needed", 1: "Done", 2: "Denied", 3: "Done"}
        for number in numbers:
            assert desk.says(number)[-1] == last[number % 4], number
            assert desk.row(number).state == "delivered"
        # A message was doubled only where the answer to it was lost, so nobody could know.
        wall = desk.wall
        most = 1 if kind not in ("teams", "wecom") else 2
        doubled = [one for one, times in wall.posts.items() if times > most + wall.unsure[one]]
        assert doubled == []


def test_a_channel_that_fails_is_left_alone_shown_and_stops_no_other(slack):
    audit = replace(slack.given.channels[0], name="audit")
    slack.channels = (*slack.given.channels, audit)
    slack.given.env |= {"SGGUARD_CHAT_AUDIT_TOKEN": "xoxb-fake-token-1"}
    slack.given.env.pop("SGGUARD_CHAT_OPS_TOKEN")
    slack.routes = (Route(("ops", "audit")),)
    for number in range(8):
        slack.decide(number)
    found = slack.round()
    # The second failure of the channel keeps all others from it for a while.
    assert [one.what for one in found].count("later") == 2
    assert [one.what for one in found].count("sent") == 8
    [place] = slack.store.failing_places()
    assert (place.destination, "SGGUARD_CHAT_OPS_TOKEN" in place.problem) == ("ops", True)
    slack.given.env |= slack.given.service.env()
    slack.settle()
    assert slack.store.failing_places() == ()
    assert {slack.row(number).state for number in range(8)} == {"delivered"}


def test_retry_after_is_honoured_by_the_whole_channel(slack):
    slack.decide(1)
    slack.decide(2)
    slack.given.service.faults = [httpx.Response(429, headers={"Retry-After": "120"})]
    slack.round()
    slack.clock.pass_(119)
    assert slack.round() == []
    assert slack.wall.times == []
    slack.clock.pass_(30)
    slack.settle()
    assert (slack.says(1), slack.says(2)) == (["Approval needed"], ["Approval needed"])


def test_after_75_hours_a_message_is_given_up_and_the_next_change_is_told(slack):
    slack.decide(1)
    token = slack.given.env.pop("SGGUARD_CHAT_OPS_TOKEN")
    attempts = 0
    while slack.row(1).state == "waiting" and attempts < 100:
        attempts += len(slack.round())
        slack.clock.pass_(600)
    assert slack.row(1).state == "dead"
    assert 15 <= attempts <= 60
    assert slack.clock() - slack.row(1).created_at_s < 80 * 3600
    slack.given.env["SGGUARD_CHAT_OPS_TOKEN"] = token
    slack.decide(1, "refused")
    slack.settle()
    assert slack.says(1) == ["Denied"]


def test_a_clock_that_jumps_gives_nothing_up_untried(slack):
    slack.decide(1)
    slack.clock.pass_(100 * 3600)
    slack.settle()
    assert slack.says(1) == ["Approval needed"]
    slack.decide(2)
    slack.clock.pass_(-200 * 3600)
    slack.settle()
    assert slack.says(2) == ["Approval needed"]


# -- limits and digests --------------------------------------------------------------------------


def test_a_channel_gets_no_more_than_its_limit(slack):
    slack.channels = (replace(slack.given.channels[0], per_minute=5),)
    for number in range(23):
        slack.decide(number)
    slack.settle(step_s=3.0)
    times = slack.wall.times
    assert len(times) == 23
    assert max(sum(1 for one in times if 0 <= one - at < 60) for at in times) <= 5
    # To wait for one's turn is no failure.
    assert {slack.row(number).attempts for number in range(23)} == {1}
    assert slack.store.failing_places() == ()


def test_a_month_that_is_full_keeps_the_rest_for_the_next(slack):
    slack.channels = (replace(slack.given.channels[0], per_month=3),)
    for number in range(5):
        slack.decide(number)
    slack.round()
    slack.clock.pass_(70 * 3600)
    slack.round()
    assert len(slack.wall.times) == 3
    assert slack.store.waiting_notices()[1] == 2


@pytest.mark.sampled(6)
def test_many_that_ask_nothing_become_one(desk):
    for number in range(12):
        desk.decide(number, "refused")
    desk.decide(90)
    desk.settle()
    assert len(desk.wall.times) == 2
    assert desk.says(90) == ["Approval needed"]
    [said] = [one for one in desk.wall.shown.values() if "12 decisions" in one]
    assert "Denied" in said
    assert {desk.row(number).state for number in range(12)} == {"delivered"}


def test_few_that_ask_nothing_are_sent_each(slack):
    for number in range(10):
        slack.decide(number, "refused")
    slack.settle()
    assert all(slack.says(number) == ["Denied"] for number in range(10))


def test_what_is_older_than_its_use_becomes_one(slack):
    for number in range(4):
        slack.decide(number, "refused")
    slack.decide(5)
    slack.clock.pass_(3601)
    slack.decide(4, "refused")
    slack.settle()
    assert len(slack.wall.times) == 3
    assert (slack.says(4), slack.says(5)) == (["Denied"], ["Approval needed"])
    assert any("4 decisions" in one for one in slack.wall.shown.values())


def test_what_was_told_in_a_digest_is_told_by_itself_when_it_asks_or_is_routed(slack):
    slack.routes = (Route(("ops",), outcome=("refused", "pending")),)
    for number in range(12):
        slack.decide(number, "refused")
    slack.settle()
    slack.decide(1, "remediated")
    slack.decide(2)
    slack.settle()
    assert (slack.says(1), slack.says(2)) == ([], ["Approval needed"])


def test_a_digest_that_fails_is_one_failure(slack):
    for number in range(30):
        slack.decide(number, "refused")
    slack.given.service.faults = [httpx.Response(500)] * 2
    slack.round()
    assert slack.store.failing_places()[0].failures == 2
    slack.settle()
    assert len(slack.wall.times) == 1


# -- escalation ------------------------------------------------------------------------------------


@pytest.fixture
def escalating(slack) -> Desk:
    slack.channels = (*slack.given.channels, replace(slack.given.channels[0], name="managers"))
    slack.given.env |= {"SGGUARD_CHAT_MANAGERS_TOKEN": "xoxb-fake-token-1"}
    slack.routes = (Route(("ops",), escalate=("managers",), escalate_after_s=1800),)
    return slack


def test_a_question_that_nobody_answers_goes_to_a_second_channel(escalating):
    escalating.decide(1)
    escalating.round()
    escalating.clock.pass_(1799)
    escalating.round()
    assert escalating.wall.posts["00000001"] == 1
    escalating.clock.pass_(1)
    escalating.round()
    assert escalating.wall.posts["00000001"] == 2
    # Both are kept true from then on.
    escalating.decide(1, "refused")
    escalating.settle()
    assert escalating.says(1) == ["Denied", "Denied"]


def test_a_question_that_was_answered_in_time_does_not(escalating):
    escalating.decide(1)
    escalating.round()
    escalating.decide(1, "refused")
    escalating.clock.pass_(1801)
    escalating.settle()
    assert escalating.wall.posts["00000001"] == 1
    assert escalating.row(1, "managers").state == "dropped"
    # It is asked anew, and nobody answers this time.
    escalating.decide(1)
    escalating.round()
    escalating.clock.pass_(1801)
    escalating.settle()
    assert escalating.wall.posts["00000001"] == 2


def test_what_asks_nothing_is_not_escalated(escalating):
    escalating.decide(1, "refused")
    escalating.clock.pass_(1801)
    escalating.settle()
    assert escalating.store.notice(f"chat:{'00000001'}{'0' * 24}:managers") is None
