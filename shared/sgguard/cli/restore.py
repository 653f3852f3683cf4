"""``sgguard restore``: restore what a decision removed."""

from __future__ import annotations

from functools import partial
from typing import Any

import click
import msgspec

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.failure import until_done
from sgguard.cli.interrupt import interruptible, is_confirmed
from sgguard.cli.options import AS_OPTION, JSON_OPTION, KEPT_TEXT, POLICY_OPTION, epilog
from sgguard.cli.output import print_document, print_outcome
from sgguard.cli.records import with_store
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.model.codes import Outcome, Verdict
from sgguard.operations import restore as operation
from sgguard.operations import trail
from sgguard.operations.progress import state_of, watched
from sgguard.operations.restore import Preview
from sgguard.render.language.sentence import whole_english

Json = dict[str, Any]


@command(
    short_help="Restore what a decision removed.",
    epilog=epilog(
        "sgguard decisions list --outcome remediated",
        "sgguard restore 5f0c8e71",
        "sgguard restore --group sg-5ua9adfv 5f0c8e71",
        "sgguard restore --yes --json 5f0c8e71",
        exit_codes="0 everything is restored, 1 declined, or something was left out or undone, "
        "2 error",
    ),
)
@click.argument("decision", metavar="DECISION", type=KEPT_TEXT)
@click.option(
    "--group",
    "groups",
    metavar="ID",
    multiple=True,
    type=KEPT_TEXT,
    help="Only this group of the decision, by id, address or name; repeatable.",
)
@click.option(
    "--twin",
    "may_twin",
    is_flag=True,
    help="Create a group even where another one has its name now.",
)
@click.option("--yes", "is_sure", is_flag=True, help="Restore without confirmation.")
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def restore(
    decision: str,
    groups: tuple[str, ...],
    by: str,
    policy: str | None,
    *,
    may_twin: bool,
    is_sure: bool,
    as_json: bool,
) -> int:
    """Restore the groups, rules, references and bindings that DECISION removed.

    DECISION is its id, or the beginning of one where no other begins so. A restored group gets a
    new id, and the restored rules and bindings use that id. The plan is shown first and has to be
    confirmed. Whatever was changed since the decision is left as it is and listed. With --group
    only those groups come back, with what belongs to them; the others may follow later. An
    interrupted restore continues when the command is run again.

    Groups of several decisions come back in any order: what names a group that is still missing
    comes with that group. A restore that left something out may be run again. Where somebody has
    built a group of the same name, nothing is done without --twin. A plan that is no longer the
    one that was confirmed is shown, and has to be confirmed again.
    """
    context = with_store(policy)
    whole = trail.whole_decision_id(Executor.of(context).store, decision)
    with terminal.waiting(f"the cloud of decision {whole}"):
        seen = operation.preview(whole, context, groups, may_twin=may_twin)
    found: Json | Preview = seen
    while isinstance(found, Preview):
        if not is_sure:
            _show(found, seen, as_json=as_json)
            if not is_confirmed("Restore?"):
                return EXIT_CODES[Verdict.BLOCK]
        seen = found
        options = _Options(groups, by, may_twin)
        with interruptible(lambda: _state(whole, groups, context)):
            found = until_done(
                partial(_restored, seen, options, policy, is_sure=is_sure),
                f"the cloud of decision {whole}",
            )
    (print_document if as_json else print_outcome)(found)
    is_whole = found["outcome"] == Outcome.REMEDIATED and not found["note"]
    return EXIT_CODES[Verdict.ALLOW if is_whole else Verdict.BLOCK]


class _Options(msgspec.Struct, frozen=True):
    """What is restored, by whom, and whether beside a group of the same name."""

    groups: tuple[str, ...]
    by: str
    may_twin: bool


def _restored(
    seen: Preview, options: _Options, policy: str | None, *, is_sure: bool
) -> Json | Preview:
    """Restore; return the plan of now where a person confirmed another one."""
    context = _reporting(policy)
    by, groups, may_twin = options.by, options.groups, options.may_twin
    if is_sure:
        whole = seen.record.decision_id
        return operation.restore(whole, context, by=by, groups=groups, may_twin=may_twin)
    return operation.restore_confirmed(seen, context, by=by, groups=groups, may_twin=may_twin)


def _reporting(policy: str | None) -> Context:
    return watched(with_store(policy), terminal.progress)


def _state(decision_id: str, groups: tuple[str, ...], context: Context) -> str:
    """Return what is true after Ctrl-C: of the restore that is open, if there is one."""
    store = Executor.of(context).store
    runs = [
        one
        for one in store.open_runs()
        if one.source == operation.SOURCE and one.event_id.startswith(f"{decision_id}/")
    ]
    if runs:
        return state_of(store, runs[-1].decision_id)
    again = " ".join(["sgguard restore", *(f"--group {one}" for one in groups), decision_id])
    return f"no restore is open: it was not begun, or it ended; next: {again}"


def _show(seen: Preview, before: Preview, *, as_json: bool) -> None:
    """Show the plan, and how it differs from the one shown before; apart from the document."""
    write = terminal.complain if as_json else terminal.say
    lines, earlier = _plan(seen), _plan(before)
    if seen is not before:
        write("What was confirmed has changed meanwhile: nothing was done.")
        write("\n".join([f"- {one.strip()}" for one in earlier if one not in lines]))
        write("\n".join([f"+ {one.strip()}" for one in lines if one not in earlier]))
    write("\n".join(lines))


def _plan(seen: Preview) -> list[str]:
    steps = {id(one.step): one.step.summary for one in seen.restoration.plan.planned}
    lines = [f"To restore what decision {seen.record.decision_id} removed:"]
    lines += [f"  {n}. {summary}" for n, summary in enumerate(steps.values(), 1)]
    if not steps:
        lines.append("  nothing can be restored")
    if seen.restoration.left_out:
        lines += ["Left out:", *(f"  - {whole_english(one)}" for one in seen.restoration.left_out)]
    return lines
