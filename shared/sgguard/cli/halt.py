"""``sgguard halt``: the switch that stops all changes at once."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict

import click

from sgguard import logs
from sgguard.approvals.approver import moment
from sgguard.cli.failure import EXIT_CODES
from sgguard.cli.options import JSON_OPTION, examples
from sgguard.cli.records import line, named, opened, place, print_json
from sgguard.model.codes import Verdict

_BY_OPTION = click.option(
    "--by",
    default=lambda: os.environ.get("USER", ""),
    metavar="NAME",
    help="Who says so (default: $USER).",
)


@click.group(short_help="Stop all changes of every process, at once.")
def halt() -> None:
    """Stop all changes, permit them again, or say whether they are stopped.

    It holds for every process that uses the same store: before each single change the switch is
    looked at. What was begun stays in the journal until changes are permitted and `sgguard
    resume` or the event's next delivery goes on. Verdicts are given as ever.
    """


@halt.command(epilog=examples('sgguard halt on --by ada --reason "incident 4711"'))
@_BY_OPTION
@click.option("--reason", required=True, help="Why, for everybody who is told about it.")
def on(by: str, reason: str) -> None:
    """Stop all changes from now on."""
    if not reason.strip():
        raise click.UsageError("Say why: --reason TEXT.")
    context, executor = opened()
    executor.store.halt(named(by), reason)
    logs.log(logging.WARNING, "halted", detail=f"by {by}: {reason}")
    click.echo(f"All changes are stopped in {place(context)}.")


@halt.command(epilog=examples("sgguard halt off --by ada"))
@_BY_OPTION
def off(by: str) -> None:
    """Permit changes again; what was begun waits for `sgguard resume`."""
    context, executor = opened()
    was = executor.store.halted()
    named(by)
    executor.store.go_on()
    logs.log(logging.WARNING, "permitted", detail=f"by {by}")
    click.echo(f"Changes are permitted in {place(context)}.")
    if was is not None:
        click.echo(line(f"{was.by} had stopped them {moment(was.at_s)}: {was.reason}", 2))
    if context.policy.halt:
        click.echo(line("Only the policy file still stops them (halt = true).", 2))
    if number := len(executor.store.open_runs()):
        click.echo(line(f"Decisions that were cut short: {number}; see sgguard resume.", 2))


@halt.command(epilog=examples("sgguard halt status --json"))
@JSON_OPTION
def status(*, as_json: bool) -> int:
    """Say whether all changes are stopped, by whom and why.

    The exit code is 0 when they are permitted and 1 when they are stopped.
    """
    context, executor = opened()
    found = executor.store.halted()
    is_stopped = found is not None or context.policy.halt
    if as_json:
        told = asdict(found) if found else None
        print_json({"is_stopped": is_stopped, "store": told, "policy": context.policy.halt})
    elif found is not None:
        click.echo(line(f"All changes are stopped by {found.by} since {moment(found.at_s)}:"))
        click.echo(line(found.reason, 2))
    elif context.policy.halt:
        click.echo(line("All changes are stopped by the policy file (halt = true)."))
    else:
        click.echo(f"Changes are permitted in {place(context)}.")
    return EXIT_CODES[Verdict.BLOCK if is_stopped else Verdict.ALLOW]
