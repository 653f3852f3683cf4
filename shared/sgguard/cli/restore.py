"""``sgguard restore``: restore what a decision removed."""

from __future__ import annotations

import os

import click

from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.failure import until_done
from sgguard.cli.options import JSON_OPTION, KEPT_TEXT, POLICY_OPTION, epilog
from sgguard.cli.output import print_json, print_outcome
from sgguard.cli.records import with_store
from sgguard.model.codes import Outcome, Verdict
from sgguard.operations import restore as operation
from sgguard.operations.restore import Preview


@click.command(
    short_help="Restore what a decision removed.",
    epilog=epilog(
        "sgguard decisions list --outcome remediated",
        "sgguard restore 5f0c…",
        "sgguard restore --yes --json 5f0c…",
        exit_codes="0 everything is restored, 1 something was left out or undone, 2 error",
    ),
)
@click.argument("decision", metavar="DECISION", type=KEPT_TEXT)
@click.option("--yes", "is_sure", is_flag=True, help="Restore without confirmation.")
@click.option(
    "--as",
    "by",
    type=KEPT_TEXT,
    default=lambda: os.environ.get("USER", ""),
    metavar="NAME",
    help="Your name, for the record (default: $USER).",
)
@POLICY_OPTION
@JSON_OPTION
def restore(decision: str, by: str, policy: str | None, *, is_sure: bool, as_json: bool) -> int:
    """Restore the groups, rules, references and bindings that DECISION removed.

    A restored group gets a new id, and the restored rules and bindings use that id. The plan is
    shown first and has to be confirmed. Whatever was changed since the decision is left as it is
    and listed. An interrupted restore continues when the command is run again.
    """
    seen = operation.preview(decision, with_store(policy))
    if not is_sure:
        click.echo(_plan(seen), err=as_json)
        click.confirm("Restore?", abort=True, err=as_json)
    found = until_done(lambda: operation.restore(decision, with_store(policy), by=by))
    (print_json if as_json else print_outcome)(found)
    is_whole = found["outcome"] == Outcome.REMEDIATED and not found["note"]
    return EXIT_CODES[Verdict.ALLOW if is_whole else Verdict.BLOCK]


def _plan(seen: Preview) -> str:
    steps = dict.fromkeys(one.step.summary for one in seen.restoration.plan.planned)
    lines = [f"To restore what decision {seen.record.decision_id} removed:"]
    lines += [f"  {n}. {summary}" for n, summary in enumerate(steps, 1)]
    if not steps:
        lines.append("  nothing can be restored")
    if seen.restoration.left_out:
        lines += ["Left out:", *(f"  - {one}" for one in seen.restoration.left_out)]
    return "\n".join(lines)
