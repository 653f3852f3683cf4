"""``sgguard resume``: finish or roll back plans that were interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

import click

from sgguard.cli import failure, terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import ERROR, EXIT_CODES
from sgguard.cli.failure import until_done
from sgguard.cli.interrupt import interruptible
from sgguard.cli.options import (
    AS_OPTION,
    JSON_OPTION,
    KEPT_TEXT,
    LANGUAGE_OPTION,
    POLICY_OPTION,
    epilog,
    kept,
)
from sgguard.cli.output import bounded, print_json, print_outcome
from sgguard.cli.records import (
    format_duration,
    open_executor,
    store_location,
    user_name,
    with_store,
)
from sgguard.engine.execute import Executor
from sgguard.errors import SettingsError, SgguardError
from sgguard.model.codes import Verdict
from sgguard.model.sentence import as_sentence
from sgguard.operations import resume as operation
from sgguard.operations import trail
from sgguard.operations.open_end import Unresolved
from sgguard.operations.progress import state_of, watched
from sgguard.operations.unresolved import everything
from sgguard.render.language.message import of_document
from sgguard.render.language.sentence import WHOLE, in_words
from sgguard.render.language.text import EVERYTHING, compose
from sgguard.render.language.words import Words
from sgguard.render.outcome import notes_in
from sgguard.store.base import Store

Json = dict[str, Any]


@command(
    short_help="Finish or roll back interrupted plans.",
    epilog=epilog(
        "sgguard resume",
        "sgguard resume 5f0c8e71…",
        "sgguard resume --list --json",
        "sgguard resume --list --lang zh",
        'sgguard resume 5f0c8e71… --accept --as ada --reason "repaired by hand"',
        exit_codes="0 nothing is left open, 1 a plan needs an operator or is accepted, 2 error",
    ),
)
@click.argument("decision", metavar="[DECISION]", required=False, type=KEPT_TEXT)
@click.option(
    "--accept",
    "is_accepted",
    is_flag=True,
    help="End DECISION as it is, without changes; its groups may be changed again.",
)
@click.option("--reason", default="", help="Why it is accepted; kept with the decision.")
@click.option(
    "--list",
    "is_list",
    is_flag=True,
    help="Only list what is not at its end, why, and what will happen to it.",
)
@AS_OPTION
@POLICY_OPTION
@LANGUAGE_OPTION
@JSON_OPTION
def resume(
    decision: str | None,
    reason: str,
    by: str,
    policy: str | None,
    language: str,
    *,
    is_accepted: bool,
    is_list: bool,
    as_json: bool,
) -> int:
    """Resume every plan whose process ended before it was done, or only DECISION.

    A plan that can continue is finished; one that cannot is rolled back. Where the rollback fails
    too, the plan is stuck: it is listed with what is left to undo, and tried again only when it
    is named. Until then no other plan may change its groups.

    Afterwards everything that is not at its end is listed on standard error, with why and what
    will happen next: plans, approval requests, and events without an answer. --list only lists.
    With --accept any plan is ended as it is, also one that another sgguard wrote or whose cloud
    cannot be asked: nothing is changed, and who did that and why is kept.

    Where the policy or a setting cannot be used, what is open is listed and nothing is resumed.
    """
    words = Words(language, UTC)
    if is_accepted:
        if decision is None or is_list:
            raise click.UsageError("--accept needs a DECISION, and not --list.")
        return _accept(decision, by, reason, words, as_json=as_json)
    if is_list:
        if decision is not None:
            raise click.UsageError("--list takes no DECISION.")
        return _listed(words, as_json=as_json)
    try:
        with_store(policy)
    except SettingsError as error:
        if _list_left(words, is_always=False) or decision is not None:
            terminal.note(words.say("open.mend-first"))
            raise
        failure.report_error(error)  # which keeps nothing from being resumed
        return _all(policy, words, as_json=as_json)
    if decision is not None:
        decision = _whole(Executor.of(with_store(policy)).store, decision)
        return _ended([_resumed(decision, policy)], words, as_json=as_json)
    return _all(policy, words, as_json=as_json)


def _accept(decision: str, by: str, reason: str, words: Words, *, as_json: bool) -> int:
    """End a decision: the store is enough, and how long it keeps what has ended."""
    who = user_name(by)
    context, executor = open_executor(needs=("SGGUARD_KEEP_DAYS",))
    decision = _whole(executor.store, decision)
    found = operation.accept(decision, context, by=who, why=kept(reason.strip()))
    return _ended([found], words, as_json=as_json)


def _whole(store: Store, given: str) -> str:
    """Return the whole id of a decision; a run may be kept without its decision."""
    return given if store.run(given) is not None else trail.whole_decision_id(store, given)


def _resumed(decision_id: str, policy: str | None) -> Json:
    context = watched(with_store(policy), terminal.watched_progress)

    def again() -> Json:
        return operation.resume(decision_id, watched(with_store(policy), terminal.watched_progress))

    with interruptible(lambda: state_of(Executor.of(context).store, decision_id)):
        return until_done(again, f"the cloud of decision {decision_id}")


def _all(policy: str | None, words: Words, *, as_json: bool) -> int:
    """Resume one after the other; one that fails does not keep the others from being resumed."""
    context, executor = open_executor()
    done: list[Json] = []
    has_failed = False
    for one in operation.unresolved(context):
        if one.needs_operator:
            continue
        age = _age(executor.store.now_s() - one.since_s, words)
        terminal.note(words.say("open.resuming", decision=one.decision_id, age=age))
        try:
            done.append(_resumed(one.decision_id, policy))
        except SgguardError as error:
            has_failed = True
            failure.report_error(error)
    code = _ended(done, words, as_json=as_json)
    left = _list_left(words, is_always=not done and not has_failed and not as_json)
    needs_operator = any(one.needs_operator for one in left)
    return ERROR if has_failed else (EXIT_CODES[Verdict.BLOCK] if needs_operator else code)


def _listed(words: Words, *, as_json: bool) -> int:
    """List what is not at its end; with 1 where something needs an operator."""
    context, executor = open_executor()
    found = everything(context)
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        now_s = executor.store.now_s()
        lines = [line for one in found for line in _lines(one, now_s, words)]
        terminal.page(lines or [words.say("open.nothing", store=store_location(context))])
    needs_operator = any(one.needs_operator for one in found)
    return EXIT_CODES[Verdict.BLOCK if needs_operator else Verdict.ALLOW]


def _list_left(words: Words, *, is_always: bool) -> tuple[Unresolved, ...]:
    """List what is not at its end on standard error, from the store alone, and return it.

    With ``is_always`` it is also said that nothing is.

    Raises:
        SettingsError: there is no store to read.
    """
    context, executor = open_executor()
    found = everything(context)
    now_s = executor.store.now_s()
    for one in found:
        for line in _lines(one, now_s, words):
            terminal.note(line)
    if not found and is_always:
        terminal.say(words.say("open.nothing", store=store_location(context)))
    return found


def _lines(one: Unresolved, now_s: float, words: Words) -> list[str]:
    """Return one thing that is not at its end: what and where, why, and what is next."""
    head = words.say(
        "open.head.approval" if one.approval_id else "open.head",
        state=words.say(f"open.state.{one.state}"),
        approval=one.approval_id,
        decision=one.decision_id,
        where=words.items(one.target),
        age=_age(now_s - one.since_s, words),
    )
    why, then = (in_words(as_sentence(text), words, WHOLE) for text in (one.cause, one.then))
    return [head, words.say("open.why", text=why), words.say("open.next", text=then)]


def _age(seconds: float, words: Words) -> str:
    number, _, unit = format_duration(seconds).partition(" ")
    return words.say(f"span.{unit}", n=number)


def _ended(found: Sequence[Json], words: Words, *, as_json: bool) -> int:
    if as_json:
        print_json([bounded(one) for one in found])
    for one in () if as_json else found:
        if words.language == "en":
            print_outcome(one)
        else:
            terminal.page(_told(one, words))
    is_left = any(one["outcome"] in ("partly-undone", "accepted") for one in found)
    return EXIT_CODES[Verdict.BLOCK if is_left else Verdict.ALLOW]


def _told(document: Json, words: Words) -> Iterator[str]:
    """Yield what became of a decision as chat messages tell it, whole, and its note."""
    _, executor = open_executor()
    record = executor.store.decision(document["decision_id"])
    requester = record.requester if record is not None else ""
    whole = compose(of_document(document, requester), words, EVERYTHING)
    yield whole.title
    yield from whole.joined(words)
    for note in notes_in(document, words) if document["note"] else ():
        yield words.say("line", label=words.say("page.note"), text=note)
