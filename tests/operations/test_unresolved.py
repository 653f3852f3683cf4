"""Everything that is not at its end is listed, with why and what will happen to it."""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from sgguard.approvals import deny
from sgguard.emulator.faults import Fault
from sgguard.engine.execute import LEASE_S
from sgguard.errors import CloudError
from sgguard.model.codes import Mode
from sgguard.operations import resume
from sgguard.operations.unresolved import everything
from sgguard.render.kept import joined
from sgguard.render.language.sentence import WHOLE, in_english
from sgguard.render.said import sentence_of
from tests.approvals.harness import POLICY, approval_harness
from tests.chinese import foreign_in
from tests.cli.test_resume import cut_short, stuck
from tests.commands import place, sgguard
from tests.operations.test_accept import changed, enforced, newer

__all__ = ["place", "sgguard"]  # fixtures

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def here(tmp_path):
    with approval_harness("tencent", tmp_path) as made:
        yield made


def only(given):
    [found] = everything(given.context())
    for text, english in ((found.cause, found.why), (found.then, found.next)):
        assert english == in_english(text, WHOLE)
        assert foreign_in(text) == set()
    return found


def test_nothing_is_listed_where_everything_is_at_its_end(here):
    assert everything(here.context()) == ()
    deny(here.asked().approval_id, "ada", here.context())
    assert everything(here.context()) == ()


def test_a_run_is_listed_with_how_far_it_is(here):
    enforced(here)
    found = only(here)
    assert found.state == "open"
    assert "after 2 of 3 changes" in found.why
    assert f"sgguard resume {found.decision_id}" in found.next


def test_a_run_that_a_worker_has_is_left_to_it(here):
    enforced(here)
    here.clock.pass_(-10 * LEASE_S)
    found = only(here)
    assert found.why == "a worker has it"


def test_a_run_waits_while_all_changes_are_stopped(here):
    enforced(here)
    here.store.halt("ops", "incident 7")
    assert "incident 7" in only(here).why


def forgotten(given, state: str) -> None:
    """A decision whose end was not kept, as an older sgguard left it when its worker died."""
    given.policy = replace(POLICY, mode=Mode.ENFORCE)
    done = given.ask()
    record = given.store.decision(done["decision_id"])
    text = json.dumps({**json.loads(record.document_json), "outcome": "unfinished"})
    given.store.keep(replace(record, outcome="unfinished", document_json=text))
    changed(given, "UPDATE sgguard_claims SET state = 'working' WHERE event_id = ?", "order-7")
    if state == "unbegun":
        changed(given, "DELETE FROM sgguard_runs WHERE decision_id = ?", done["decision_id"])


def test_a_run_that_ended_without_its_decision_is_written_down(here):
    forgotten(here, "unkept")
    found = only(here)
    assert found.state == "unkept"
    assert resume.resume(found.decision_id, here.context())["outcome"] == "remediated"
    assert everything(here.context()) == ()
    assert here.store.decision(found.decision_id).outcome == "remediated"


@pytest.mark.parametrize("state", ["unkept", "unbegun"])
@pytest.mark.sampled(2)
def test_a_decision_that_was_not_ended_is_ended_as_it_is(here, state):
    forgotten(here, state)
    found = only(here)
    assert found.state == state
    accepted = resume.accept(found.decision_id, here.context(), by="ada", why="not wanted")
    assert accepted["outcome"] == "accepted"
    assert here.ask() == accepted
    assert everything(here.context()) == ()


def test_an_approval_that_was_not_begun_is_listed(here):
    asked = here.approved()
    found = only(here)
    assert (found.state, found.approval_id) == ("approved", asked.approval_id)
    assert "ada approved it" in found.why


def test_a_question_is_listed_until_it_is_answered(here):
    asked = here.asked()
    found = only(here)
    assert (found.state, found.approval_id) == ("pending", asked.approval_id)
    assert "eve asked" in found.why
    assert f"sgguard approvals approve {asked.approval_id}" in found.next
    here.clock.pass_(POLICY.approval.expires_s)
    assert "in time" in only(here).why


def test_a_question_whose_decision_was_not_kept_is_told_apart(here):
    asked = here.asked()
    changed(here, "DELETE FROM sgguard_decisions WHERE decision_id = ?", asked.decision_id)
    found = only(here)
    assert (found.state, found.approval_id) == ("pending", asked.approval_id)
    assert "was not kept" in found.why


def test_an_answer_that_its_decision_does_not_know_of_is_listed(here):
    asked = here.asked()
    here.store.resolve(asked.approval_id, "denied", "bob")
    found = only(here)
    assert (found.state, found.approval_id) == ("unheard", asked.approval_id)
    assert "denied" in found.why


def test_an_event_without_an_answer_is_listed(here):
    here.emulator.faults.append(Fault("drop", count=10_000))
    with pytest.raises(CloudError):
        here.ask()
    found = only(here)
    assert (found.state, found.target) == ("event", ("delete_request /portal order-7",))
    assert "nothing was changed" in found.why
    here.emulator.faults.clear()
    assert here.ask()["outcome"] == "pending"
    assert only(here).state == "pending"


# -- the command ---------------------------------------------------------------------------


def test_the_list_is_a_document_as_well(place, sgguard):
    asked = place.asked()
    code, out, err = sgguard("resume", "--list", "--json")
    [found] = json.loads(out)
    assert (code, err) == (0, "")
    assert {**found, "since": ""} == {
        "decision_id": asked.decision_id,
        "approval_id": asked.approval_id,
        "state": "pending",
        "target": [place.target],
        "since": "",
        "why": "eve asked, and nobody answered",
        "next": found["next"],
        "note": asked.summary,
        "notes": found["notes"],
        "sentences": found["sentences"],
    }
    assert [joined([sentence_of(one)]) for one in found["notes"]] == [asked.summary]
    assert found["sentences"]["why"] == {"code": "open.asked", "args": {"who": "eve"}}
    code, out, _ = sgguard("resume", "--list")
    assert code == 0
    assert f"pending: approval {asked.approval_id}" in out
    assert "why: eve asked" in out
    assert "next: sgguard approvals approve" in out


def test_the_list_is_told_in_the_language_that_is_asked_for(place, sgguard):
    assert "中没有未结束的事项" in sgguard("resume", "--list", "--lang", "zh")[1]
    asked = place.asked()
    code, out, _ = sgguard("resume", "--list", "--lang", "zh")
    head, why, then = out.splitlines()
    assert code == 0
    assert head.startswith("【待审批】审批单 " + asked.approval_id)
    assert why.endswith("eve 已申请，等待审批")  # noqa: RUF001 - Chinese
    assert "sgguard approvals approve " + asked.approval_id in then
    assert sgguard("resume", "--list", "--lang", "fr")[0] == 2


def test_what_is_resumed_is_told_in_the_language_that_is_asked_for(place, sgguard):
    asked = cut_short(place)
    code, out, err = sgguard("resume", "--lang", "zh")
    assert code == 0
    assert f"判定 {asked.decision_id}，已 " in err  # noqa: RUF001 - Chinese
    title, *lines = out.splitlines()
    assert title.startswith("【已执行】删除安全组 ")
    assert [one for one in lines if not HAN.search(one)] == []
    assert "申请人：eve" in lines  # noqa: RUF001 - Chinese
    assert any(one.startswith("第 3 步：删除安全组 ") for one in lines)  # noqa: RUF001 - Chinese
    english = sgguard("resume", asked.decision_id)[1]
    assert not HAN.search(english)


def test_what_could_not_be_undone_is_told_in_the_language_that_is_asked_for(place, sgguard):
    asked = stuck(place)
    code, out, _ = sgguard("resume", asked.decision_id, "--accept", "--lang", "zh")
    assert code == 1
    assert out.startswith("【已人工关闭】删除安全组 ")
    assert [one for one in out.splitlines() if not HAN.search(one)] == []
    assert "说明：已由 " in out  # noqa: RUF001 - Chinese


def test_what_needs_an_operator_ends_with_1(place, sgguard):
    asked = stuck(place)
    code, out, _ = sgguard("resume", "--list", "--json")
    assert (code, [one["state"] for one in json.loads(out)]) == (1, ["stuck"])
    newer(place, "plan_json", asked.decision_id)
    code, out, err = sgguard("resume")
    assert (code, out) == (1, "")
    assert f"unreadable: decision {asked.decision_id}" in err
    assert "--accept ends it as it is" in err


def test_after_a_resume_what_is_left_is_listed(place, sgguard):
    cut_short(place)
    place.add_reference()
    waiting = place.asked(event_id="another", requester="ann")
    code, out, err = sgguard("resume")
    assert code == 0
    assert out.startswith("undone")  # a rule names the group now
    assert f"pending: approval {waiting.approval_id}" in err


def test_a_run_without_its_decision_can_be_named(place, sgguard):
    place.clock.pass_(-10 * LEASE_S)  # the command's own view of the store has today's clock
    enforced(place)
    [run] = place.store.open_runs()
    changed(place, "DELETE FROM sgguard_decisions WHERE decision_id = ?", run.decision_id)
    code, out, err = sgguard("resume", run.decision_id, "--accept", "--reason", "lost")
    assert code == 1, err
    assert out.startswith("accepted")


def test_a_list_resumes_nothing(place, sgguard):
    cut_short(place)
    before = place.emulator.state.dump()
    assert sgguard("resume", "--list")[0] == 0
    assert place.emulator.state.dump() == before
    assert sgguard("resume", "--list", "--accept", "d1")[0] == 2
    assert sgguard("resume", "--list", "d1")[0] == 2
