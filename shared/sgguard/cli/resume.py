"""``sgguard resume``: finish, or take back, what somebody began."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from sgguard.cli import failure
from sgguard.cli.failure import ERROR, EXIT_CODES, until_done
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, examples, from_options
from sgguard.cli.records import AS_OPTION, ago, line, named, opened, place, print_json
from sgguard.errors import SgguardError
from sgguard.model.codes import Verdict
from sgguard.operations import resume as resuming
from sgguard.operations.resume import Unresolved

Json = dict[str, Any]


@click.command(
    short_help="Finish, or take back, what was begun and cut short.",
    epilog=examples(
        "sgguard resume",
        "sgguard resume 5f0c8e71…",
        "sgguard resume 5f0c8e71… --accept --as ada",
    ),
)
@click.argument("decision", metavar="[DECISION]", required=False)
@click.option(
    "--accept",
    "is_accepted",
    is_flag=True,
    help="Leave a stuck DECISION as the world is now; its groups may be changed again.",
)
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def resume(
    decision: str | None, by: str, policy: str | None, *, is_accepted: bool, as_json: bool
) -> int:
    """Go on with every plan whose worker went away, or with DECISION alone.

    A plan that can go on is finished, one that cannot is taken back. What could not be taken
    back whole is stuck: it is listed with what is left, and tried again only when it is named.
    Until then nobody else changes its groups.

    The exit code is 0 when nothing is left open, 1 when something is stuck, 2 for an error.
    """
    if is_accepted:
        if decision is None:
            raise click.UsageError("--accept wants to know which DECISION.")
        act: Callable[[], Json] = partial(
            resuming.accept, decision, from_options(policy), by=named(by)
        )
        return _ended([act()], as_json=as_json)
    if decision is not None:
        return _ended([_resumed(decision, policy)], as_json=as_json)
    return _all(policy, as_json=as_json)


def _resumed(decision_id: str, policy: str | None) -> Json:
    return until_done(lambda: resuming.resume(decision_id, from_options(policy)))


def _all(policy: str | None, *, as_json: bool) -> int:
    """Go on with one after the other; what cannot be now does not keep the others waiting."""
    context, executor = opened(policy)
    found = resuming.unresolved(context)
    if not found and not as_json:
        click.echo(f"Nothing is open in {place(context)}.")
    done: list[Json] = []
    has_failed = False
    for one in found:
        if one.state == "stuck":
            continue
        failure.say(f"decision {one.decision_id}, {ago(executor.store.now_s() - one.since_s)} old")
        try:
            done.append(_resumed(one.decision_id, policy))
        except SgguardError as error:
            has_failed = True
            failure.say_why(error)
    code = _ended(done, as_json=as_json)
    stuck = [one for one in found if one.state == "stuck"]
    _list(stuck)
    return ERROR if has_failed else (EXIT_CODES[Verdict.BLOCK] if stuck else code)


def _list(stuck: Sequence[Unresolved]) -> None:
    """Say what is stuck, beside the documents of what was gone on with."""
    for one in stuck:
        failure.say(f"stuck: decision {one.decision_id} ({', '.join(one.target)}): {one.note}")
    if stuck:
        failure.say("put it right and name it: sgguard resume DECISION (or --accept it as it is)")


def _ended(found: Sequence[Json], *, as_json: bool) -> int:
    if as_json:
        print_json(list(found))
    for one in () if as_json else found:
        note = f": {one['note']}" if one["note"] else ""
        click.echo(line(f"{one['outcome']}  decision {one['decision_id']}"))
        click.echo(line(f"{', '.join(one['target'])}{note}", 2))
    is_stuck = any(one["outcome"] == "partly-undone" for one in found)
    return EXIT_CODES[Verdict.BLOCK if is_stuck else Verdict.ALLOW]
