"""What the simulator reads of a store: the only place that knows its tables."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import is_
from typing import Any, TypeVar

from sgguard.model.bind import BindPlan
from tests.sim.journal import AnyPlan, Line, Lines

T = TypeVar("T")
Read = Callable[..., list[tuple[Any, ...]]]

_LINES = """
SELECT e.decision_id, e.number, e.change_json, e.is_undo, e.state, e.made_id
FROM sgguard_entries e ORDER BY e.decision_id, e.number
"""
_OUTCOMES = "SELECT decision_id, outcome FROM sgguard_decisions ORDER BY at_s, decision_id"
_STATES = """
SELECT r.decision_id, r.state, d.outcome, d.guard
FROM sgguard_runs r LEFT JOIN sgguard_decisions d ON d.decision_id = r.decision_id
ORDER BY r.decision_id
"""
_QUESTIONS = """
SELECT a.approval_id, a.decision_id, d.outcome
FROM sgguard_approvals a LEFT JOIN sgguard_decisions d ON d.decision_id = a.decision_id
WHERE a.state = 'pending' ORDER BY a.approval_id
"""
_UNASKED = """
SELECT d.decision_id FROM sgguard_decisions d
WHERE d.outcome = 'pending' AND NOT EXISTS (SELECT 1 FROM sgguard_approvals a
    WHERE a.decision_id = d.decision_id AND a.state = 'pending')
ORDER BY d.decision_id
"""
_UNKEPT = """
SELECT c.event_id, c.answer_json
FROM sgguard_claims c LEFT JOIN sgguard_decisions d ON d.decision_id = c.decision_id
WHERE c.state = 'answered' AND d.decision_id IS NULL ORDER BY c.event_id
"""
_NOTICES = "SELECT decision_id, version FROM sgguard_outbox WHERE kind = 'chat'"
_UNENDED = """
SELECT decision_id FROM sgguard_runs WHERE state IN ('asked', 'open', 'stuck')
UNION SELECT decision_id FROM sgguard_approvals WHERE state = 'pending'
"""
_AFTER_EACH = (_OUTCOMES, _STATES, _QUESTIONS, _UNASKED, _UNKEPT, _NOTICES)
_KEYS = {
    "runs": "decision_id, state",
    "entries": "decision_id, number",
    "decisions": "decision_id, outcome",
    "targets": "decision_id, target",
    "approvals": "approval_id, state",
    "claims": "source, event_id",
    "locks": "name, decision_id",
}

FITTING = {
    "finished": {"remediated", "accepted"},
    "undone": {"undone"},
    "stuck": {"partly-undone"},
    "open": {"unfinished", "partly-undone"},
    "accepted": {"accepted", "partly-undone"},
    "asked": {"pending"},
    "refused": {"refused", "superseded"},
}
"""The outcomes that a record may have beside each state of its run."""

TAKING_BACK = ("restore", "undo")
"""How the sources of runs begin that nobody needs to approve and no cap holds back."""


@lru_cache(maxsize=512)
def tables_of(statement: str) -> tuple[str, ...]:
    """The tables that a statement names."""
    return tuple(sorted(set(re.findall(r"sgguard_[a-z_]+", statement))))


class Rows:
    """Reads a store between the points of the workers.

    ``written`` counts by table what was written there: what was read is read again only where its
    tables have changed. None where nobody counts. ``read_all`` reads several statements without
    values at once, where that takes less.
    """

    def __init__(
        self,
        read: Read,
        written: Counter[str] | None = None,
        read_all: Callable[[list[str]], list[list[tuple[Any, ...]]]] | None = None,
    ) -> None:
        self._read_now = read
        self._read_all = read_all
        self._written = written
        self._known: dict[object, tuple[tuple[int, ...], list[tuple[Any, ...]]]] = {}
        self._made: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self._journal = Lines()

    def version(self) -> int | None:
        """Another number after each transaction that wrote something; None if nobody counts."""
        return None if self._written is None else self._written.total()

    def _read(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        if self._written is None:
            return self._read_now(statement, **values)
        key = (statement, *values.values()) if values else statement
        version = self._version_of(statement)
        known = self._known.get(key)
        if known is None or known[0] != version:
            known = self._known[key] = version, self._read_now(statement, **values)
        return known[1]

    def refresh(self) -> None:
        """Read all that is looked at after each transaction, in one go; what is known is not."""
        if self._written is None or self._read_all is None:
            return
        stale = [one for one in _AFTER_EACH if not self._is_known(one)]
        for statement, found in zip(stale, self._read_all(stale) if stale else (), strict=True):
            self._known[statement] = self._version_of(statement), found

    def _version_of(self, statement: str) -> tuple[int, ...]:
        assert self._written is not None
        return tuple(map(self._written.__getitem__, tables_of(statement)))

    def _is_known(self, statement: str) -> bool:
        known = self._known.get(statement)
        return known is not None and known[0] == self._version_of(statement)

    def _once(self, name: str, make: Callable[..., T], *found: Any) -> T:
        """What is made of rows that were read; the same for the very same rows."""
        known = self._made.get(name)
        if known is None or not all(map(is_, known[0], found)):
            known = self._made[name] = found, make(*found)
        made: T = known[1]
        return made

    def lines(self) -> list[Line]:
        """Every line of every journal."""
        return self._once("lines", self._lines, self._read(_LINES))

    def _lines(self, found: list[tuple[Any, ...]]) -> list[Line]:
        return [
            Line(decision_id, number, self._journal.change(text), bool(is_undo), state, made)
            for decision_id, number, text, is_undo, state, made in found
        ]

    def outcomes(self) -> dict[str, str]:
        """The outcome of every decision, the oldest first."""
        return self._once("outcomes", dict, self._read(_OUTCOMES))

    def restorable(self) -> list[str]:
        """The decisions that removed something and are no restores, the oldest first."""
        found = self._read(
            "SELECT decision_id FROM sgguard_decisions WHERE outcome = 'remediated'"
            " AND guard <> 'restore' ORDER BY at_s, decision_id"
        )
        return [decision_id for (decision_id,) in found]

    def states(self) -> list[tuple[str, str, str | None, str | None]]:
        """Every run: its decision, its state, the outcome of its decision and what judged it."""
        return self._read(_STATES)  # type: ignore[return-value]

    def questions(self) -> list[tuple[str, str, str | None]]:
        """Every open question: its id, its decision, the outcome of that."""
        return self._read(_QUESTIONS)  # type: ignore[return-value]

    def unasked(self) -> list[str]:
        """The decisions that wait for an answer nobody is asked for."""
        return [decision_id for (decision_id,) in self._read(_UNASKED)]

    def unkept(self) -> list[str]:
        """The events that were answered with a verdict that no record has."""
        return [event_id for event_id, text in self._read(_UNKEPT) if '"verdict"' in text]

    def notices(self) -> dict[str, int]:
        """By decision how often its message was written into the outbox."""
        return self._once("notices", dict, self._read(_NOTICES))

    def approved_by(self, decision_id: str) -> list[tuple[str, str]]:
        """The state of every question of a decision, and who resolved it."""
        return self._read(  # type: ignore[return-value]
            "SELECT state, resolved_by FROM sgguard_approvals WHERE decision_id = :decision_id",
            decision_id=decision_id,
        )

    def acts(self, approval_id: str) -> list[tuple[str, str]]:
        """The acts of clicks about a question that were handed over: state, and what went wrong."""
        return self._read(  # type: ignore[return-value]
            "SELECT state, problem FROM sgguard_outbox WHERE order_key = :order_key",
            order_key=f"approve:{approval_id}",
        )

    def state_of(self, approval_id: str) -> str:
        """The state of a question."""
        found = self._read(
            "SELECT state FROM sgguard_approvals WHERE approval_id = :approval_id",
            approval_id=approval_id,
        )
        return str(found[0][0]) if found else ""

    def document(self, decision_id: str) -> Any:
        """The document of a decision."""
        found = self._read(
            "SELECT document_json FROM sgguard_decisions WHERE decision_id = :decision_id",
            decision_id=decision_id,
        )
        return json.loads(found[0][0])

    def is_waiting(self, kinds: Sequence[str]) -> bool:
        """Whether a notice of one of these kinds is not at its end."""
        found = self._read("SELECT kind FROM sgguard_outbox WHERE state = 'waiting'")
        return any(kind in kinds for (kind,) in found)

    def question_ids(self, decision_id: str) -> list[str]:
        """The questions of a decision that were approved."""
        found = self._read(
            "SELECT approval_id FROM sgguard_approvals"
            " WHERE decision_id = :decision_id AND state = 'approved'",
            decision_id=decision_id,
        )
        return [approval_id for (approval_id,) in found]

    def expired(self) -> list[str]:
        """The questions that have expired."""
        found = self._read(
            "SELECT approval_id FROM sgguard_approvals WHERE state = 'expired' ORDER BY approval_id"
        )
        return [approval_id for (approval_id,) in found]

    def needed(self) -> set[tuple[str, ...]]:
        """Every row of what is under way, asked about or stuck, by its table and key."""
        held = self._read_now(  # asks for the time, too
            "SELECT source, event_id FROM sgguard_claims"
            " WHERE state = 'working' AND lease_until_s > :now"
        )
        open_ones = f"SELECT decision_id FROM ({_UNENDED}) AS unended"
        return {("claims", *map(str, row)) for row in held} | {
            (table, *map(str, row))
            for table, key in _KEYS.items()
            for row in self._read(
                f"SELECT {key} FROM sgguard_{table} WHERE decision_id IN ({open_ones})"
            )
        }

    def targets(self, decision_id: str) -> list[str]:
        """The ids of the groups or instances that a decision is about."""
        found = self._read(
            "SELECT target_json FROM sgguard_decisions WHERE decision_id = :decision_id",
            decision_id=decision_id,
        )
        return [one.rpartition(":")[2] for (text,) in found for one in json.loads(text)]

    def run(self, decision_id: str) -> tuple[str, AnyPlan] | None:
        """The source of a run and its plan; None where there is none."""
        found = self._read(
            "SELECT source, plan_json FROM sgguard_runs WHERE decision_id = :decision_id",
            decision_id=decision_id,
        )
        for source, text in found:
            if not text:  # only asked about so far
                return None
            return source, self._journal.plan(text)
        return None

    def open_runs(self) -> list[tuple[str, AnyPlan]]:
        """Every run that is under way, and its plan."""
        found = self._read("SELECT decision_id FROM sgguard_runs WHERE state = 'open'")
        runs = [(decision_id, self.run(decision_id)) for (decision_id,) in found]
        return [(decision_id, run[1]) for decision_id, run in runs if run is not None]

    def binds(self) -> list[tuple[str, BindPlan]]:
        """Every run of a bind, open or not, and its plan."""
        found = self._read("SELECT decision_id FROM sgguard_runs ORDER BY decision_id")
        runs = [(decision_id, self.run(decision_id)) for (decision_id,) in found]
        return [(one, run[1]) for one, run in runs if run and isinstance(run[1], BindPlan)]

    def made(self) -> dict[str, str]:
        """The ids of groups that were created again, by their old ones."""
        return self._once("made", _made, self.lines())

    def disagreements(self) -> list[str]:
        """Where record, run and question do not agree."""
        found = map(self._read, (_STATES, _QUESTIONS, _UNASKED, _UNKEPT))
        return self._once("disagreements", lambda *_: list(self._disagreements()), *found)

    def _disagreements(self) -> Iterator[str]:
        for decision_id, state, outcome, guard in self.states():
            is_accepted = state == "finished" and outcome == "partly-undone"
            is_for_nobody = (guard, state, outcome) == ("bind", "finished", "unchanged")
            if not (is_accepted or is_for_nobody) and outcome not in FITTING[state]:
                yield f"the run of {decision_id} is {state}, its record {outcome}"
        for approval_id, decision_id, outcome in self.questions():
            if outcome != "pending":
                yield f"{approval_id} is open, and {decision_id} is {outcome}"
        for decision_id in self.unasked():
            yield f"{decision_id} is pending, and nobody is asked"
        for event_id in self.unkept():
            yield f"{event_id} is answered, and there is no record"


def _made(lines: list[Line]) -> dict[str, str]:
    return {one.change.group_id: one.made_id for one in lines if one.made_id}
