"""Any sequence of claims, locks, runs and waits does on every store what a simple model says."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from sgguard.errors import BusyError, LeaseLostError, StoreError
from sgguard.store.rows import Answered, Busy, Claim, OtherPayload
from tests.stores import KINDS, a_run, close_run, place

EVENTS = ("e1", "e2", "e3")
KEYS = ("k1", "k2", "k3")
LEASE_S = 10.0

events = st.sampled_from(EVENTS)
keys = st.lists(st.sampled_from(KEYS), max_size=3)
old_claims = st.integers(0, 5)


@dataclass
class Event:
    """What the model knows of an event; its decision has the same name."""

    payload_hash: str | None
    first_s: float
    fence: int = 1
    state: str = "working"
    until_s: float = 0.0
    answer: str = ""


@dataclass
class Model:
    """Claims, locks and runs in dictionaries, for one thread."""

    now_s: float
    events: dict[str, Event] = field(default_factory=dict)
    locks: dict[str, tuple[str, float]] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)

    def is_unresolved(self, name: str) -> bool:
        return self.runs.get(name) in ("open", "stuck")

    def claim(self, name: str, payload_hash: str | None):
        event = self.events.get(name)
        if event is None:
            self.events[name] = Event(payload_hash, self.now_s, until_s=self.now_s + LEASE_S)
            return (1, False)
        if payload_hash and event.payload_hash and payload_hash != event.payload_hash:
            return OtherPayload(event.first_s)
        is_reopened = payload_hash is None and self.is_unresolved(name)
        if event.state == "answered" and not is_reopened:
            return Answered(event.answer)
        if event.state == "working" and event.until_s > self.now_s:
            return Busy(event.until_s - self.now_s)
        event.payload_hash = event.payload_hash or payload_hash
        event.fence += 1
        event.state, event.until_s = "working", self.now_s + LEASE_S
        return (event.fence, True)

    def is_held(self, claim: Claim) -> bool:
        event = self.events[claim.event_id]
        return event.fence == claim.fence and event.state == "working"

    def holder(self, key: str) -> str | None:
        name, until_s = self.locks.get(key, ("", 0.0))
        return name if until_s > self.now_s or self.is_unresolved(name) else None

    def lock(self, name: str, wanted: list[str], until_s: float) -> bool:
        if any(self.holder(key) not in (None, name) for key in wanted):
            return False
        self.locks |= dict.fromkeys(wanted, (name, until_s))
        return True

    def free(self, name: str) -> None:
        self.locks = {key: held for key, held in self.locks.items() if held[0] != name}

    def end(self, name: str, state: str) -> None:
        event = self.events[name]
        event.state, event.until_s = state, self.now_s
        if not self.is_unresolved(name):
            self.free(name)


class Comparison(RuleBasedStateMachine):
    """Does the same with the store and the model; subclasses say which store."""

    kind = ""
    folder = None
    server = None

    @initialize()
    def begin(self):
        self.closing = ExitStack()
        self.place = self.closing.enter_context(place(self.kind, self.folder, self.server))
        self.stores = [self.place.open(), self.place.open()]
        self.turn = 0
        self.model = Model(self.place.clock.now_s)
        self.claims: list[Claim] = []

    def teardown(self):
        self.closing.close()

    @property
    def store(self):
        """One process's view and then the other's."""
        self.turn += 1
        return self.stores[self.turn % 2]

    def pick(self, number: int) -> Claim | None:
        return self.claims[-1 - number % len(self.claims)] if self.claims else None

    def tried(self, work) -> type[Exception] | None:
        try:
            work()
        except (LeaseLostError, BusyError) as error:
            return type(error)
        except StoreError:
            return StoreError
        return None

    @rule(seconds=st.sampled_from([1.0, 4.0, 9.5, 10.0, 25.0]))
    def time_passes(self, seconds):
        self.place.clock.pass_(seconds)
        self.model.now_s += seconds

    @rule(name=events, payload_hash=st.sampled_from(["h", "h", "h", "x", None]))
    def claim(self, name, payload_hash):
        got = self.store.claim(
            "bus",
            name,
            owner="w",
            decision_id=f"d-{name}",
            lease_s=LEASE_S,
            payload_hash=payload_hash,
        )
        if isinstance(got, Claim):
            self.claims.append(got)
            assert got.decision_id == f"d-{name}"
            got = (got.fence, got.is_again)
        assert got == self.model.claim(name, payload_hash)

    @rule(number=old_claims)
    def renew(self, number):
        if claim := self.pick(number):
            held = self.model.is_held(claim)
            got = self.tried(lambda: self.store.renew(claim, LEASE_S))
            assert got == (None if held else LeaseLostError)
            if held:
                until_s = self.model.now_s + LEASE_S
                self.model.events[claim.event_id].until_s = until_s
                mine = [k for k, (name, _) in self.model.locks.items() if name == claim.event_id]
                self.model.locks |= dict.fromkeys(mine, (claim.event_id, until_s))

    @rule(number=old_claims)
    def finish(self, number):
        if claim := self.pick(number):
            event = self.model.events[claim.event_id]
            held = self.model.is_held(claim)
            is_again = event.fence == claim.fence and event.state == "answered"
            got = self.tried(lambda: self.store.finish(claim, f'"{claim.fence}"'))
            assert got == (None if held or is_again else LeaseLostError)
            if held:
                event.answer = f'"{claim.fence}"'
                self.model.end(claim.event_id, "answered")

    @rule(number=old_claims)
    def release(self, number):
        if claim := self.pick(number):
            is_newest = self.model.events[claim.event_id].fence == claim.fence
            held = self.model.is_held(claim)
            got = self.tried(lambda: self.store.release(claim))
            assert got == (None if is_newest else LeaseLostError)
            if held:
                self.model.end(claim.event_id, "released")

    @rule(number=old_claims, wanted=keys)
    def lock(self, number, wanted):
        if claim := self.pick(number):
            got = self.tried(lambda: self.store.lock(claim, wanted, LEASE_S))
            if not self.model.is_held(claim):
                assert got == LeaseLostError
            else:
                until_s = self.model.now_s + LEASE_S
                is_locked = self.model.lock(claim.event_id, wanted, until_s)
                assert got == (None if is_locked else BusyError)

    @rule(number=old_claims, wanted=keys)
    def begin_run(self, number, wanted):
        if claim := self.pick(number):
            name = claim.event_id
            run = a_run(f"d-{name}", name, tuple(wanted))
            got = self.tried(lambda: self.store.begin_run(claim, run))
            if not self.model.is_held(claim):
                assert got == LeaseLostError
            elif name in self.model.runs:
                assert got is None
            else:
                until_s = max(self.model.events[name].until_s, self.model.now_s)
                is_locked = self.model.lock(name, wanted, until_s)
                assert got == (None if is_locked else BusyError)
                if is_locked:
                    self.model.runs[name] = "open"

    @rule(number=old_claims, state=st.sampled_from(["finished", "undone", "stuck"]))
    def close_run(self, number, state):
        if claim := self.pick(number):
            name = claim.event_id
            got = self.tried(lambda: close_run(self.store, claim, f"d-{name}", state))
            if not self.model.is_held(claim):
                assert got == LeaseLostError
            elif not self.model.is_unresolved(name):
                assert got == (None if self.model.runs.get(name) == state else StoreError)
            elif self.model.runs[name] == "stuck" and state == "finished":
                assert got == StoreError  # it was turned, and never goes forward again
            else:
                assert got is None
                self.model.runs[name] = state
                if state != "stuck":
                    self.model.free(name)

    @invariant()
    def the_unresolved_runs_are_the_same(self):
        if hasattr(self, "model"):
            listed = {run.event_id: run.state for run in self.store.open_runs()}
            runs = self.model.runs.items()
            assert listed == {name: state for name, state in runs if state in ("open", "stuck")}


def compare(kind, request, tmp_path, examples):
    served = request.getfixturevalue("postgres_server") if kind == "postgres" else None
    chosen = type("Chosen", (Comparison,), {"kind": kind, "folder": tmp_path, "server": served})
    run_state_machine_as_test(
        chosen, settings=settings(max_examples=examples, stateful_step_count=40)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(2)
def test_a_store_does_what_the_model_says(kind, request, tmp_path):
    compare(kind, request, tmp_path, 25)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_store_does_what_the_model_says_for_long(kind, request, tmp_path):
    compare(kind, request, tmp_path, 300)
