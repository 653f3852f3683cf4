"""``sgguard replay``: a saved event judged on this machine, observing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sgguard import events
from sgguard.cli import failure, terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import EXIT_CODES, HELP
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import WORST_FIRST, bounded, line, print_decision, print_json
from sgguard.engine import cloud_event
from sgguard.errors import EventError, InputError
from sgguard.events import native, request
from sgguard.events.base import Kind
from sgguard.model.codes import Verdict
from sgguard.model.event import Event
from sgguard.render.language.refusal import problem_json

Json = dict[str, Any]

_KIND = Kind("cloud_event", "", cloud_event.TYPE, cloud_event.EVERYTHING)
_DEFAULT = {"content-type": "application/json"}


@command(
    short_help="Judge a saved event of a cloud, observing.",
    epilog=epilog(
        "sgguard replay event.json",
        "sgguard replay event.json --source alibaba-actiontrail --json | jq '.answers[].reason'",
        "sgguard replay body.json --headers headers.txt",
        exit_codes=HELP,
    ),
)
@click.argument("event", metavar="EVENT.json", type=click.Path())
@click.option(
    "--headers",
    type=click.Path(),
    metavar="FILE",
    help="The headers of the delivery: lines of `Name: value`, or a JSON object.",
)
@click.option("--source", metavar="NAME", help="Read it as an event of this source only.")
@POLICY_OPTION
@JSON_OPTION
def replay(
    event: str, headers: str | None, source: str | None, policy: str | None, *, as_json: bool
) -> int:
    """Judge a saved event of a cloud as the function cloud_event would, changing nothing.

    The cloud, or the emulator, is read as it is now. Nothing is kept: a later delivery of the same
    event is judged afresh. What was kept of the group before is compared with, where there is a
    store.
    """
    content = _content(event)
    given = _headers(headers) if headers is not None else _DEFAULT
    delivery = native.read(given, content, _KIND, _sources(source))
    items = () if delivery is None else delivery.items
    context = from_options(policy)
    told = [(one, request.occurrence(one.data)) for one in items if isinstance(one, Event)]
    if source is not None and any(one.source == native.FOREIGN for _, one in told):
        raise InputError(f"{event}: is no event of {source}")
    with terminal.waiting(", ".join(sorted({one.source for _, one in told}))):
        found = cloud_event.judge([(one, item) for item, one in told], context, context.store)
    answers = iter(found)
    outcomes = [one if isinstance(one, EventError) else next(answers) for one in items]
    return _print(outcomes, as_json=as_json)


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        remedy = "check the name, and that this user may read it"
        raise InputError(f"{path}: cannot be read: {error.strerror}: {remedy}") from error


def _headers(path: str) -> dict[str, str]:
    """Return headers by lower-case name; lines that are none, such as a status line, are ignored.

    Raises:
        InputError: the file cannot be read, or has no header.
    """
    text = _content(path).decode("latin-1")
    try:
        document = json.loads(text)
    except ValueError:
        lines = (line.partition(":") for line in text.splitlines())
        document = {name: value for name, colon, value in lines if colon}
    if not isinstance(document, dict) or not document:
        raise InputError(f"{path}: has no headers (expected lines such as content-type: …)")
    return {str(name).strip().lower(): str(value).strip() for name, value in document.items()}


def _sources(name: str | None) -> Sequence[native.CloudSource]:
    known = events.cloud_sources()
    if name is None:
        return known
    found = [one for one in known if name.replace("_", "-") == one.NAME]
    if not found:
        names = ", ".join(one.NAME for one in known)
        raise click.UsageError(f"--source {name}: expected one of {names}")
    return found


# -- what is printed -------------------------------------------------------------------------------


def _print(outcomes: Sequence[Json | Exception], *, as_json: bool) -> int:
    """Print every answer and report every error; return the exit code of the worst."""
    answers = [one for one in outcomes if not isinstance(one, Exception)]
    errors = [one for one in outcomes if isinstance(one, Exception)]
    for one in answers:
        # Nothing was kept: nobody could look these ids up.
        one["decisions"] = [{**each, "decision_id": ""} for each in one["decisions"]]
    if as_json:
        failed = [_failed(one) for one in errors]
        print_json({"answers": [bounded(one) for one in answers], "errors": failed})
    for number, one in enumerate(() if as_json else answers):
        if number:
            terminal.say()
        _say(one)
    failure.raise_last(errors)
    verdicts = [Verdict(each["verdict"]) for one in answers for each in one["decisions"]]
    return EXIT_CODES[min(verdicts, key=WORST_FIRST.index)] if verdicts else 0


def _failed(error: Exception) -> Json:
    problems = error.problems if isinstance(error, EventError) else ()
    return {
        "problem": failure.describe_any(error),
        "problems": [problem_json(one) for one in problems],
    }


def _say(answer: Json) -> None:
    about = ", ".join([*answer["groups"], *answer["instances"]])
    code = f" ({answer['refused_with']})" if answer["refused_with"] else ""
    terminal.say(line(f"{answer['source']}: {answer['happened']}{code}  {about}"))
    told = (("by", answer["requested_by"]), ("at", answer["happened_at"]))
    if known := " ".join(f"{word} {one}" for word, one in told if one):
        terminal.say(line(known, indent=2))
    if answer["reason"]:
        terminal.say(line(f"{answer['status']}: {answer['reason']}", indent=2))
    for problem in answer["problems"]:
        terminal.say(line(f"not judged: {problem}", indent=2))
    if answer["aftermath"]:
        _say_aftermath(answer["aftermath"])
    for decision in answer["decisions"]:
        terminal.say()
        print_decision(decision)


def _say_aftermath(found: Json) -> None:
    terminal.say(line(found["summary"], indent=2))
    for what, key in (("vanished", "vanished"), ("names nothing", "dangling")):
        for one in found[key]:
            rule = one["rule"]["rule_id"] if one["rule"] else "a rule"
            terminal.say(line(f"{what}: {rule} of {one['group_id']}", indent=4))
    for one in found["without_group"]:
        terminal.say(line(f"without a group: {one['kind']} {one['holder_id']}", indent=4))
    for one in found["unknown"]:
        terminal.say(line(f"not known: {one}", indent=4))
    if found["restore"]:
        terminal.say(line(f"to bring it back: {found['restore']}", indent=4))
