"""A bind that was begun and has sent nothing is looked at once more, with few reads."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from sgguard.approvals import resolve
from sgguard.emulator import edit
from sgguard.emulator.resource import Rule
from sgguard.engine.bind import bind_once
from sgguard.model.address import Scope
from sgguard.model.event import Event
from sgguard.model.request import BindRequest
from sgguard.operations import resume
from tests.bind.harness import GROUP, Fleet, ids
from tests.bind.test_crash import Died, Dying
from tests.engine.interleaved import Between, DiedError
from tests.stores import kept, postgres_server
from tests.worlds.tencent import WORLD

__all__ = ["kept", "postgres_server"]  # fixtures

SIZE = 6


@pytest.fixture
def fleet(tmp_path, kept):
    """Instances, with each kind of store."""
    return Fleet(tmp_path, SIZE, mode="approve", url=kept.url)


def dying(fleet: Fleet, after: str = "begin_run"):
    def die() -> None:
        raise DiedError

    context = fleet.context()
    return replace(context, store=Between(fleet.store, (after,), die, is_after=True))


def begun(fleet: Fleet, after: str = "begin_run") -> str:
    """A bind that was approved and begun; return its decision. Its worker died after a step."""
    fleet.bind(ids(SIZE))
    (request,) = fleet.store.approvals("pending")
    with pytest.raises(DiedError):
        resolve.approve(request.approval_id, "olga", dying(fleet, after))
    fleet.restart()
    return request.decision_id


def enforced(fleet: Fleet) -> str:
    fleet.mode = "enforce"
    with pytest.raises(DiedError):
        fleet.bind(ids(SIZE), context=dying(fleet))
    fleet.restart()
    [run] = fleet.store.open_runs()
    return run.decision_id


def shown(fleet: Fleet) -> str:
    """A bind that a person was shown and said yes to; its worker died when it was begun."""
    fleet.mode = "enforce"
    request = BindRequest(
        Scope("tencent", "", WORLD.region), GROUP, holders=tuple(ids(SIZE)), requested_by="olga"
    )
    event = Event("typed", {"group": GROUP}, "bind")
    with pytest.raises(DiedError):
        bind_once(request, event, dying(fleet), is_shown=True)
    fleet.restart()
    [run] = fleet.store.open_runs()
    return run.decision_id


def require_nothing_done(fleet: Fleet, found, words: str) -> None:
    assert (found["outcome"], fleet.calls(), fleet.holders_of()) == ("unchanged", 0, set())
    assert words in found["note"]
    assert fleet.store.open_runs() == ()
    assert resume.unresolved(fleet.context()) == ()


@pytest.mark.parametrize("said_yes", [begun, shown], ids=["approved", "shown"])
@pytest.mark.sampled(2)
def test_one_that_is_as_it_was_goes_on(fleet, said_yes):
    done = resume.resume(said_yes(fleet), fleet.context())
    assert done["outcome"] == "remediated"
    assert fleet.holders_of() == set(ids(SIZE))


@pytest.mark.parametrize("said_yes", [begun, shown], ids=["approved", "shown"])
@pytest.mark.sampled(2)
def test_a_group_that_was_opened_since_is_not_what_a_person_said_yes_to(fleet, said_yes):
    decision_id = said_yes(fleet)
    edit.add_rule(fleet.cloud, GROUP, Rule("ingress", ports="22", cidr="0.0.0.0/0"))
    found = resume.resume(decision_id, fleet.context())
    require_nothing_done(fleet, found, "has changed since it was begun")


@pytest.mark.sampled(2)
def test_calls_that_were_intended_and_did_not_go_out_are_no_change(fleet):
    decision_id = begun(fleet, "intend")
    edit.add_rule(fleet.cloud, GROUP, Rule("ingress", ports="22", cidr="0.0.0.0/0"))
    found = resume.resume(decision_id, fleet.context())
    require_nothing_done(fleet, found, "has changed since it was begun")


@pytest.mark.sampled(2)
def test_where_nothing_has_changed_what_was_intended_goes_out(fleet):
    done = resume.resume(begun(fleet, "intend"), fleet.context())
    assert done["outcome"] == "remediated"
    assert fleet.holders_of() == set(ids(SIZE))


@pytest.mark.sampled(2)
def test_a_click_looks_as_well(fleet):
    begun(fleet)
    edit.add_rule(fleet.cloud, GROUP, Rule("ingress", ports="22", cidr="0.0.0.0/0"))
    (request,) = fleet.store.approvals("approved")
    found = resolve.approve(request.approval_id, "olga", fleet.context())
    require_nothing_done(fleet, found, "has changed since it was begun")


@pytest.mark.sampled(2)
def test_on_the_word_of_one_who_was_removed_nothing_is_changed(fleet):
    decision_id = begun(fleet)
    context = fleet.context()
    policy = context.policy
    removed = replace(policy, approval=replace(policy.approval, approvers=("otto",)))
    found = resume.resume(decision_id, replace(context, policy=removed))
    require_nothing_done(fleet, found, "olga may not approve")


@pytest.mark.sampled(2)
def test_a_yes_that_is_too_old_is_not_acted_on(fleet):
    decision_id = begun(fleet)
    fleet.clock.jumped_s += 30 * 86_400.0
    found = resume.resume(decision_id, fleet.context())
    require_nothing_done(fleet, found, "not started in time")


@pytest.mark.parametrize(
    ("mode", "words"), [("observe", "observe"), ("approve", "nobody was asked")]
)
@pytest.mark.sampled(6)
def test_where_the_mode_is_another_one_nothing_is_changed(fleet, mode, words):
    enforced(fleet)
    fleet.mode = mode
    require_nothing_done(fleet, fleet.bind(ids(SIZE)), words)


@pytest.mark.sampled(2)
def test_a_group_that_nothing_may_carry_by_now_is_put_on_nothing(fleet):
    enforced(fleet)
    fleet.more = f'[launch]\nforbidden = ["{GROUP}"]\n'
    require_nothing_done(fleet, fleet.bind(ids(SIZE)), "has changed since it was begun")


@pytest.mark.sampled(2)
def test_what_has_sent_something_goes_on_whatever_the_policy_says_now(fleet):
    fleet.mode = "enforce"
    died = Dying(fleet.emulator, fleet.store, 0, is_after=True, on="AssociateSecurityGroups")
    with pytest.raises(Died):
        fleet.bind(ids(SIZE), context=fleet.context(transport=died))
    fleet.restart()
    fleet.more = f'[launch]\nforbidden = ["{GROUP}"]\n'
    assert fleet.bind(ids(SIZE))["outcome"] == "remediated"


def test_it_takes_as_few_reads_for_many_holders(tmp_path):
    def reads(size: int) -> int:
        folder = tmp_path / str(size)
        folder.mkdir()
        fleet = Fleet(folder, size, mode="approve")
        fleet.bind(ids(size))
        (request,) = fleet.store.approvals("pending")
        with pytest.raises(DiedError):
            resolve.approve(request.approval_id, "olga", dying(fleet))
        fleet.restart()
        edit.add_rule(fleet.cloud, GROUP, Rule("ingress", ports="22", cidr="0.0.0.0/0"))
        before = Counter(one.action for one in fleet.emulator.requests)
        assert resume.resume(request.decision_id, fleet.context())["outcome"] == "unchanged"
        after = Counter(one.action for one in fleet.emulator.requests)
        return (after - before).total()

    assert reads(2) == reads(200) < 12
