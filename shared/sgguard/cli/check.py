"""``sgguard check``: ask a cloud and judge, exactly as the functions do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sgguard.cli import failure
from sgguard.cli.failure import EXIT_CODES
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, examples, from_options
from sgguard.engine import decide
from sgguard.events import request
from sgguard.model.codes import Verdict
from sgguard.model.decision import Decision
from sgguard.render import document, text

RECORD_OPTION = click.option(
    "--record",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the facts into FILE, for `sgguard policy test`.",
)


@click.group(short_help="Ask a cloud: allow, block or remediate?")
def check() -> None:
    """Ask a real cloud (or the emulator) and say allow, block or remediate.

    The exit code is the verdict: 0 allow, 1 block, 3 remediate; 2 is an error.
    """


@check.command(
    epilog=examples(
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard check delete openstack::RegionOne:5c7f… openstack::RegionOne:9d01…",
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv alibaba::cn-hangzhou:sg-bp1fg655…",
        "sgguard check delete --json --policy policy.toml alibaba::cn-hangzhou:sg-bp1fg655… | jq",
    )
)
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@RECORD_OPTION
@POLICY_OPTION
@JSON_OPTION
def delete(
    addresses: tuple[str, ...], policy: str | None, record: str | None, *, as_json: bool
) -> int:
    """May these groups be deleted, together?

    ADDRESS is provider:account:region:group-id; the account may be empty. References among the
    groups named do not count against them, and the answer says in which order to delete. Groups
    of several clouds, accounts or regions are as many sets with an answer each; the exit code is
    that of the worst.
    """
    wanted = request.delete_sets(addresses)
    if record is not None and len(wanted) > 1:
        raise click.UsageError("--record keeps one set: name groups of one cloud and region.")
    context = from_options(policy)
    outcomes = decide.decide_deletes([(one, context.new_id()) for one in wanted], context)
    _record(record, outcomes)
    return _answers(outcomes, as_json=as_json)


@check.command(
    short_help="May these instances carry these groups?",
    epilog=examples(
        "sgguard check launch --provider tencent --region ap-guangzhou --group sg-5ua… --count 3",
        "sgguard check launch --provider huawei --region cn-north-4 --instance 6666… --group 1111…",
        "sgguard check launch --provider alibaba --region cn-hangzhou --instance i-bp1…",
    ),
)
@click.option("--provider", required=True, help="Which cloud: tencent, alibaba, …")
@click.option("--region", required=True, help="The region, in the cloud's own spelling.")
@click.option("--account", default="", help="Whose cloud; empty: the configured account.")
@click.option("--instance", metavar="ID", help="An instance that exists already.")
@click.option(
    "--group",
    "groups",
    metavar="ID",
    multiple=True,
    help="A group to launch with, or to bind in addition (repeat it for more).",
)
@click.option("--count", type=int, help="How many instances are to be launched (default 1).")
@click.option("--project", help="The project of the planned instances.")
@click.option("--network", help="The network (VPC) of the planned instances.")
@RECORD_OPTION
@POLICY_OPTION
@JSON_OPTION
def launch(policy: str | None, record: str | None, *, as_json: bool, **options: Any) -> int:
    """May these instances be launched, or may this instance carry its groups?

    Before a launch name the groups and the count; afterwards name the instance.
    """
    wanted = request.instance_launch(_launch(options))
    context = from_options(policy)
    decision = decide.decide_launch(wanted, context, event_id=context.new_id())
    _record(record, [decision])
    return _answer(decision, as_json=as_json)


def _record(path: str | None, outcomes: Sequence[Decision | Exception]) -> None:
    """Write what was read into a file for ``sgguard policy test``; an error has no facts."""
    if path is None:
        return
    from sgguard.operations import replay  # noqa: PLC0415 - most checks record nothing

    for one in outcomes:
        if isinstance(one, Decision):
            Path(path).write_text(replay.record(one.facts), encoding="utf-8")


def _launch(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options as an event's data; what was not given is left out."""
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


def _answers(outcomes: Sequence[Decision | Exception], *, as_json: bool) -> int:
    """Print every decision and say every error; of several the worst is the exit code."""
    if len(outcomes) == 1 and isinstance(outcomes[0], Decision):
        return _answer(outcomes[0], as_json=as_json)
    decisions = [one for one in outcomes if isinstance(one, Decision)]
    if as_json and decisions:
        documents = [document.to_json(decision) for decision in decisions]
        click.echo(json.dumps(documents, indent=2, ensure_ascii=False))
    elif decisions:
        click.echo("\n\n".join(text.full(decision) for decision in decisions))
    errors = [one for one in outcomes if isinstance(one, Exception)]
    for error in errors[:-1]:
        failure.say_why(error)
    if errors:
        raise errors[-1]
    worst = (Verdict.BLOCK, Verdict.REMEDIATE, Verdict.ALLOW)
    return EXIT_CODES[min((d.judgement.verdict for d in decisions), key=worst.index)]


def _answer(decision: Decision, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps(document.to_json(decision), indent=2, ensure_ascii=False))
    else:
        click.echo(text.full(decision))
    return EXIT_CODES[decision.judgement.verdict]
