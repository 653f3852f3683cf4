"""``sgguard halt``: the switch that stops all changes at once."""

from __future__ import annotations

import logging
from typing import Any

import click
from msgspec.structs import asdict

from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.options import AS_OPTION, JSON_OPTION, epilog, kept, readable_policy
from sgguard.cli.output import line, print_json
from sgguard.cli.records import open_executor, store_location, user_name, when
from sgguard.engine.execute import Executor
from sgguard.model.codes import Verdict
from sgguard.policy import Policy
from sgguard.telemetry import logs


@group(
    short_help="Stop all changes of every process.",
    epilog=epilog(
        'sgguard halt on --reason "incident 4711"',
        "sgguard halt status",
        "sgguard halt off",
        exit_codes="0 success, 1 changes are stopped (halt status only), 2 error",
    ),
)
def halt() -> None:
    """Stop all changes, permit them again, or show whether they are stopped.

    The switch is in the store, and every process that uses that store reads it before each single
    change. A plan that is stopped halfway stays in the journal until changes are permitted again
    and `sgguard resume`, or the next delivery of the event, continues it. Verdicts are not
    affected.

    Only the store is needed: a policy or another setting that cannot be used is reported, and
    keeps nobody from stopping changes.
    """


@halt.command(
    short_help="Stop all changes.",
    epilog=epilog('sgguard halt on --as ada --reason "incident 4711"'),
)
@AS_OPTION
@click.option("--reason", required=True, help="Why; shown wherever a change is stopped.")
@JSON_OPTION
def on(by: str, reason: str, *, as_json: bool) -> None:
    """Stop all changes from now on, until `sgguard halt off`."""
    if not reason.strip():
        raise click.UsageError("Give a reason: --reason TEXT.")
    who, reason = user_name(by), kept(reason)
    context, executor = open_executor(makes_store=True)
    executor.store.halt(who, reason)
    logs.log(logging.WARNING, "halted", detail=f"by {by}: {reason}")
    if as_json:
        print_json(_document(executor, readable_policy()))
        return
    terminal.say(f"All changes are stopped in {store_location(context)}.")


@halt.command(short_help="Permit changes again.", epilog=epilog("sgguard halt off --as ada"))
@AS_OPTION
@JSON_OPTION
def off(by: str, *, as_json: bool) -> None:
    """Permit changes again; interrupted plans wait for `sgguard resume`."""
    context, executor = open_executor()
    was = executor.store.halted()
    user_name(by)
    executor.store.lift_halt()
    logs.log(logging.WARNING, "permitted", detail=f"by {by}")
    policy = readable_policy()
    if as_json:
        print_json(_document(executor, policy))
        return
    terminal.say(f"Changes are permitted in {store_location(context)}.")
    if was is not None:
        terminal.say(line(f"{was.by} had stopped them on {when(was.at_s)}: {was.reason}", 2))
    if policy is not None and policy.halt:
        terminal.say(line("The policy file still stops them (halt = true).", 2))
    if number := len(executor.store.open_runs()):
        terminal.say(line(f"Interrupted plans: {number}; see sgguard resume.", 2))


@halt.command(
    short_help="Show whether changes are stopped.",
    epilog=epilog(
        "sgguard halt status",
        "sgguard halt status --json",
        exit_codes="0 changes are permitted, 1 they are stopped, 2 error",
    ),
)
@JSON_OPTION
def status(*, as_json: bool) -> int:
    """Show whether all changes are stopped, by whom and why."""
    context, executor = open_executor()
    found = executor.store.halted()
    policy = readable_policy()
    by_policy = None if policy is None else policy.halt  # None: it cannot be read
    is_stopped = found is not None or bool(by_policy)
    if as_json:
        print_json(_document(executor, policy))
    elif found is not None:
        terminal.say(line(f"All changes are stopped by {found.by} since {when(found.at_s)}:"))
        terminal.say(line(found.reason, 2))
    elif by_policy:
        terminal.say(line("All changes are stopped by the policy file (halt = true)."))
    else:
        terminal.say(f"Changes are permitted in {store_location(context)}.")
    return EXIT_CODES[Verdict.BLOCK if is_stopped else Verdict.ALLOW]


def _document(executor: Executor, policy: Policy | None) -> dict[str, Any]:
    """Return the state of the switch as JSON, the same for on, off and status."""
    found = executor.store.halted()
    by_policy = None if policy is None else policy.halt
    switch = asdict(found) if found else None
    is_stopped = found is not None or bool(by_policy)
    return {"is_stopped": is_stopped, "store": switch, "policy": by_policy}
