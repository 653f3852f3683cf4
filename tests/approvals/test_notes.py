"""What became of an approval request, in the language of whoever reads it."""

from __future__ import annotations

from datetime import UTC

import pytest

from sgguard.approvals import resolve
from sgguard.approvals.reminders import expire
from sgguard.engine.execute import Executor
from sgguard.errors import EventError
from sgguard.render.language.words import Words
from sgguard.render.outcome import notes_in
from tests.approvals.harness import approval_harness
from tests.approvals.test_resolve import approved_before
from tests.deployment import CLOUDS

ENGLISH, CHINESE = Words("en", UTC), Words("zh", UTC)
TENCENT = CLOUDS[0]


@pytest.fixture
def here(tmp_path):
    with approval_harness(TENCENT, tmp_path) as found:
        yield found


def test_what_waits_for_an_approval_says_so(here):
    asked = here.asked()
    (note,) = notes_in(here.document(asked), CHINESE)
    assert note == f"等待审批：sgguard approvals approve {asked.approval_id}"


@pytest.mark.parametrize(
    ("state", "english", "chinese"),
    [
        ("denied", "denied: nothing was done", "已拒绝，未做任何变更"),
        ("expired", "not approved in time: nothing was done", "已过期，无人审批，未做任何变更"),
    ],
)
@pytest.mark.sampled(2)
def test_a_refusal_says_which_it_is(here, state, english, chinese):
    asked = here.asked()
    if state == "denied":
        resolve.deny(asked.approval_id, "ada", here.context())
    else:
        here.clock.pass_(here.context().policy.approval.expires_s)
        expire(Executor.of(here.context()), asked)
    found = here.document(asked)
    assert found["note"] == english
    assert notes_in(found, CHINESE) == [chinese]
    assert notes_in(found, ENGLISH) == [english]


def test_a_yes_that_came_to_nothing_says_so(here):
    asked = approved_before(here)
    here.clock.pass_(here.context().policy.approval.expires_s)
    with pytest.raises(EventError):
        resolve.finish(asked.approval_id, here.context())
    found = here.document(asked)
    assert found["note"] == "approved, but not started in time: nothing was done"
    assert notes_in(found, CHINESE) == ["已同意，但未能在截止时间前开始执行，未做任何变更"]
