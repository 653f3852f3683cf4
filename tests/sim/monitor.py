"""The invariants, checked after every call that changed something and every transaction.

What a call has done is read from the cloud itself: the difference of its state before and after.
So a change is found whatever the engine believes, and whichever API made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.sim import bound, chain, since
from tests.sim.cloud import Effect, Outline, Picture, Rule, is_of, outline
from tests.sim.journal import Line
from tests.sim.records import ENDED, FINAL, Records, is_kept
from tests.sim.rows import Rows
from tests.sim.scheduler import Task
from tests.sim.seams import value_of
from tests.sim.violation import Violation

if TYPE_CHECKING:
    from tests.sim.world import World

_NOT_OF_A_STEP = {"purge", "notify", "take_notice", "try_later", "delivered", "give_up"}


@dataclass(eq=False)
class Monitor:
    """Watches one story; ``violations`` has the first of each code."""

    world: World
    violations: dict[str, Violation] = field(default_factory=dict)
    effects: dict[str, list[tuple[Effect, bool]]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    restores: dict[str, list[Any]] = field(default_factory=dict)
    told: dict[str, tuple[str, float]] = field(default_factory=dict)
    changed_by: dict[since.Thing, list[str]] = field(default_factory=dict)
    _written_s: dict[str, float] = field(default_factory=dict)
    _written_for_s: dict[tuple[str, str], float] = field(default_factory=dict)
    _added_s: dict[tuple[str, Rule], float] = field(default_factory=dict)
    _edited_s: dict[str, float] = field(default_factory=dict)
    expired_told: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    asked: dict[str, Picture] = field(default_factory=dict)
    _is_halted: bool = False
    _built: set[str] = field(default_factory=set)
    _begun_s: dict[str, float] = field(default_factory=dict)
    locked: dict[str, Picture] = field(default_factory=dict)
    _workers: dict[str, str] = field(default_factory=dict)
    _drivers: dict[str, list[str]] = field(default_factory=dict)
    _intents: dict[str, str] = field(default_factory=dict)
    _left: frozenset[str] = frozenset()
    _outline: Outline = ([], [])
    _checked: int | None = None

    def __post_init__(self) -> None:
        world = self.world
        is_far = world.is_alone and not world.store_url.startswith("sqlite")
        self.rows = Rows(
            world.rows,
            world.written if world.is_alone else None,
            world.rows_of_all if is_far else None,
        )
        self.records = Records(self.rows)
        list(self.records.moved(self.world.scheduler.now_s))  # what the version before has kept
        self._cloud = self.world.emulator.state.clouds[0]
        self.first, self.picture = self.world.first, Picture.of(self._cloud)
        for decision_id in self.rows.outcomes() if self.world.story.kept else ():
            done = self.first.effects(self.picture)  # by the version before; it had one decision
            self.effects[decision_id] = [(one, False) for one in done]
            self._left = frozenset(self.rows.disagreements())
        self._outline = outline(self._cloud)

    def broken(self, code: str, text: str) -> None:
        """Write a violation down."""
        if code not in self.violations:
            found = Violation(code, text, self.world.scheduler.now_s)
            self.violations[code] = found
            self.world.note(self.world.scheduler.current, f"*** {code}: {text}")

    def outcomes(self) -> dict[str, str]:
        """The outcome of every decision, the oldest first."""
        return self.rows.outcomes()

    def targets(self, decision_id: str) -> list[str]:
        """What a decision is about."""
        return self.rows.targets(decision_id)

    def restored(self, decision_id: str, document: Any) -> None:
        """Note what a restore of a decision said."""
        self.restores.setdefault(decision_id, []).append(document)

    def answered(self, event_id: str, document: Any) -> None:
        """Somebody was told an outcome; an end is never another one later."""
        bound.check_answer(self, document)
        if not is_kept(document):
            return
        outcome, decision_id = document["outcome"], document["decision_id"]
        before, told_s = self.told.get(decision_id, ("", 0.0))
        # An answer of a worker that was frozen on its way out was true when it was written.
        task = self.world.scheduler.current
        if (
            before in FINAL
            and outcome != before
            and task
            and self._wrote_s(task, decision_id) > told_s
        ):
            self.broken("I6-changed", f"{event_id} was told {before}, and then {outcome}")
        if outcome in ENDED:
            self.told[decision_id] = outcome, self.world.scheduler.now_s

    def _wrote_s(self, task: Task, decision_id: str) -> float:
        """When a task wrote for a decision last; one of several of a delivery has its own time."""
        written_s = self._written_s.get(task.name, 0.0)
        return self._written_for_s.get((task.name, decision_id), written_s)

    def begun_s(self, decision_id: str) -> float | None:
        """When the run of a decision was begun; None where it has none."""
        return self._begun_s.get(decision_id)

    # -- the cloud -------------------------------------------------------------------------

    def edited(self) -> None:
        """Somebody else has changed the cloud: what they touched is not ours to answer for."""
        now, self._outline = Picture.of(self._cloud), outline(self._cloud)
        self.world.content = self.world.content_now()
        for effect in self.picture.effects(now):
            self._touch(effect)
        self.picture = now

    def _touch(self, effect: Effect) -> None:
        self.touched |= {effect.subject, effect.rule[2], *effect.before, *effect.after} - {""}
        self._edited_s[effect.subject] = self.world.scheduler.now_s
        if effect.kind == "add-rule":
            self._added_s[effect.subject, effect.rule] = self.world.scheduler.now_s

    def after_request(self, task: Task, action: str) -> None:
        """Check what a call has done."""
        seen, self._outline = self._outline, outline(self._cloud)
        if self._outline == seen:
            return
        before, self.picture = self.picture, Picture.of(self._cloud)
        if self.picture == before:
            return
        effects = before.effects(self.picture)
        for effect in effects:
            self._check(task, action, effect, before)

    def _check(self, task: Task, action: str, effect: Effect, before: Picture) -> None:
        lines = [one for one in self.rows.lines() if self._fits(effect, one)]
        intended = [one for one in lines if one.state == "intended"]
        mine = self._intents.get(task.name, "")
        line = next((one for one in intended if one.decision_id == mine), None)
        line = line or next(iter(intended), None)
        if effect.kind == "create-group":
            self._built.add(effect.subject)
        # A group that is being made: the rules a cloud gives it go with its creation, and so does
        # the whole of it where that fails.
        is_going = effect.kind in ("remove-rule", "delete-group")
        if line is None and is_going and effect.subject in self._built:
            return
        if line is None and self._came_too_late(task, effect):
            return
        is_out = line is None or (not line.is_undo and self.end_of(line.decision_id) in ENDED)
        if is_out and mine and self._stepped_during(task, mine):
            self._touch(effect)
            return
        if line is None:
            settled = [f"{one.decision_id} has it as {one.state}" for one in lines]
            self.broken(
                "I2-late" if settled else "I2-unintended",
                f"{task.name} {action}: {effect}, which is not intended; {'; '.join(settled)}",
            )
            line = next((one for one in reversed(lines) if one.decision_id == mine), None)
            if line is None:
                return
        self._check_driver(task, line.decision_id, str(effect))
        self.effects.setdefault(line.decision_id, []).append((effect, line.is_undo))
        chain.check(self, task, effect, line, before)
        chain.check_caps(self, effect, line, before)
        bound.check_call(self, effect, line, before)
        since.check(self, effect, line)

    def _came_too_late(self, task: Task, effect: Effect) -> bool:
        """Say whether somebody else came between the last look of a worker and its call.

        That look is between the transaction that intends what is sent and the call. A cloud that
        removes the rules naming a deleted group takes a rule along that was added meanwhile; one
        that takes all groups of a holder at once brings back what was taken off it.
        """
        if effect.kind == "set-groups":
            edited_s = self._edited_s.get(effect.subject, -1.0)
            return edited_s > self._written_s.get(task.name, 0.0)
        added_s = self._added_s.get((effect.subject, effect.rule), 0.0)
        is_gone = effect.kind == "remove-rule"
        return is_gone and added_s > self._written_s.get(task.name, 0.0)

    def _fits(self, effect: Effect, line: Line) -> bool:
        return is_of(effect, line.change, self.rows.made(), self.picture)

    def _check_driver(self, task: Task, decision_id: str, what: str) -> None:
        """Once another worker has begun to change things for a decision, the first one is out.

        A call that a clock has overtaken is the last of its worker, and makes it no driver again.
        """
        drivers = self._drivers.setdefault(decision_id, [])
        if task.name not in drivers:
            drivers.append(task.name)
        elif drivers[-1] != task.name and not self._stepped_during(task, decision_id):
            self.broken(
                "I1", f"{task.name} works on {decision_id} after {drivers[-1]} took over: {what}"
            )

    def _stepped_during(self, task: Task, decision_id: str) -> bool:
        """Whether the store's clock has stepped since a task wrote for a decision last.

        Another worker may have taken over by that, and settled as not done what is under way. No
        engine can take such a call back: what it does is as if somebody else had done it.
        """
        return self._wrote_s(task, decision_id) <= self.world.stepped_s

    def end_of(self, decision_id: str) -> str | None:
        """Return what a decision ended with by what was told, or else by its record."""
        told, _ = self.told.get(decision_id, ("", 0.0))
        return told or self.records.outcomes.get(decision_id)

    # -- the store -------------------------------------------------------------------------

    def after_transaction(self, task: Task, name: str, work: Any) -> None:
        """Check what a transaction has left behind."""
        self._check_halt(task, name)
        is_of_a_step = name not in _NOT_OF_A_STEP
        if is_of_a_step:
            self._written_s[task.name] = self.world.scheduler.now_s
        for one in (value_of(work, "args") or ()) if work and is_of_a_step else ():
            if decision_id := getattr(one, "decision_id", ""):
                self._written_for_s[task.name, decision_id] = self.world.scheduler.now_s
                self._note(task, name, decision_id)
        version, self._checked = self._checked, self.rows.version()
        if version is not None and version == self._checked:  # it has written nothing
            return
        self.rows.refresh()
        for one in self.records.moved(self.world.scheduler.now_s):
            if one.before in FINAL:
                self.broken("I4-record", f"{task.name} {name}: {one}")
            if not one.is_told:
                self.broken("I4-untold", f"{task.name} {name}: {one}, and no message is written")
            if one.outcome == "remediated":
                bound.check_end(self, one.decision_id)
        for approval_id, _, _ in self.rows.questions():
            self.asked.setdefault(approval_id, self.picture)
        self._check_agreement(task, name)

    def _note(self, task: Task, name: str, decision_id: str) -> None:
        if name.startswith("intend"):
            self._intents[task.name] = decision_id
            self._check_driver(task, decision_id, "a change is intended")
        elif name == "lock" or self._takes_over(task, decision_id):
            self.locked[decision_id] = self.picture
        elif name.startswith("begin"):
            self._begun_s.setdefault(decision_id, self.world.scheduler.now_s)

    def _takes_over(self, task: Task, decision_id: str) -> bool:
        """Whether a worker begins to carry on what another one began and changed nothing for."""
        before, self._workers[decision_id] = self._workers.get(decision_id), task.name
        return before not in (None, task.name) and not self.effects.get(decision_id)

    def _check_agreement(self, task: Task, name: str) -> None:
        for text in self.rows.disagreements():
            if text not in self._left:  # what the version before did by halves may wait for its end
                self.broken("I4-now", f"after {name} of {task.name}: {text}")

    @contextmanager
    def purging(self) -> Iterator[None]:
        """Check that a purge forgets nothing that is under way, asked about or stuck."""
        needed, known = self.rows.needed(), set(self.rows.outcomes())
        yield
        self.forgotten |= known - set(self.rows.outcomes())
        if lost := needed - self.rows.needed():
            self.broken("I5-purged", f"forgotten while it is needed: {sorted(lost)}")

    def _check_halt(self, task: Task, name: str) -> None:
        """No change is intended while all changes are stopped."""
        if name in ("halt", "lift_halt"):
            self._is_halted = name == "halt"
        elif name.startswith("intend") and self._is_halted:
            self.broken("I2-halted", f"{task.name} intends a change while all are stopped")
