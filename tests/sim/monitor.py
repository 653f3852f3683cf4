"""The invariants, checked after every call that changed something and every transaction.

What a call has done is read from the cloud itself: the difference of its state before and after.
So a change is found whatever the engine believes, and whichever API made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sgguard.model.codes import Outcome
from tests.sim import bound, since
from tests.sim.cloud import Effect, Outline, Picture, Rule, is_delete, is_of, outline
from tests.sim.journal import AnyPlan, Line, planned_in, pointed_to
from tests.sim.records import Records, is_kept
from tests.sim.rows import TAKING_BACK, Rows
from tests.sim.scheduler import Task
from tests.sim.seams import value_of
from tests.sim.violation import Violation

if TYPE_CHECKING:
    from tests.sim.world import World

FINAL = frozenset(Outcome) - {Outcome.PENDING, Outcome.UNFINISHED, Outcome.PARTLY_UNDONE}
_NOT_OF_A_STEP = {"purge", "notify", "take_notice", "try_later", "delivered", "give_up"}
_ENDED = FINAL | {"partly-undone"}


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
    changed_by: dict[since.Thing, str] = field(default_factory=dict)
    _written_s: dict[str, float] = field(default_factory=dict)
    _written_for_s: dict[tuple[str, str], float] = field(default_factory=dict)
    _added_s: dict[tuple[str, Rule], float] = field(default_factory=dict)
    _edited_s: dict[str, float] = field(default_factory=dict)
    expired_told: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    _asked: dict[str, Picture] = field(default_factory=dict)
    _is_halted: bool = False
    _built: set[str] = field(default_factory=set)
    _begun_s: dict[str, float] = field(default_factory=dict)
    _locked: dict[str, Picture] = field(default_factory=dict)
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
        if outcome in _ENDED:
            self.told[decision_id] = outcome, self.world.scheduler.now_s

    def _wrote_s(self, task: Task, decision_id: str) -> float:
        """When a task wrote for a decision last; one of several of a delivery has its own time."""
        written_s = self._written_s.get(task.name, 0.0)
        return self._written_for_s.get((task.name, decision_id), written_s)

    def begun_s(self, document: Any) -> float | None:
        """When the run of a decision was begun; None where it has none."""
        return self._begun_s.get(document["decision_id"])

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
        is_out = line is None or (not line.is_undo and self._end_of(line.decision_id) in _ENDED)
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
        self._check_chain(task, effect, line, before)
        self._check_caps(effect, line, before)
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

    def _end_of(self, decision_id: str) -> str | None:
        told, _ = self.told.get(decision_id, ("", 0.0))
        return told or self.records.outcomes.get(decision_id)

    def _check_chain(self, task: Task, effect: Effect, line: Line, before: Picture) -> None:
        decision_id = line.decision_id
        going = self._going(decision_id)
        told = self._end_of(decision_id)
        if not line.is_undo and told in _ENDED:
            self.broken("I7-forward", f"{decision_id} was {told}, and {task.name}: {effect}")
        if effect.kind == "set-groups" and effect.before and not effect.after:
            self.broken("I7-bare", f"{effect.subject} has no group: {decision_id}, {task.name}")
        if effect.kind == "delete-group":
            naming = set(before.naming(effect.subject)) - going - self.touched
            if naming and effect.subject not in self.touched:
                self.broken("I7-in-use", f"{effect.subject} is deleted; {naming} still has it")
            bound.check_delete(self, effect, line)
        self._check_pointed(effect, line)
        found = self.rows.run(decision_id)
        if found is None or found[0].startswith(TAKING_BACK) or line.is_undo:
            return
        if since.undone_by(found[1]):  # an operator has decided
            return
        modes = {one.get("mode", "enforce") for one in self.world.story.policies.values()}
        questions = self.rows.approved_by(decision_id)
        states = {state for state, _ in questions}
        is_needed = modes == {"approve"} or states & {"denied", "expired"}
        if is_needed and "approved" not in states:
            self.broken("I7-approval", f"{decision_id} is carried out and not approved: {effect}")
        # What somebody else did that it had intended, it takes for its own after a death.
        is_begun = any(
            (one.decision_id, one.state) == (decision_id, "done") for one in self.rows.lines()
        )
        if len(self.effects[decision_id]) == 1 and not is_begun:
            self._check_question(decision_id, found[1], self._locked.get(decision_id, before))

    def _check_pointed(self, effect: Effect, line: Line) -> None:
        """Nothing is made to name or carry a group that another plan is about to delete."""
        named = {effect.rule[2]} if effect.kind == "add-rule" else set()
        named |= set(effect.after) - set(effect.before)
        if line.is_undo or not named - {""}:
            return
        for other, plan in self.rows.open_runs():
            going = {one.change.group_id for one in planned_in(plan) if is_delete(one.change)}
            if other != line.decision_id and named & going:
                self.broken("I7-pointed", f"{effect}: {line.decision_id}, and {other} deletes it")

    def _check_question(self, decision_id: str, plan: AnyPlan, before: Picture) -> None:
        """What a yes covers: what a plan points to was as when it was asked.

        ``before`` is the cloud when its worker locked it, or took it over from one that died.
        """
        asked = [one for one in self.rows.question_ids(decision_id) if one in self._asked]
        if not asked:
            return
        then = self._asked[asked[-1]]
        for to_group in pointed_to(plan):
            if then.rules.get(to_group) != before.rules.get(to_group):
                words = f"{to_group} is not what it was when {asked[-1]} was asked"
                self.broken("I7-other-content", words)

    def _going(self, decision_id: str) -> set[str]:
        found = self.rows.run(decision_id)
        planned = planned_in(found[1]) if found else ()
        return {one.change.group_id for one in planned if is_delete(one.change)}

    def _check_caps(self, effect: Effect, line: Line, before: Picture) -> None:
        found = self.rows.run(line.decision_id)
        group_id = effect.subject
        if effect.kind != "remove-rule" or line.is_undo or found is None:
            return
        if group_id in self._going(line.decision_id) or group_id in self.touched:
            return
        policy = self.world.story.policies[self.world.policy_name]
        for port in policy.get("ports", [22]):
            if before.lets_in(group_id, port) and not self.picture.lets_in(group_id, port):
                self.broken("I3-way-in", f"{group_id} has no way in on {port}: {line.decision_id}")
        if found[0].startswith(TAKING_BACK) or len(self.world.story.policies) > 1:
            return
        earlier = [one for one, _ in self.effects[line.decision_id][:-1]]
        if any((one.kind, one.subject) == ("remove-rule", group_id) for one in earlier):
            return
        revoked = sum(
            one.step.action == "revoke" and one.change.group_id == group_id
            for one in planned_in(found[1])
        )
        total = sum(before.rules[group_id].values())
        if revoked * 100 > policy.get("percent", 100) * total:
            self.broken("I3-percent", f"{revoked} of {total} rules of {group_id} go")

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
            self._asked.setdefault(approval_id, self.picture)
        self._check_agreement(task, name)

    def _note(self, task: Task, name: str, decision_id: str) -> None:
        if name.startswith("intend"):
            self._intents[task.name] = decision_id
            self._check_driver(task, decision_id, "a change is intended")
        elif name == "lock" or self._takes_over(task, decision_id):
            self._locked[decision_id] = self.picture
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
