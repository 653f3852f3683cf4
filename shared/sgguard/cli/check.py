"""``sgguard check``: read facts from a cloud and judge them, exactly as the functions do."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sgguard import lazy
from sgguard.cli import failure
from sgguard.cli.exit_codes import EXIT_CODES, HELP
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import print_decision, print_json
from sgguard.engine import decide
from sgguard.events import request
from sgguard.model.codes import Verdict
from sgguard.model.decision import Decision
from sgguard.render.document import to_json

if TYPE_CHECKING:
    from sgguard.operations import replay
else:
    replay = lazy("sgguard.operations.replay")  # most checks record nothing


RECORD_OPTION = click.option(
    "--record",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the facts into FILE, for `sgguard policy test`.",
)


@click.group(
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
    """


@check.command(
    short_help="May these groups be deleted?",
    epilog=epilog(
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard check delete openstack::RegionOne:5c7f… openstack::RegionOne:9d01…",
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv alibaba::cn-hangzhou:sg-bp1fg655…",
        "sgguard check delete --json --policy policy.toml alibaba::cn-hangzhou:sg-bp1fg655… | jq",
        exit_codes=HELP,
    ),
)
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@RECORD_OPTION
@POLICY_OPTION
@JSON_OPTION
def delete(
    addresses: tuple[str, ...], policy: str | None, record: str | None, *, as_json: bool
) -> int:
    """Judge whether groups may be deleted, together.

    ADDRESS is provider:account:region:group-id; the account may be empty. References between the
    named groups do not block them, and the plan gives the order in which to delete them. Groups
    of different clouds, accounts or regions are judged as separate sets; the exit code is that
    of the worst verdict.
    """
    wanted = request.delete_sets(addresses)
    if record is not None and len(wanted) > 1:
        raise click.UsageError(
            "--record writes one set: name groups of one cloud, account and region."
        )
    context = from_options(policy)
    outcomes = decide.decide_deletes([(one, context.new_id()) for one in wanted], context)
    _record(record, outcomes)
    return _print_all(outcomes, as_json=as_json)


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
@POLICY_OPTION
@JSON_OPTION
def launch(policy: str | None, record: str | None, *, as_json: bool, **options: Any) -> int:
    """Judge whether instances may be launched with these groups, or an instance may keep its own.

    Before a launch give --group and --count; after it give --instance.
    """
    wanted = request.instance_launch(_launch(options))
    context = from_options(policy)
    decision = decide.decide_launch(wanted, context, event_id=context.new_id())
    _record(record, [decision])
    return _print(decision, as_json=as_json)


def _record(path: str | None, outcomes: Sequence[Decision | Exception]) -> None:
    """Write the facts into a file for ``sgguard policy test``; an error has none."""
    if path is None:
        return
    for one in outcomes:
        if isinstance(one, Decision):
            _write(path, replay.record(one.facts))


def _write(path: str, text: str) -> None:
    """Write a file for its owner's eyes only: facts name everything that a group protects."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        if stat.S_ISREG(os.fstat(number).st_mode):  # and not a pipe or /dev/stdout
            os.fchmod(number, 0o600)  # one that was there keeps its mode otherwise
            file.truncate()
        file.write(text)


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


def _print_all(outcomes: Sequence[Decision | Exception], *, as_json: bool) -> int:
    """Print every decision and report every error; return the exit code of the worst."""
    if len(outcomes) == 1 and isinstance(outcomes[0], Decision):
        return _print(outcomes[0], as_json=as_json)
    decisions = [one for one in outcomes if isinstance(one, Decision)]
    documents = [to_json(decision) for decision in decisions]
    if as_json and documents:
        print_json(documents)
    for number, one in enumerate(() if as_json else documents):
        if number:
            click.echo()
        print_decision(one)
    errors = [one for one in outcomes if isinstance(one, Exception)]
    for error in errors[:-1]:
        failure.report_error(error)
    if errors:
        raise errors[-1]
    worst = (Verdict.BLOCK, Verdict.REMEDIATE, Verdict.ALLOW)
    return EXIT_CODES[min((d.judgement.verdict for d in decisions), key=worst.index)]


def _print(decision: Decision, *, as_json: bool) -> int:
    document = to_json(decision)
    if as_json:
        print_json(document)
    else:
        print_decision(document)
    return EXIT_CODES[decision.judgement.verdict]
