"""``sgguard halt``: the switch that stops all changes at once."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict

import click

from sgguard import logs
from sgguard.approvals.approver import moment
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.options import JSON_OPTION, KEPT_TEXT, epilog, kept, readable_policy
from sgguard.cli.output import line, print_json
from sgguard.cli.records import open_executor, store_location, user_name
from sgguard.model.codes import Verdict

_BY_OPTION = click.option(
    "--by",
    type=KEPT_TEXT,
    default=lambda: os.environ.get("USER", ""),
    metavar="NAME",
    help="Your name, for the record (default: $USER).",
)


@click.group(
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
    epilog=epilog('sgguard halt on --by ada --reason "incident 4711"'),
)
@_BY_OPTION
@click.option("--reason", required=True, help="Why; shown wherever a change is stopped.")
def on(by: str, reason: str) -> None:
    """Stop all changes from now on, until `sgguard halt off`."""
    if not reason.strip():
        raise click.UsageError("Give a reason: --reason TEXT.")
    who, reason = user_name(by), kept(reason)
    context, executor = open_executor(makes_store=True)
    executor.store.halt(who, reason)
    logs.log(logging.WARNING, "halted", detail=f"by {by}: {reason}")
    click.echo(f"All changes are stopped in {store_location(context)}.")


@halt.command(short_help="Permit changes again.", epilog=epilog("sgguard halt off --by ada"))
@_BY_OPTION
def off(by: str) -> None:
    """Permit changes again; interrupted plans wait for `sgguard resume`."""
    context, executor = open_executor()
    was = executor.store.halted()
    user_name(by)
    executor.store.lift_halt()
    logs.log(logging.WARNING, "permitted", detail=f"by {by}")
    click.echo(f"Changes are permitted in {store_location(context)}.")
    if was is not None:
        click.echo(line(f"{was.by} had stopped them on {moment(was.at_s)}: {was.reason}", 2))
    policy = readable_policy()
    if policy is not None and policy.halt:
        click.echo(line("The policy file still stops them (halt = true).", 2))
    if number := len(executor.store.open_runs()):
        click.echo(line(f"Interrupted plans: {number}; see sgguard resume.", 2))


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
        switch = asdict(found) if found else None
        print_json({"is_stopped": is_stopped, "store": switch, "policy": by_policy})
    elif found is not None:
        click.echo(line(f"All changes are stopped by {found.by} since {moment(found.at_s)}:"))
        click.echo(line(found.reason, 2))
    elif by_policy:
        click.echo(line("All changes are stopped by the policy file (halt = true)."))
    else:
        click.echo(f"Changes are permitted in {store_location(context)}.")
    return EXIT_CODES[Verdict.BLOCK if is_stopped else Verdict.ALLOW]
