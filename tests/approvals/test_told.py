"""Whatever closed a request, and wherever a process dies: the timer's next event tells it."""

from __future__ import annotations

from typing import Any

import pytest

from sgguard import schemas
from sgguard.approvals import approve, reminders
from sgguard.errors import EventError, StoreError
from sgguard.model.event import Event
from tests.approvals.harness import POLICY, ApprovalHarness, approval_harness
from tests.chinese import require_chinese
from tests.cli.test_resume import DiedError, Dying


@pytest.fixture
def here(tmp_path):
    with approval_harness("tencent", tmp_path) as made:
        yield made


def tick(given: ApprovalHarness, event_id: str, **more: Any) -> dict[str, Any]:
    [found] = reminders.handle([({}, Event(event_id, {}, "/cron"))], given.context(**more))
    assert isinstance(found, dict), found
    assert schemas.problems("approval_answer", found) == ()
    return require_chinese(found)


def ids(told: dict[str, Any], name: str) -> list[str]:
    return [one["approval_id"] for one in told[name]]


def test_what_a_click_closed_is_told_as_well(here):
    asked = here.asked()
    here.clock.pass_(POLICY.approval.expires_s)
    with pytest.raises(EventError):
        approve(asked.approval_id, "ada", here.context())
    assert ids(tick(here, "t-1"), "expired") == [asked.approval_id]
    assert ids(tick(here, "t-2"), "expired") == []


class Failing:
    """A store that fails whenever one of its methods is called."""

    def __init__(self, store, method: str) -> None:
        self.store, self.method = store, method

    def __getattr__(self, name):
        if name == self.method:
            raise StoreError("down")
        return getattr(self.store, name)


def failed(given: ApprovalHarness, event_id: str, method: str) -> None:
    context = given.context(store=Failing(given.store, method))
    [found] = reminders.handle([({}, Event(event_id, {}, "/cron"))], context)
    assert isinstance(found, StoreError)


def test_what_was_closed_by_a_process_that_died_is_told_by_the_next_event(here):
    asked = here.asked()
    here.clock.pass_(POLICY.approval.expires_s)
    with pytest.raises(DiedError):
        tick(here, "t-1", store=Dying(here.store, "refuse"))
    assert ids(tick(here, "t-2"), "expired") == [asked.approval_id]
    assert here.document(asked)["outcome"] == "refused"
    assert ids(tick(here, "t-3"), "expired") == []


@pytest.mark.parametrize(("seconds", "name"), [("expires_s", "expired"), ("remind_s", "due")])
@pytest.mark.sampled(2)
def test_what_could_not_be_told_is_told_by_the_next_event(here, seconds, name):
    asked = here.asked()
    here.clock.pass_(getattr(POLICY.approval, seconds))
    failed(here, "t-1", "tell")
    assert ids(tick(here, "t-2"), name) == [asked.approval_id]
    assert ids(tick(here, "t-3"), name) == []


def test_the_same_event_tells_the_same_again(here):
    here.asked()
    here.clock.pass_(POLICY.approval.expires_s)
    first = tick(here, "t-1")
    assert tick(here, "t-1") == first


def test_an_approved_plan_that_was_not_begun_in_time_is_told(here):
    asked = here.approved()
    here.clock.pass_(POLICY.approval.expires_s)
    assert ids(tick(here, "t-1"), "expired") == [asked.approval_id]
    assert ids(tick(here, "t-2"), "expired") == []


def test_one_that_was_carried_out_is_not(here):
    asked = here.asked()
    approve(asked.approval_id, "ada", here.context())
    here.clock.pass_(POLICY.approval.expires_s)
    assert ids(tick(here, "t-1"), "expired") == []
