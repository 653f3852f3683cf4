"""``sgguard restore``: put back what a decision took away."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from sgguard.cli.failure import EXIT_CODES, until_done
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, examples, from_options
from sgguard.model.codes import Outcome, Verdict
from sgguard.operations import restore as restoring
from sgguard.operations.restore import Preview


@click.command(
    short_help="Put back what a decision took away.",
    epilog=examples(
        "sgguard decisions list --outcome remediated",
        "sgguard restore 5f0c…",
        "sgguard restore --yes --json 5f0c…",
    ),
)
@click.argument("decision", metavar="DECISION")
@click.option("--yes", "is_sure", is_flag=True, help="Do it without asking.")
@click.option(
    "--as", "by", default=lambda: os.environ.get("USER", ""), help="Who restores (default: $USER)."
)
@POLICY_OPTION
@JSON_OPTION
def restore(decision: str, by: str, policy: str | None, *, is_sure: bool, as_json: bool) -> int:
    """Put back the groups, rules, references and bindings that DECISION took away.

    A group gets a new id, and everything that named the old one names the new one. The plan is
    shown and confirmed first. What has changed since is left as it is, and named. A restore that
    was cut short goes on when it is asked for again.

    The exit code is 0 when everything is back, 1 when something was left out or undone, 2 for an
    error.
    """
    seen = restoring.preview(decision, from_options(policy))
    if not is_sure:
        click.echo(_plan(seen), err=as_json)
        click.confirm("Restore?", abort=True, err=as_json)
    found = until_done(lambda: restoring.restore(decision, from_options(policy), by=by))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else _result(found))
    is_whole = found["outcome"] == Outcome.REMEDIATED and not seen.restoration.left_out
    return EXIT_CODES[Verdict.ALLOW if is_whole else Verdict.BLOCK]


def _plan(seen: Preview) -> str:
    steps = dict.fromkeys(one.step.summary for one in seen.restoration.plan.planned)
    lines = [f"To put back what decision {seen.record.decision_id} took away:"]
    lines += [f"  {n}. {summary}" for n, summary in enumerate(steps, 1)]
    if not steps:
        lines.append("  nothing can be put back")
    if seen.restoration.left_out:
        lines += ["Left out:", *(f"  - {one}" for one in seen.restoration.left_out)]
    return "\n".join(lines)


def _result(found: dict[str, Any]) -> str:
    made = [
        f"  {line['change']['group_id']} is back as {line['made']}"
        for line in found["journal"]
        if line["change"]["kind"] == "create-group" and line["state"] == "done"
    ]
    said = f"{found['outcome']}: decision {found['decision_id']}"
    return "\n".join([said, *made, *([f"  {found['note']}"] if found["note"] else [])])
