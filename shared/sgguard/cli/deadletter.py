"""``sgguard deadletter``: deliveries that could not be judged, shown, retried and dropped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any

import click

from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.options import JSON_OPTION, KEPT_TEXT, POLICY_OPTION, epilog
from sgguard.cli.output import line, print_json
from sgguard.cli.records import ZONE_OPTION, open_executor, store_location, when, with_store
from sgguard.errors import InputError
from sgguard.operations import trail
from sgguard.render.values import time_json
from sgguard.store.base import Store
from sgguard.store.dead_letters import DeadLetter
from sgguard.web import redelivery
from sgguard.web.redelivery import Redelivered

Json = dict[str, Any]

_FOUND = 1
_LIMIT_MAX = 1000
_IDS = click.argument("letters", metavar="LETTER...", type=KEPT_TEXT, nargs=-1)
_ALL = click.option("--all", "is_all", is_flag=True, help="Every letter there is.")


@group(
    short_help="List, show, retry and drop dead letters.",
    epilog=epilog(
        "sgguard deadletter list",
        "sgguard deadletter show 5f0c8e71",
        "sgguard deadletter retry 5f0c8e71",
        exit_codes="0 success, 1 still not judged (deadletter retry), 2 error",
    ),
)
def deadletter() -> None:
    """List, show, retry and drop deliveries of known callers that could not be judged.

    What is kept of one is what its source reads, without tokens, sessions and user data. It is
    forgotten as decisions are (SGGUARD_KEEP_DAYS).
    """


@deadletter.command(
    "list",
    short_help="List dead letters, newest first.",
    epilog=epilog("sgguard deadletter list", "sgguard deadletter list --caller bus --json"),
)
@click.option("--caller", default="", metavar="NAME", type=KEPT_TEXT, help="Only this caller's.")
@click.option(
    "--limit",
    type=click.IntRange(1, _LIMIT_MAX),
    default=50,
    show_default=True,
    help="How many at most.",
)
@ZONE_OPTION
@JSON_OPTION
def list_(caller: str, limit: int, zone: tzinfo | None, *, as_json: bool) -> None:
    """List dead letters: id, when and how often it came, function, caller and reason."""
    context, executor = open_executor()
    found = executor.store.dead_letters(caller=caller, limit=limit)
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        terminal.say(f"No dead letters in {store_location(context)}.")
    terminal.page(text for one in found for text in _lines(one, zone))


def _lines(one: DeadLetter, zone: tzinfo | None) -> Iterator[str]:
    times = "once" if one.times == 1 else f"{one.times} times"
    head = f"{one.letter_id}  {when(one.last_at_s, zone)}, {times}, {one.function} by {one.caller}"
    yield line(head)
    yield line(f"{one.status}: {one.reason}", 2)


@deadletter.command(
    short_help="Show one dead letter in full.",
    epilog=epilog("sgguard deadletter show 5f0c8e71", "sgguard deadletter show 5f0c8e71 --json"),
)
@click.argument("letter", metavar="LETTER", type=KEPT_TEXT)
@ZONE_OPTION
@JSON_OPTION
def show(letter: str, zone: tzinfo | None, *, as_json: bool) -> None:
    """Show one dead letter: why it was refused, with every problem, and what was kept of it.

    LETTER is its id, or the beginning of one where no other begins so.
    """
    _, executor = open_executor()
    one = _one(executor.store, letter)
    if as_json:
        print_json(_document(one, is_whole=True))
        return
    terminal.page(_shown(one, zone))


def _shown(one: DeadLetter, zone: tzinfo | None) -> Iterator[str]:
    yield from _lines(one, zone)
    yield line(f"first {when(one.first_at_s, zone)}; event {one.event_id or 'without an id'}", 2)
    for problem in json.loads(one.problems_json):
        right = f" (expected {problem['expected']})" if problem.get("expected") else ""
        yield line(f"{problem.get('path') or 'the body'} {problem.get('problem')}{right}", 2)
    yield line(f"headers: {one.headers_json}", 2)
    yield line(one.body or f"nothing of its body of {one.body_bytes} bytes was kept", 2)


@deadletter.command(
    short_help="Deliver dead letters again.",
    epilog=epilog(
        "sgguard deadletter retry 5f0c8e71",
        "sgguard deadletter retry --all",
        exit_codes="0 all were judged, 1 some were not, 2 error",
    ),
)
@_IDS
@_ALL
@POLICY_OPTION
@JSON_OPTION
def retry(letters: tuple[str, ...], policy: str | None, *, is_all: bool, as_json: bool) -> int:
    """Deliver letters to their function again, on your word that their caller sent them.

    The way is that of every delivery: the mode of the policy holds, and what was decided before
    is not decided again. A letter that is judged is dropped.
    """
    context = with_store(policy)
    store = context.store
    if store is None:
        raise InputError("there is no store")
    found: list[Redelivered] = []
    with _told_to_functions(policy):
        for one in _chosen(store, letters, is_all=is_all):
            with terminal.waiting(f"letter {one.letter_id}"):
                found.append(redelivery.redeliver(one, context, store))
            if not as_json:
                _say(found[-1])
    if as_json:
        print_json([_result(one) for one in found])
    return 0 if all(one.is_settled for one in found) else _FOUND


@contextmanager
def _told_to_functions(policy: str | None) -> Iterator[None]:
    """Put the policy, and that only errors are logged, where functions read it."""
    told = {} if policy is None else {"SGGUARD_POLICY": policy}
    if "SGGUARD_LOG_LEVEL" not in os.environ:
        told["SGGUARD_LOG_LEVEL"] = "ERROR"
    before = {name: os.environ[name] for name in told if name in os.environ}
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            os.environ.pop(name, None)
        os.environ.update(before)


def _say(one: Redelivered) -> None:
    words = "judged" if one.is_settled else f"not judged: {_detail(one)}"
    terminal.say(line(f"{one.letter.letter_id}  {words}"))


def _detail(one: Redelivered) -> str:
    detail = one.answer.get("detail") if isinstance(one.answer, dict) else None
    return str(detail or one.letter.reason)


def _result(one: Redelivered) -> Json:
    return {
        "letter": one.letter.letter_id,
        "settled": one.is_settled,
        "status": one.status,
        "answer": one.answer,
    }


@deadletter.command(
    short_help="Forget dead letters.",
    epilog=epilog("sgguard deadletter drop 5f0c8e71", "sgguard deadletter drop --all"),
)
@_IDS
@_ALL
@JSON_OPTION
def drop(letters: tuple[str, ...], *, is_all: bool, as_json: bool) -> None:
    """Forget letters: what they told is not judged here."""
    _, executor = open_executor()
    store = executor.store
    dropped = [
        one.letter_id
        for one in _chosen(store, letters, is_all=is_all)
        if store.drop_dead_letter(one.letter_id)
    ]
    if as_json:
        print_json({"dropped": dropped})
    else:
        terminal.say(f"Dropped: {', '.join(dropped) or 'nothing'}.")


def _chosen(store: Store, given: Sequence[str], *, is_all: bool) -> list[DeadLetter]:
    if is_all is bool(given):
        raise click.UsageError("Name letters, or all of them with --all.")
    if is_all:
        return list(store.dead_letters(limit=_LIMIT_MAX))
    return list({one.letter_id: one for one in (_one(store, each) for each in given)}.values())


def _one(store: Store, given: str) -> DeadLetter:
    whole = trail.whole_letter_id(store, given)
    found = store.dead_letter(whole)
    if found is None:
        raise InputError(f"there is no dead letter {whole}")
    return found


def _document(one: DeadLetter, *, is_whole: bool = False) -> Json:
    more = {
        "headers": json.loads(one.headers_json),
        "body": json.loads(one.body) if one.body else None,
        "problems": json.loads(one.problems_json),
    }
    return {
        "letter": one.letter_id,
        "function": one.function,
        "caller": one.caller,
        "event_id": one.event_id,
        "status": one.status,
        "reason": one.reason,
        "times": one.times,
        "first_at": _time(one.first_at_s),
        "last_at": _time(one.last_at_s),
        "body_bytes": one.body_bytes,
        "is_kept": bool(one.body),
        **(more if is_whole else {}),
    }


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))
