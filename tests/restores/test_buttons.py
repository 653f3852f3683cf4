"""A button restores once, for who may, while there is something to restore; nothing else does."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from sgguard.approvals import link, web
from sgguard.approvals.link import LinkToken
from sgguard.chat.handover import Acts
from sgguard.chat.token import read
from sgguard.errors import SgguardError
from sgguard.operations import restore, unresolved
from sgguard.outbox.deliver import Deliverer
from sgguard.outbox.what import telling
from sgguard.restores import act, permit, standing
from sgguard.store.notices import Notice, Telling
from tests.approvals.harness import KEY
from tests.chat.conftest import _patient, buttons  # noqa: F401 - fixtures
from tests.chat.harness import chat_harness
from tests.restores.harness import Removed, removed

CHAT = b"sgguard-chat."


@pytest.fixture
def gone(buttons) -> Iterator[Removed]:  # noqa: F811 - the fixture
    """Something that was removed, in each channel with buttons."""
    return removed(buttons)


@pytest.fixture
def one(tmp_path) -> Iterator[Removed]:
    """Something that was removed, in one channel."""
    with chat_harness("slack", tmp_path) as given:
        yield removed(given)


@pytest.mark.sampled(6)
def test_what_was_carried_out_has_a_button_that_brings_it_back_once(gone):
    pressed = gone.pressed()
    assert pressed.token
    said = gone.press(pressed)
    assert gone.is_back
    assert "estored" in said
    # The message says so, and has the button no more; pressed again it does nothing.
    assert (gone.message.state, gone.token) == ("restored", "")
    kept = gone.given.approvals.kept()
    assert "estored" in gone.press(pressed)
    assert gone.given.approvals.kept() == kept


def test_the_message_of_the_decision_is_told_of_its_restore_however_it_came(one):
    store, context = one.given.approvals.store, one.given.context()
    key = f"chat:{one.decision_id}:ops"
    document = one.given.document(one.asked)
    store.notify(one.decision_id, telling(document, "eve", context.policy))
    [row] = [r for r in store.take_notices("chat", owner="a", lease_s=60) if r.notice_id == key]
    store.delivered(row, '{"message_id":"1"}')
    restore.restore(one.decision_id, context, by="bob")
    found = store.notice(key)
    assert found.state == "waiting"
    assert found.version > row.version
    assert one.message.state == "restored"


@pytest.mark.sampled(3)
def test_a_request_that_changed_nothing_offers_nothing(buttons):  # noqa: F811 - the fixture
    asked = buttons.approvals.asked()
    assert "restore" not in buttons.service.tokens(buttons.body(asked))
    buttons.call(buttons.service.click(buttons.pressed(asked, "deny")))
    assert buttons.service.tokens(buttons.body(asked)) == {}


@pytest.mark.sampled(3)
def test_a_restore_by_another_way_ends_the_button(gone):
    pressed = gone.pressed()
    restore.restore(gone.decision_id, gone.given.context(), by="bob")
    kept = gone.given.approvals.kept()
    said = gone.press(pressed)
    assert "estored" in said
    assert gone.given.approvals.kept() == kept


@pytest.mark.sampled(6)
def test_after_a_week_the_button_is_over_and_the_command_is_not(gone):
    pressed = gone.pressed()
    gone.given.approvals.clock.pass_(standing.OFFERED.total_seconds() + 1)
    gone.press(pressed)
    assert not gone.is_back
    assert gone.token == ""
    assert gone.message.is_restorable
    restore.restore(gone.decision_id, gone.given.context(), by="bob")
    assert gone.is_back


# -- forged, of others, replayed ------------------------------------------------------------------


def signed(given: LinkToken, key: str = KEY, purpose: bytes = CHAT, **changed: object) -> str:
    return link.sign(replace(given, **changed), (key,), purpose)


FORGED: dict[str, Callable[[LinkToken, str], str]] = {
    "nothing": lambda g, t: "",
    "a word": lambda g, t: "restore",
    "cut": lambda g, t: t[:-1],
    "longer": lambda g, t: t + "A",
    "upper case": lambda g, t: t.upper(),
    "twice": lambda g, t: t + t,
    "no signature": lambda g, t: t.rpartition(".")[0] + ".",
    "another signature": lambda g, t: t.rpartition(".")[0] + "." + "A" * 43,
    "another key": lambda g, t: signed(g, "fedcba9876543210fedcba9876543210"),
    "a link of a restore": lambda g, t: signed(g, purpose=permit.PURPOSE),
    "a link of an approval": lambda g, t: signed(g, purpose=b"sgguard-approval."),
    "of another channel": lambda g, t: signed(g, approver="audit"),
    "of nobody": lambda g, t: signed(g, approver=""),
    "of a person": lambda g, t: signed(g, approver="ada"),
    "of another decision": lambda g, t: signed(g, approval_id="0" * 32),
    "of its request": lambda g, t: signed(g, approval_id="a" * 32),
    "for another restore": lambda g, t: signed(g, facts_hash="0" * 64),
    "for no restore": lambda g, t: signed(g, facts_hash=""),
    "that approves": lambda g, t: signed(g, action="approve"),
    "that denies": lambda g, t: signed(g, action="deny"),
    "that is over": lambda g, t: signed(g, expires_at_s=1),
    "very long": lambda g, t: "v1." + "A" * 5000 + ".B",
}


@pytest.mark.sampled(3)
def test_a_button_with_something_forged_restores_nothing(gone):
    own = gone.token
    given = read(own, gone.given.context(), now_s=0.0)
    for case, forge in FORGED.items():
        action = {"that approves": "approve", "that denies": "deny"}.get(case, "restore")
        gone.press(gone.pressed(token=forge(given, own), action=action))
        assert not gone.is_back, case
        assert gone.message.restore_hash == given.facts_hash, case


WHO = {
    "no approver": {"user": "W444"},
    "nobody": {"user": "W999"},
    "an empty name": {"user": ""},
    "of another tenant": {"tenant": "T999"},
    "about another message": {"approval": "0" * 32},
}


@pytest.mark.parametrize("case", list(WHO))
@pytest.mark.sampled(16)
def test_a_press_by_somebody_who_may_not_restores_nothing(gone, case):
    gone.press(gone.pressed(**WHO[case]))
    assert not gone.is_back


@pytest.mark.parametrize("kind", ["slack", "lark"])
@pytest.mark.sampled(2)
def test_a_press_in_another_chat_restores_nothing(tmp_path, kind):
    with chat_harness(kind, tmp_path) as given:
        found = removed(given)
        found.press(found.pressed(chat="C999"))
        assert not found.is_back


def test_the_button_of_another_decision_restores_only_that(tmp_path):
    with chat_harness("slack", tmp_path) as given:
        found = removed(given)
        # The token is of this decision, the message of another: a stale or a copied one.
        found.press(found.pressed(approval="f" * 32))
        assert not found.is_back


def test_a_token_to_restore_is_no_answer_to_a_request(tmp_path):
    with chat_harness("slack", tmp_path) as given:
        asked = given.approvals.asked()
        token = LinkToken(asked.approval_id, asked.facts_hash, "restore", "ada", 9_999_999_999)
        text = link.sign(token, (KEY,))
        assert web.show("GET", {"token": text}, {}, given.context).status == 403
        with pytest.raises(SgguardError):
            web.submit(
                {"content-type": "application/x-www-form-urlencoded"},
                f"token={text}".encode(),
                given.context(),
            )
        pressed = dataclasses.replace(given.pressed(asked), token=signed(token, approver="ops"))
        given.tried(given.service.click(dataclasses.replace(pressed, action="restore")))
        assert given.state(asked) == "pending"


# -- at the same moment, stopped, cut short -------------------------------------------------------


def test_two_presses_in_the_same_moment_on_two_instances_restore_once(one):
    found: list[str] = []
    clicks = [one.given.service.click(one.pressed(user=user)) for user in ("W111", "W222")]
    ready = threading.Barrier(2)

    def press(click) -> None:
        ready.wait(60)
        found.append(type(one.given.tried(click)).__name__)

    threads = [threading.Thread(target=press, args=(click,)) for click in clicks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2
    groups = [group.name for group in one.given.approvals.cloud.groups]
    assert groups.count("databases") == 1
    runs = one.given.approvals.store.runs_of("restore")
    assert [run.state for run in runs] == ["finished"]


def test_a_permit_is_used_up_however_its_restore_ended(one):
    given = read(one.token, one.given.context(), now_s=0.0)
    act.carry_out(given, "ada", one.given.context())
    # Even if everything were as it was before.
    for by in ("ada", "bob"):
        with pytest.raises(SgguardError) as used:
            act.carry_out(given, by, one.given.context())
        assert used.value.status == 409


@pytest.mark.sampled(3)
def test_while_changes_are_stopped_nothing_is_restored_and_the_button_stays(gone):
    store, pressed = gone.given.approvals.store, gone.pressed()
    store.halt("ops", "incident 7")
    gone.press(pressed)
    assert not gone.is_back
    store.lift_halt()
    gone.press(gone.pressed())
    assert gone.is_back


def test_a_group_of_the_same_name_is_told_and_nothing_is_built_beside_it(tmp_path):
    with chat_harness("lark", tmp_path, language="zh") as given:
        found = removed(given)
        cloud = given.approvals.cloud
        twin = next(iter(cloud.groups))
        twin.name = "databases"
        said = found.press()
        assert "未恢复" in said
        assert "同名" in said
        assert [one.name for one in cloud.groups].count("databases") == 1
        # The press may be made again, and is nobody's unfinished work.
        assert unresolved.everything(given.context()) == ()
        # The twin is gone again: the same button works.
        twin.name = "another"
        found.press()
        assert found.is_back


def test_an_act_whose_process_died_is_carried_out_by_whoever_delivers(one):
    given = read(one.token, one.given.context(), now_s=0.0)
    payload = json.dumps({"restore": [*given.__reduce__()[1]], "by": "ada"})
    row = Notice("approve:x:ada", "approve", one.decision_id, "approvals", "approve:x", payload)
    store = one.given.approvals.store
    store.notify(one.decision_id, Telling((row,)))
    deliverer = Deliverer(store, {"approve": Acts(one.given.context())}, "w9")
    assert [done.what for done in deliverer.drain()] == ["sent"]
    assert one.is_back
    store.retry_notice("approve:x:ada")
    assert [done.what for done in deliverer.drain()] == ["gone"]


def test_a_clock_that_steps_does_not_lengthen_what_is_offered(one):
    until = one.message.restore_until
    for step_s in (-86_400.0, 3 * 86_400.0, 365 * 86_400.0):
        one.given.approvals.clock.pass_(step_s)
        assert one.message.restore_until == until
    assert until is not None
    assert until.utcoffset() == timedelta(0)
    assert one.token == ""
