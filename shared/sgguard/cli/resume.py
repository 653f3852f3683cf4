"""``sgguard resume``: finish or roll back plans that were interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from sgguard.cli import failure, terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import ERROR, EXIT_CODES
from sgguard.cli.failure import until_done
from sgguard.cli.interrupt import interruptible
from sgguard.cli.options import AS_OPTION, JSON_OPTION, KEPT_TEXT, POLICY_OPTION, epilog
from sgguard.cli.output import print_json, print_outcome
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
from sgguard.operations import resume as operation
from sgguard.operations import trail
from sgguard.operations.progress import state_of, watched
from sgguard.operations.resume import Unresolved

Json = dict[str, Any]


@command(
    short_help="Finish or roll back interrupted plans.",
    epilog=epilog(
        "sgguard resume",
        "sgguard resume 5f0c8e71…",
        "sgguard resume 5f0c8e71… --accept --as ada",
        exit_codes="0 nothing is left open, 1 a plan is stuck, 2 error",
    ),
)
@click.argument("decision", metavar="[DECISION]", required=False, type=KEPT_TEXT)
@click.option(
    "--accept",
    "is_accepted",
    is_flag=True,
    help="Close a stuck DECISION without changes; its groups may be changed again.",
)
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def resume(
    decision: str | None, by: str, policy: str | None, *, is_accepted: bool, as_json: bool
) -> int:
    """Resume every plan whose process ended before it was done, or only DECISION.

    A plan that can continue is finished; one that cannot is rolled back. Where the rollback fails
    too, the plan is stuck: it is listed with what is left to undo, and tried again only when it
    is named. Until then no other plan may change its groups.

    Where the policy or a setting cannot be used, what is open is listed and nothing is resumed.
    """
    if is_accepted:
        if decision is None:
            raise click.UsageError("--accept needs a DECISION.")
        # Nothing is changed: the store is enough, and how long it keeps what has ended.
        who = user_name(by)
        context, executor = open_executor(needs=("SGGUARD_KEEP_DAYS",))
        decision = trail.whole_decision_id(executor.store, decision)
        found = operation.accept(decision, context, by=who)
        return _ended([found], as_json=as_json)
    try:
        with_store(policy)
    except SettingsError as error:
        if _list_open() or decision is not None:
            terminal.note("nothing can be resumed until this is mended:")
            raise
        failure.report_error(error)  # which keeps nothing from being resumed
        return _all(policy, as_json=as_json)
    if decision is not None:
        decision = trail.whole_decision_id(Executor.of(with_store(policy)).store, decision)
        return _ended([_resumed(decision, policy)], as_json=as_json)
    return _all(policy, as_json=as_json)


def _resumed(decision_id: str, policy: str | None) -> Json:
    context = watched(with_store(policy), terminal.watched_progress)

    def again() -> Json:
        return operation.resume(decision_id, watched(with_store(policy), terminal.watched_progress))

    with interruptible(lambda: state_of(Executor.of(context).store, decision_id)):
        return until_done(again, f"the cloud of decision {decision_id}")


def _all(policy: str | None, *, as_json: bool) -> int:
    """Resume one after the other; one that fails does not keep the others from being resumed."""
    context, executor = open_executor()
    found = operation.unresolved(context)
    if not found and not as_json:
        terminal.say(f"Nothing is open in {store_location(context)}.")
    done: list[Json] = []
    has_failed = False
    for one in found:
        if one.state == "stuck":
            continue
        age = format_duration(executor.store.now_s() - one.since_s)
        terminal.note(f"decision {one.decision_id}, {age} old")
        try:
            done.append(_resumed(one.decision_id, policy))
        except SgguardError as error:
            has_failed = True
            failure.report_error(error)
    code = _ended(done, as_json=as_json)
    stuck = [one for one in found if one.state == "stuck"]
    _list(stuck)
    return ERROR if has_failed else (EXIT_CODES[Verdict.BLOCK] if stuck else code)


def _list_open() -> bool:
    """List what is open on standard error, from the store alone; return whether anything is.

    Raises:
        SettingsError: there is no store to read.
    """
    context, executor = open_executor()
    found = operation.unresolved(context)
    for one in found:
        age = format_duration(executor.store.now_s() - one.since_s)
        where = ", ".join(one.target)
        terminal.note(f"{one.state}: decision {one.decision_id} ({where}), {age} old")
    return bool(found)


def _list(stuck: Sequence[Unresolved]) -> None:
    """List stuck plans on standard error, apart from the documents of those that were resumed."""
    for one in stuck:
        terminal.note(f"stuck: decision {one.decision_id} ({', '.join(one.target)}): {one.note}")
    if stuck:
        terminal.note(
            "repair the cause, then: sgguard resume DECISION (or close it as it is with --accept)"
        )


def _ended(found: Sequence[Json], *, as_json: bool) -> int:
    if as_json:
        print_json(list(found))
    for one in () if as_json else found:
        print_outcome(one)
    is_stuck = any(one["outcome"] == "partly-undone" for one in found)
    return EXIT_CODES[Verdict.BLOCK if is_stuck else Verdict.ALLOW]
