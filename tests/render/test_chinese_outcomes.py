"""Whatever becomes of a decision, a Chinese reader is shown no English: not of its end either.

Every way in which a decision can end is told on each emulated cloud, with faults.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from sgguard import schemas
from sgguard.approvals import approve, deny, finish, reminders
from sgguard.approvals.reminders import expire
from sgguard.emulator.faults import Fault
from sgguard.engine.execute import LEASE_S, Executor
from sgguard.errors import EventError, HaltedError
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.model.sentence import as_sentence
from sgguard.operations import restore, resume
from sgguard.operations.unresolved import everything
from sgguard.policy import DeletePolicy
from sgguard.render import said
from sgguard.render.language.refusal import sentence_of
from sgguard.render.language.sentence import in_english
from sgguard.render.outcome import notes_in
from tests.approvals.harness import POLICY, ApprovalHarness, approval_harness
from tests.approvals.test_resolve import approved_before
from tests.chinese import CHINESE, foreign_in, require_chinese
from tests.crash.worker import is_writing
from tests.deployment import CLOUDS
from tests.engine.interleaved import Between, DiedError
from tests.operations.test_accept import changed
from tests.render.test_chinese_only import FORBIDDEN

Json = dict[str, Any]
JSON = "application/json"
NEUTRON = '{"NeutronError": {"type": "PolicyNotAuthorized", "message": "no, never", "detail": ""}}'


@pytest.fixture(params=CLOUDS)
def here(request, tmp_path) -> Iterator[ApprovalHarness]:
    with approval_harness(request.param, tmp_path) as made:
        yield made


def calls_of(here: ApprovalHarness, *faults: Fault) -> Counter[str]:
    """How often each writing call is made for the whole plan, tried on a cloud of its own."""
    kept = here.emulator
    here.emulator = here.world.emulator()
    here.emulator.faults += faults
    enforced(here, here.context().new_id())
    seen, here.emulator = here.emulator, kept
    return Counter(one.action for one in seen.requests if is_writing(one.action))


def enforced(here: ApprovalHarness, event_id: str = "order-7") -> Json:
    here.policy = replace(POLICY, mode=Mode.ENFORCE)
    return here.ask(event_id)


def refusing(here: ApprovalHarness, action: str, skip: int = 0) -> Fault:
    pattern, given = re.sub(r"\{[^}]*\}", "*", action), {"count": 99, "skip": skip}
    if here.world.provider == "openstack":
        return Fault(
            "garbage", action=pattern, body=NEUTRON, status=403, content_type=JSON, **given
        )
    return Fault("error", action=pattern, code=FORBIDDEN[here.world.provider], **given)


def refused(here: ApprovalHarness) -> tuple[Fault, ...]:
    """The cloud refuses the last change: the delete of the group."""
    *_, last = calls_of(here)
    return (refusing(here, last),)


def refused_by_the_cloud(here: ApprovalHarness) -> Json:
    here.emulator.faults += refused(here)
    return enforced(here)


def not_undone(here: ApprovalHarness) -> Json:
    """The cloud refuses the last change, and then those that take the others back."""
    forward, first = calls_of(here), refused(here)
    both = calls_of(here, *first)
    undoing = [one for one in both if one not in forward or both[one] > forward[one]]
    here.emulator.faults += first
    here.emulator.faults += [refusing(here, one, skip=forward[one]) for one in undoing]
    return enforced(here)


def denied(here: ApprovalHarness) -> Json:
    asked = here.asked()
    deny(asked.approval_id, "ada", here.context())
    return here.document(asked)


def expired(here: ApprovalHarness) -> Json:
    asked = here.asked()
    here.clock.pass_(POLICY.approval.expires_s)
    expire(Executor.of(here.context()), asked)
    return here.document(asked)


def lapsed(here: ApprovalHarness) -> Json:
    asked = approved_before(here)
    here.clock.pass_(POLICY.approval.expires_s)
    with pytest.raises(EventError):
        finish(asked.approval_id, here.context())
    return here.document(asked)


def changed_since(here: ApprovalHarness) -> Json:
    asked = here.asked()
    here.add_reference()
    return approve(asked.approval_id, "ada", here.context())


def superseded(here: ApprovalHarness) -> Json:
    asked = here.asked()
    here.policy = replace(POLICY, delete=DeletePolicy(protected=(here.world.referenced,)))
    return approve(asked.approval_id, "ada", here.context())


def halted(here: ApprovalHarness) -> Json:
    here.store.halt("ops", "incident seven is open")
    return enforced(here)


def cut_short(here: ApprovalHarness, *, then: Callable[[], None] = lambda: None) -> str:
    """Let a worker die after its first change was intended; return the decision."""

    def die() -> None:
        then()
        raise DiedError

    here.policy = replace(POLICY, mode=Mode.ENFORCE)
    store = here.store
    here.store = Between(store, ("settle",), die)  # type: ignore[assignment]
    with pytest.raises(DiedError):
        here.ask()
    here.store = store
    here.clock.pass_(LEASE_S + 1)
    (run,) = store.open_runs()
    return run.decision_id


def resumed(here: ApprovalHarness) -> Json:
    return resume.resume(cut_short(here), here.context())


def unfinished(here: ApprovalHarness) -> Json:
    return here.document(here.store.decision(cut_short(here)))


def accepted(here: ApprovalHarness) -> Json:
    return resume.accept(cut_short(here), here.context(), by="ada", why="moved by hand")


def changed_meanwhile(here: ApprovalHarness) -> Json:
    here.policy = replace(POLICY, mode=Mode.ENFORCE)
    store = here.store
    here.store = Between(store, ("begin_run",), here.add_reference, is_after=True)  # type: ignore[assignment]
    document = here.ask()
    here.store = store
    return document


def restored_in_part(here: ApprovalHarness) -> Json:
    done = enforced(here)
    here.cloud.groups = [one for one in here.cloud.groups if one.id != here.world.referrer_in]
    return restore.restore(done["decision_id"], here.context(), by="ada")


STORIES: dict[str, tuple[Callable[[ApprovalHarness], Json], str]] = {
    "waits": (lambda here: here.ask(), "pending"),
    "denied": (denied, "refused"),
    "expired": (expired, "refused"),
    "lapsed": (lapsed, "refused"),
    "changed since": (changed_since, "pending"),
    "superseded": (superseded, "superseded"),
    "halted": (halted, "halted"),
    "carried out": (enforced, "remediated"),
    "refused by the cloud": (refused_by_the_cloud, "undone"),
    "not undone": (not_undone, "partly-undone"),
    "changed meanwhile": (changed_meanwhile, "undone"),
    "cut short": (unfinished, "unfinished"),
    "resumed": (resumed, "remediated"),
    "accepted": (accepted, "accepted"),
    "restored in part": (restored_in_part, "remediated"),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.sampled(80)
def test_what_became_of_a_decision_is_told_in_chinese(here, story):
    tell, outcome = STORIES[story]
    document = tell(here)
    assert document["outcome"] == outcome, document["note"]
    assert schemas.problems("decision", document) == ()
    require_chinese(document)
    for one in everything(here.context()):
        for text in (*one.note, one.cause, one.then):
            assert foreign_in(as_sentence(text)) == set(), text


@pytest.mark.parametrize(("seconds", "name"), [("expires_s", "expired"), ("remind_s", "due")])
def test_a_reminder_says_what_would_be_changed_in_chinese(here, seconds, name):
    asked = here.asked()
    here.clock.pass_(getattr(POLICY.approval, seconds))
    (found,) = reminders.handle([({}, Event("t-1", {}, "/cron"))], here.context())
    assert schemas.problems("approval_answer", found) == ()
    (one,) = require_chinese(found)[name]
    assert (one["approval_id"], one["summary"]) == (asked.approval_id, asked.summary)
    assert in_english(said.sentence_of(one["sentences"]["summary"]), 20_000) == one["summary"]


def test_a_request_whose_plan_is_not_kept_any_more_has_its_english_summary(here):
    asked = here.asked()
    here.add_reference()
    approve(asked.approval_id, "ada", here.context())
    summary = reminders._summary(Executor.of(here.context()), asked)
    assert summary["summary"] == asked.summary
    assert "sentences" not in summary


@pytest.mark.sampled(3)
def test_a_second_answer_is_refused_in_chinese(here):
    asked = here.asked()
    approve(asked.approval_id, "ada", here.context())
    with pytest.raises(EventError) as caught:
        deny(asked.approval_id, "bob", here.context())
    assert caught.value.status == 409
    assert foreign_in(sentence_of(caught.value)) == set()


@pytest.mark.sampled(6)
def test_a_halt_between_the_question_and_the_answer_is_told_in_chinese(here):
    asked = here.asked()
    here.store.halt("ops", "incident seven is open")
    with pytest.raises(HaltedError) as caught:
        approve(asked.approval_id, "ada", here.context())
    assert foreign_in(sentence_of(caught.value)) == set()


@pytest.mark.sampled(3)
def test_a_note_of_an_earlier_version_is_carried_on(here):
    decision_id = cut_short(here)
    note = "delete sg-1: the cloud refused"
    changed(here, "UPDATE sgguard_runs SET direction = 'undoing', note = ?", note)
    document = resume.resume(decision_id, here.context())
    assert document["outcome"] == "undone"
    assert document["note"] == note
    assert notes_in(document, CHINESE) == [note]
