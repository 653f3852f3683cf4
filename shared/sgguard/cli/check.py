"""``sgguard check``: read facts from a cloud and judge them, exactly as the functions do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from sgguard import lazy
from sgguard.cli import failure, files, terminal
from sgguard.cli.command import group
from sgguard.cli.exit_codes import EXIT_CODES, HELP
from sgguard.cli.options import AS_OPTION, JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import WORST_FIRST, print_decision, print_set
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.errors import SettingsError
from sgguard.events import request
from sgguard.model.address import Address
from sgguard.model.codes import Verdict
from sgguard.model.decision import Decision
from sgguard.render.document import to_answer, to_json

if TYPE_CHECKING:
    from sgguard.operations import replay, trail
else:
    replay = lazy("sgguard.operations.replay")  # most checks record nothing
    trail = lazy("sgguard.operations.trail")  # and keep nothing

Json = dict[str, Any]

KEEP_OPTION = click.option(
    "--keep",
    "is_kept",
    is_flag=True,
    help="Keep the decision in the store, where `sgguard decisions` shows it.",
)
RECORD_OPTION = click.option(
    "--record",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the facts into FILE, for `sgguard policy test`.",
)


@group(
    short_help="Judge a delete or a launch now.",
    epilog=epilog(
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard check launch --provider tencent --region ap-guangzhou --group sg-5ua…",
        exit_codes=HELP,
    ),
)
def check() -> None:
    """Judge a delete or a launch by what is in the cloud now; nothing is changed.

    The verdict is allow, block, or remediate: allowed once the printed plan is carried out. The
    exit code is the verdict.

    With --json the document is {"verdict": the worst, "decisions": […], "errors": […]}, for one
    decision and for several.
    """


@check.command(
    short_help="May these groups be deleted?",
    epilog=epilog(
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard check delete openstack::RegionOne:5c7f… openstack::RegionOne:9d01…",
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv alibaba::cn-hangzhou:sg-bp1fg655…",
        "sgguard check delete --json alibaba::cn-hangzhou:sg-bp1fg655… | jq '.decisions[].reasons'",
        "sgguard check delete --account shop tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard check delete --keep --as ada tencent::ap-guangzhou:sg-5ua9adfv",
        exit_codes=HELP,
    ),
)
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option(
    "--account",
    default="",
    metavar="NAME",
    help="The account of every ADDRESS that names none; default: that of the credentials.",
)
@RECORD_OPTION
@KEEP_OPTION
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def delete(
    addresses: tuple[str, ...],
    account: str,
    policy: str | None,
    record: str | None,
    by: str,
    *,
    is_kept: bool,
    as_json: bool,
) -> int:
    """Judge whether groups may be deleted, together.

    ADDRESS is provider:account:region:group-id; the account may be empty. References between the
    named groups do not block them, and the plan gives the order in which to delete them. Groups
    of different clouds, accounts or regions are judged as separate sets; the exit code is that
    of the worst verdict.
    """
    wanted = request.delete_sets(_in_account(addresses, account))
    if record is not None and len(wanted) > 1:
        raise click.UsageError(
            "--record writes one set: name groups of one cloud, account and region."
        )
    context = _context(policy, record, is_kept=is_kept)
    with terminal.waiting(", ".join(str(one.targets[0].scope) for one in wanted)):
        outcomes = decide.decide_deletes([(one, context.new_id()) for one in wanted], context)
    _record(record, outcomes)
    documents = _kept(outcomes, context, by, is_kept=is_kept, is_bounded=as_json)
    targets = [[str(address) for address in one.targets] for one in wanted]
    return _print_all(documents, targets, as_json=as_json)


@check.command(
    short_help="May these instances be launched?",
    epilog=epilog(
        "sgguard check launch --provider tencent --region ap-guangzhou --group sg-5ua… --count 3",
        "sgguard check launch --provider huawei --region cn-north-4 --instance 6666… --group 1111…",
        "sgguard check launch --provider alibaba --region cn-hangzhou --instance i-bp1…",
        exit_codes=HELP,
    ),
)
@click.option("--provider", required=True, help="The cloud: tencent, alibaba, …")
@click.option("--region", required=True, help="The region, in the cloud's own spelling.")
@click.option("--account", default="", help="The cloud account; default: that of the credentials.")
@click.option(
    "--instance", metavar="ID", help="An instance that exists already, to judge its groups."
)
@click.option(
    "--group",
    "groups",
    metavar="ID",
    multiple=True,
    help="A group to launch with, or to bind to --instance in addition; repeatable.",
)
@click.option("--count", type=int, help="The number of instances to launch (default 1).")
@click.option("--project", help="The project of the planned instances.")
@click.option("--network", help="The network (VPC) of the planned instances.")
@RECORD_OPTION
@KEEP_OPTION
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def launch(
    policy: str | None,
    record: str | None,
    by: str,
    *,
    is_kept: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Judge whether instances may be launched with these groups, or an instance may keep its own.

    Before a launch give --group and --count; after it give --instance.
    """
    wanted = request.instance_launch(_launch(options))
    context = _context(policy, record, is_kept=is_kept)
    with terminal.waiting(str(wanted.scope)):
        decision = decide.decide_launch(wanted, context, event_id=context.new_id())
    _record(record, [decision])
    documents = _kept([decision], context, by, is_kept=is_kept, is_bounded=as_json)
    return _print_all(documents, [list(decision.target)], as_json=as_json)


def _in_account(addresses: Sequence[str], account: str) -> Sequence[str]:
    """Return the addresses with the account of ``--account``, which none of them contradicts."""
    if not account:
        return addresses
    given = [Address.parse(one) for one in addresses]
    if other := next((one for one in given if one.scope.account not in ("", account)), None):
        raise click.UsageError(f"{other} names another account than --account {account}.")
    named = [Address(replace(one.scope, account=account), one.group_id) for one in given]
    return [str(Address.parse(str(one))) for one in named]


def _context(policy: str | None, record: str | None, *, is_kept: bool) -> Context:
    """Return what to judge with; what could not be written is known before a cloud is asked."""
    if record is not None:
        files.require_writable(record, "--record")
    context = from_options(policy, makes_store=is_kept)
    if is_kept and context.store is None:
        raise SettingsError("--keep needs a store: set SGGUARD_STORE (sqlite:////path)")
    return context


def _kept(
    outcomes: Sequence[Decision | Exception],
    context: Context,
    by: str,
    *,
    is_kept: bool,
    is_bounded: bool,
) -> list[Json | Exception]:
    """Return the documents, kept or without the ids that nobody could look up.

    With ``is_bounded`` one that is not kept is written within the bounds of an answer at once.
    """
    written = to_answer if is_bounded and not terminal.is_verbose() else to_json
    done: list[Json | Exception] = []
    for one in outcomes:
        if isinstance(one, Exception):
            done.append(one)
        elif is_kept:
            done.append(trail.keep(one, context, by=by))
        else:
            done.append(written(replace(one, decision_id="", event_id="")))
    return done


def _record(path: str | None, outcomes: Sequence[Decision | Exception]) -> None:
    """Write the facts into a file for ``sgguard policy test``; an error has none."""
    if path is None:
        return
    for one in outcomes:
        if isinstance(one, Decision):
            files.write_private(path, replay.record(one.facts), "--record")


def _launch(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options as an event's data, without those that were not given."""
    planned = [name for name in ("count", "project", "network") if options[name] is not None]
    if options["instance"] is None and not options["groups"]:
        raise click.UsageError("Name an instance (--instance ID) or planned groups (--group ID).")
    if options["instance"] is not None and planned:
        raise click.UsageError(f"--{planned[0]} is about planned instances, not with --instance.")
    names = {"instance": "instance_id"}
    return {
        names.get(name, name): list(value) if isinstance(value, tuple) else value
        for name, value in options.items()
        if value not in (None, "", ())
    }


def _print_all(
    outcomes: Sequence[Json | Exception], targets: Sequence[Sequence[str]], *, as_json: bool
) -> int:
    """Print every decision and report every error; return the exit code of the worst."""
    documents = [one for one in outcomes if not isinstance(one, Exception)]
    errors = [one for one in outcomes if isinstance(one, Exception)]
    if as_json:
        failed = [
            {"target": list(target), "problem": failure.describe_any(one)}
            for one, target in zip(outcomes, targets, strict=True)
            if isinstance(one, Exception)
        ]
        print_set(documents, failed)
    for number, one in enumerate(() if as_json else documents):
        if number:
            terminal.say()
        print_decision(one)
    failure.raise_last(errors)
    verdicts = [Verdict(one["verdict"]) for one in documents]
    return EXIT_CODES[min(verdicts, key=WORST_FIRST.index)]
