"""What bind, unbind and undo share on the command line: rows, question, bar, exit codes."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sgguard.cli import terminal
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.failure import until_done
from sgguard.cli.interrupt import interruptible, is_confirmed
from sgguard.cli.options import from_options
from sgguard.cli.output import print_json
from sgguard.cli.records import store_location
from sgguard.engine.bind_decide import BindDecided
from sgguard.engine.context import Context
from sgguard.errors import InputError
from sgguard.model.codes import Mode, Outcome, Verdict
from sgguard.operations.progress import state_of
from sgguard.render.bind import HOLDERS_MAX, holder_lines
from sgguard.render.wording import count
from sgguard.store.rows import OpenClaim

Json = dict[str, Any]
Report = Callable[[int, int], None]
Work = Callable[[Context, Report], Json]

_WAITS = 3
_BAR = 30


@dataclass(slots=True)
class Bar:
    """A bar with rate and remaining time on standard error; none where that is no terminal."""

    clock: Callable[[], float] = time.monotonic
    begun_s: float | None = None
    first: int = 0
    shown: int = field(default=0, repr=False)

    def __call__(self, done: int, total: int) -> None:
        """Show how many of the holders are over.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed, and what it raised then was lost.
        """
        if self.begun_s is None:
            self.begun_s, self.first = self.clock(), done
        stream = sys.stderr
        if stream is not None and stream.isatty() and not terminal.is_quiet():
            text = self.text(done, total)[: max(20, shutil.get_terminal_size().columns - 1)]
            stream.write(f"\r{text.ljust(self.shown)}")
            stream.flush()
            self.shown = len(text)
        terminal.raise_interrupt()

    def text(self, done: int, total: int) -> str:
        """Return the line: bar, numbers, holders a second, seconds that are left."""
        full = _BAR * done // max(1, total)
        line = f"[{'#' * full}{'.' * (_BAR - full)}] {done}/{total}"
        spent_s = self.clock() - (self.begun_s or 0.0)
        rate = (done - self.first) / spent_s if spent_s > 0 else 0.0
        if rate <= 0:
            return line
        return f"{line}  {rate:.0f}/s  {(total - done) / rate:.0f} s left"

    def end(self) -> None:
        """Leave the bar where it is, on a line of its own."""
        if self.shown:
            sys.stderr.write("\n")
            sys.stderr.flush()
            self.shown = 0


def shown(document: Json, *, is_whole: bool = False) -> Iterator[str]:
    """Yield the lines of a bind: verdict, counts, reasons, and each holder that is not good."""
    part = document["bind"]
    counts = part["counts"]
    yield f"{document['verdict'].upper()}  {part['action']} {part['group']}"
    told = [f"{counts[one]} {one}" for one in counts if one != "holders" and counts[one]]
    yield f"  {count(counts['holders'], 'holder')}: {', '.join(told) or 'none'}"
    for reason in document["reasons"]:
        yield f"  {reason['effect']}: {reason['message']}"
    most = None if is_whole else HOLDERS_MAX
    yield from (f"  {one}" for one in holder_lines(part, most))


def show(document: Json, *, is_preview: bool = False) -> None:
    """Write a bind as text; a preview of --json goes to standard error."""
    lines = "\n".join(shown(document, is_whole=terminal.is_verbose()))
    if is_preview:
        terminal.complain(lines)
    else:
        terminal.say(lines, head=(document["verdict"].upper(), document["verdict"]))


def confirmed(decided: BindDecided, context: Context, *, as_json: bool) -> bool:
    """Show what would be done, and ask; a plan that waits for an approval is asked for as well."""
    show(decided.document, is_preview=as_json)
    number = len(decided.plan.targets) if decided.plan else 0
    where = store_location(context)
    if decided.mode is Mode.APPROVE:
        return is_confirmed(f"Request an approval for {count(number, 'holder')} (in {where})?")
    return is_confirmed(f"Change {count(number, 'holder')} (journalled in {where})?")


def same_as(shown_then: BindDecided) -> Callable[[BindDecided], None]:
    """Return what refuses another plan than the one that was confirmed."""

    def require(now: BindDecided) -> None:
        if _plan(now) != _plan(shown_then):
            raise InputError(
                "the facts have changed since the plan was shown: nothing was done; run the "
                "command again to see the new plan"
            )

    return require


def _plan(decided: BindDecided) -> tuple[str, frozenset[str], str]:
    holders = decided.plan.targets if decided.plan else ()
    return decided.mode.value, frozenset(one.holder_id for one in holders), decided.covered


def carried_out(work: Work, policy: str | None, where: str) -> Json:
    """Do the work with a bar, again and again until only its deadline no longer ends it."""
    bar = Bar()
    first = from_options(policy, makes_store=True)
    before = _open_ids(first)
    with interruptible(lambda: _state(first, before)):
        try:
            return until_done(lambda: work(from_options(policy, makes_store=True), bar), where)
        finally:
            bar.end()


def _open_ids(context: Context) -> frozenset[str]:
    if context.store is None:
        return frozenset()
    return frozenset(one.decision_id for one in context.store.open_claims())


def _state(context: Context, before: frozenset[str]) -> str:
    """Return what is true after Ctrl-C, and how to go on."""
    store = context.store
    if store is None:
        return "nothing was changed"
    mine: Sequence[OpenClaim] = [
        one for one in store.open_claims() if one.decision_id not in before
    ]
    if not mine:
        return "nothing was changed"
    return state_of(store, mine[-1].decision_id)


def ended(document: Json, *, as_json: bool) -> int:
    """Print what became of a bind, and return the exit code."""
    if as_json:
        print_json(document)
    else:
        terminal.say(f"{document['outcome']}: decision {document['decision_id']}")
        if document["note"]:
            terminal.say(document["note"])
        show(document)
        if document["outcome"] == Outcome.REMEDIATED:
            terminal.say(f"To take it back: sgguard undo {document['decision_id']}")
    return code_of(document)


def code_of(document: Json) -> int:
    """Return 0 where every holder is as asked, 3 where a plan was not begun, else 1."""
    counts = document["bind"]["counts"]
    if document["outcome"] == Outcome.PENDING or (
        document["outcome"] == Outcome.UNCHANGED and counts["planned"]
    ):
        return _WAITS
    is_whole = counts["done"] + counts["nothing"] == counts["holders"] and counts["holders"]
    is_good = is_whole and document["verdict"] != Verdict.BLOCK
    return EXIT_CODES[Verdict.ALLOW if is_good else Verdict.BLOCK]
