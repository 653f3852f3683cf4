"""``sgguard apply``: judge deletes, show their plans, and carry them out as the functions would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from sgguard.cli import failure, terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import ERROR, EXIT_CODES, HELP
from sgguard.cli.failure import until_done
from sgguard.cli.interrupt import interruptible, is_confirmed
from sgguard.cli.options import AS_OPTION, JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import print_decision, print_outcome, print_set
from sgguard.cli.records import store_location, user_name
from sgguard.engine.context import Context
from sgguard.errors import SettingsError, SgguardError
from sgguard.events import request
from sgguard.model.codes import Mode, Outcome, Verdict
from sgguard.model.request import DeleteRequest
from sgguard.operations import apply as operation
from sgguard.operations.apply import Proposal
from sgguard.operations.progress import state_of, watched
from sgguard.render.document import to_json
from sgguard.render.wording import count

Json = dict[str, Any]

_WAITS = 3
_CODES = {
    Outcome.PENDING: _WAITS,
    Outcome.HALTED: EXIT_CODES[Verdict.BLOCK],
    Outcome.UNDONE: EXIT_CODES[Verdict.BLOCK],
    Outcome.PARTLY_UNDONE: EXIT_CODES[Verdict.BLOCK],
    Outcome.ACCEPTED: EXIT_CODES[Verdict.BLOCK],
    Outcome.SUPERSEDED: EXIT_CODES[Verdict.BLOCK],
}
_SEVERITY = (ERROR, EXIT_CODES[Verdict.BLOCK], _WAITS, EXIT_CODES[Verdict.ALLOW])


@command(
    short_help="Judge deletes and carry out their plans.",
    epilog=epilog(
        "sgguard apply --dry-run tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard apply tencent::ap-guangzhou:sg-5ua9adfv tencent::ap-guangzhou:sg-b4st10n0",
        "sgguard apply --yes --as ada --policy policy.toml alibaba::cn-hangzhou:sg-bp1fg655…",
        exit_codes="0 allowed or carried out, 1 blocked, declined or undone, 2 error,\n"
        "3 not carried out: it waits for an approval, or the mode is observe",
    ),
)
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option("--yes", "is_sure", is_flag=True, help="Carry out without asking.")
@click.option("--dry-run", "is_dry", is_flag=True, help=f"Only judge and show; exit: {HELP}.")
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def apply(
    addresses: tuple[str, ...],
    by: str,
    policy: str | None,
    *,
    is_sure: bool,
    is_dry: bool,
    as_json: bool,
) -> int:
    """Judge whether groups may be deleted, show the plan, ask, and carry it out.

    ADDRESS is provider:account:region:group-id. Groups of one cloud, account and region are one
    set with one plan. Policy and mode decide as for an event to the function: `enforce` carries
    the plan out, `approve` requests an approval, `observe` changes nothing. A delete that needs no
    remedy is left to you, and that is said; with `carry_out = "always"` it is carried out too.

    Every change is journalled before it is made: an interrupted plan is finished, or rolled back,
    by `sgguard resume`, and `sgguard restore` brings back what was deleted. Where the facts change
    while the question is open, nothing is done.
    """
    if is_dry and is_sure:
        raise click.UsageError("--dry-run and --yes exclude each other.")
    who = "" if is_dry else user_name(by)
    wanted = [
        DeleteRequest(one.targets, requested_by=who) for one in request.delete_sets(addresses)
    ]
    context = from_options(policy)
    if not is_dry and not context.settings.store_url:
        raise SettingsError("what is carried out is journalled: set SGGUARD_STORE")
    with terminal.waiting(", ".join(str(one.targets[0].scope) for one in wanted)):
        proposals = _all_judged(operation.propose(wanted, context))
    if is_dry:
        return _shown([_unkept(one) for one in proposals], as_json=as_json)
    if (open_ := [one for one in proposals if _would_change(one)]) and not is_sure:
        for one in proposals:
            _preview(one, as_json=as_json)
        if not is_confirmed(_question(open_, context)):
            return EXIT_CODES[Verdict.BLOCK]
    is_shown = bool(open_) and not is_sure
    return _carry_out(proposals, policy, as_json=as_json, is_shown=is_shown)


def _all_judged(found: Sequence[Proposal | Exception]) -> list[Proposal]:
    """Return the proposals; where one set could not be judged, none is carried out."""
    errors = [one for one in found if isinstance(one, Exception)]
    failure.raise_last(errors)
    return [one for one in found if isinstance(one, Proposal)]


def _would_change(one: Proposal) -> bool:
    return one.decided.prepared is not None and one.decided.decision.mode is not Mode.OBSERVE


def _unkept(one: Proposal) -> Json:
    return {**to_json(one.decided.decision), "decision_id": "", "event_id": ""}


def _preview(one: Proposal, *, as_json: bool) -> None:
    """Show a plan before the question; every step, and apart from the document of --json."""
    if not as_json:
        print_decision(_unkept(one), is_whole=True)
        terminal.say()
        return
    decision = one.decided.decision
    terminal.complain(f"{decision.judgement.verdict.upper()}  {', '.join(decision.target)}")
    for number, step in enumerate(decision.judgement.plan, start=1):
        terminal.complain(f"  {number}. {step.summary}")


def _question(open_: Sequence[Proposal], context: Context) -> str:
    steps = sum(len(one.decided.decision.judgement.plan) for one in open_)
    where = store_location(context)
    if all(one.decided.decision.mode is Mode.APPROVE for one in open_):
        return f"Request an approval of {count(steps, 'step')} (in {where})?"
    return f"Carry out {count(steps, 'step')} (journalled in {where})?"


def _shown(documents: Sequence[Json], *, as_json: bool) -> int:
    """Print what was judged and not carried out; the exit code is the worst verdict."""
    if as_json:
        print_set(documents)
    for number, one in enumerate(() if as_json else documents):
        if number:
            terminal.say()
        print_decision(one, is_whole=True)
    codes = [EXIT_CODES[Verdict(one["verdict"])] for one in documents]
    return min(codes, key=_SEVERITY.index)


def _carry_out(
    proposals: Sequence[Proposal], policy: str | None, *, as_json: bool, is_shown: bool
) -> int:
    """Carry out one set after the other; one that fails does not keep the others from it.

    Of a plan that was shown, only what became of it is printed.
    """
    documents: list[Json] = []
    failed: list[Json] = []
    for one in proposals:
        try:
            documents.append(_done(one, policy))
        except SgguardError as error:
            failure.report_error(error)
            target = list(one.decided.decision.target)
            failed.append({"target": target, "problem": failure.describe_any(error)})
    if as_json:
        print_set(documents, failed)
    for number, document in enumerate(() if as_json else documents):
        if number and not is_shown:
            terminal.say()
        print_outcome(document, is_shown=is_shown)
        if _is_left(document):
            terminal.say("Allowed, and nothing was changed: the delete itself is left to you.")
    codes = [ERROR] * bool(failed) + [_code(one) for one in documents]
    return min(codes, key=_SEVERITY.index)


def _done(one: Proposal, policy: str | None) -> Json:
    context = from_options(policy, makes_store=True)

    def again() -> Json:
        fresh = from_options(policy, makes_store=True)
        return operation.carry_out(one, watched(fresh, terminal.progress))

    where = str(one.request.targets[0].scope)
    with interruptible(lambda: _state(one, context)):
        return until_done(again, where)


def _state(one: Proposal, context: Context) -> str:
    about = ", ".join(one.decided.decision.target)
    return f"{about}: {state_of(context.store, one.decision_id)}" if context.store else about


def _is_left(document: Json) -> bool:
    is_allowed = document["verdict"] == Verdict.ALLOW
    return bool(is_allowed and document["outcome"] != Outcome.REMEDIATED)


def _code(document: Json) -> int:
    outcome = Outcome(document["outcome"])
    if outcome in _CODES:
        return _CODES[outcome]
    if outcome is Outcome.REMEDIATED:
        return EXIT_CODES[Verdict.ALLOW]
    return EXIT_CODES[Verdict(document["verdict"])]
