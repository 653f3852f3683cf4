"""``sgguard undo``: take back what a bind, an unbind or a remedy changed."""

from __future__ import annotations

from functools import partial

import click

from sgguard.cli import _binding as binding
from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.failure import until_done
from sgguard.cli.interrupt import interruptible, is_confirmed
from sgguard.cli.options import AS_OPTION, JSON_OPTION, KEPT_TEXT, POLICY_OPTION, epilog
from sgguard.cli.output import print_document, print_json, print_outcome
from sgguard.cli.records import user_name, with_store
from sgguard.engine.execute import Executor
from sgguard.model.codes import Outcome, Verdict
from sgguard.operations import trail
from sgguard.operations import undo as operation
from sgguard.operations import undo_remedy as remedies
from sgguard.render.language.sentence import whole_english


@command(
    short_help="Take back what a decision changed.",
    epilog=epilog(
        "sgguard undo 5f0c8e71",
        "sgguard undo --yes --json 5f0c8e71",
        exit_codes="0 everything is taken back, 1 declined, or something was left, 2 error",
    ),
)
@click.argument("decision", metavar="DECISION", type=KEPT_TEXT)
@click.option("--yes", "is_sure", is_flag=True, help="Undo without asking.")
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def undo(decision: str, by: str, policy: str | None, *, is_sure: bool, as_json: bool) -> int:
    """Take off what the bind DECISION put on, or put back what the unbind DECISION took off.

    DECISION is its id, or the beginning of one where no other begins so. Only what that decision
    changed itself is taken back. A holder that somebody changed since is left as it is and named,
    and so is one that would be left without a group. A group that comes back is put behind the
    others. The mode of the policy is not asked again; `sgguard halt` stops this as well.

    It also takes back the remedies of a launch, and of a delete that deleted no group: rules and
    bindings. Where a group was deleted, `sgguard restore` brings it back.
    """
    who = user_name(by)
    context = with_store(policy)
    whole = trail.whole_decision_id(Executor.of(context).store, decision)
    if not operation.is_bind(whole, context):
        return _remedy(whole, who, policy, is_sure=is_sure, as_json=as_json)
    wanted = operation.undo(whole, context, by=who)
    if not wanted.request.holders:
        terminal.note(f"decision {whole} changed nothing: there is nothing to undo")
        return EXIT_CODES[Verdict.ALLOW]
    with terminal.waiting(f"the cloud of decision {whole}"):
        decided = wanted.decided(context)
    if decided.plan is None:
        (print_json if as_json else binding.show)(decided.document)
        return EXIT_CODES[Verdict.BLOCK]
    if not is_sure and not binding.confirmed(decided, context, as_json=as_json):
        return EXIT_CODES[Verdict.BLOCK]
    work = partial(wanted.carry_out, require=binding.same_as(decided))
    document = binding.carried_out(work, policy, str(wanted.request.scope))
    binding.ended(document, as_json=as_json)
    counts = document["bind"]["counts"]
    is_whole = counts["done"] == counts["holders"]
    return EXIT_CODES[Verdict.ALLOW if is_whole else Verdict.BLOCK]


def _remedy(decision: str, who: str, policy: str | None, *, is_sure: bool, as_json: bool) -> int:
    """Take back a remedy, change by change."""
    context = with_store(policy)
    with terminal.waiting(f"the cloud of decision {decision}"):
        shown = remedies.preview(decision, context)
    write = terminal.complain if as_json else terminal.say
    steps = [one.step.summary for one in shown.plan.planned]
    write("\n".join([f"To undo decision {decision}:", *(f"  {one}" for one in steps)]))
    for one in shown.left:
        write(f"  left as it is: {whole_english(one)}")
    if not steps:
        return EXIT_CODES[Verdict.ALLOW if not shown.left else Verdict.BLOCK]
    if not is_sure and not is_confirmed("Undo?"):
        return EXIT_CODES[Verdict.BLOCK]
    event_id = f"{decision}/{context.new_id()}"
    store = Executor.of(context).store
    with interruptible(lambda: f"next: sgguard resume ({len(store.open_runs())} runs are open)"):
        document = until_done(
            lambda: remedies.carry_out(shown, event_id, with_store(policy), by=who),
            f"the cloud of decision {decision}",
        )
    (print_document if as_json else print_outcome)(document)
    is_whole = document["outcome"] == Outcome.REMEDIATED and not shown.left
    return EXIT_CODES[Verdict.ALLOW if is_whole else Verdict.BLOCK]
