"""How far a plan is, read from its journal."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from sgguard.model.change import Change
from sgguard.model.sending import UNSENT
from sgguard.model.sentence import Text, together
from sgguard.remedy.plan import Plan
from sgguard.render.kept import notes_kept
from sgguard.store import codec
from sgguard.store.rows import Entry, EntryState, Settled


class Progress(msgspec.Struct):
    """Which steps of a plan are done, according to its journal.

    ``made`` are the new ids of groups that were created again, by their old ones.
    ``indeterminate`` are the steps of which it cannot be known any more whether they were done,
    with what is there now: their lines stay ``intended``. ``is_undoing`` tells that the plan is
    being undone; ``failure`` why, ``against`` what was seen that a delete must not meet.
    ``unwritten`` is what came of changes and is not written yet.
    """

    entries: list[Entry] = msgspec.field(default_factory=list)
    done: set[int] = msgspec.field(default_factory=set)
    made: dict[str, str] = msgspec.field(default_factory=dict)
    indeterminate: dict[int, Text] = msgspec.field(default_factory=dict)
    is_undoing: bool = False
    failure: Text = ""
    against: Text = ""
    unwritten: list[Settled] = msgspec.field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, entries: Sequence[Entry]) -> Progress:
        """Read the journal of a plan.

        Raises:
            ValueError: the journal has a step that the plan has not.
        """
        progress = cls()
        for entry in entries:
            if not 0 <= entry.step < len(plan.planned):
                raise ValueError(f"the journal has step {entry.step} of {len(plan.planned)}")
            progress.intended(entry)
            if entry.state != "intended":
                is_done = entry.state in ("done", "undone")
                progress.settled(entry, is_done=is_done, made=entry.made_id)
        if progress.is_undoing:
            progress.failure = _why(entries)
        return progress

    def is_done(self, step: int) -> bool:
        """Whether the step's change is made, and not undone."""
        return step in self.done

    def was_tried(self, entry: Entry) -> bool:
        """Whether the same change was sent before: that call may have been executed late."""
        return any(
            one.step == entry.step
            and one.is_undo == entry.is_undo
            and one.number < entry.number
            and not one.note.startswith(UNSENT)
            for one in self.entries
        )

    def unsettled(self) -> tuple[Entry, ...]:
        """Return the lines whose outcome is not written down: their worker stopped in between."""
        return tuple(entry for entry in self.entries if entry.state == "intended")

    def next_entry(self, decision_id: str, step: int, change_json: str, is_undo: bool) -> Entry:  # noqa: FBT001 - it is what the entry says
        """Return the journal's next line, not written yet."""
        number = self.entries[-1].number + 1 if self.entries else 0
        return Entry(decision_id, number, step, change_json, is_undo)

    def intended(self, entry: Entry) -> None:
        """Note that the line was written."""
        self.entries.append(entry)
        self.is_undoing = self.is_undoing or entry.is_undo

    def settled(self, entry: Entry, *, is_done: bool, made: str = "") -> EntryState:
        """Note the outcome of a line; return the state to write down.

        ``made`` is the id of the group it made, if it made one.
        """
        state: EntryState = ("undone" if entry.is_undo else "done") if is_done else "not-done"
        position = next(n for n, one in enumerate(self.entries) if one.number == entry.number)
        self.entries[position] = replace(entry, state=state)
        if is_done and entry.is_undo:
            self.done.discard(entry.step)
        elif is_done:
            self.done.add(entry.step)
            if made:
                self.made[codec.load(Change, entry.change_json).group_id] = made
        return state

    def undone(self, step: int) -> None:
        """Note that the step is undone already, by another user or an earlier call."""
        self.done.discard(step)


def _why(entries: Sequence[Entry]) -> Text:
    """Return the last note on a change that was never made; others of its wave may have been."""
    forward = [entry for entry in entries if not entry.is_undo]
    made = {entry.step for entry in forward if entry.state == "done"}
    notes = [entry.note for entry in forward if entry.note and entry.step not in made]
    return together(notes_kept(notes[-1])) if notes else ""
