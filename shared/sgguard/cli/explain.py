"""``sgguard explain``: who holds a group, and how it is let go, as a graph."""

from __future__ import annotations

import json
import os
import shutil
import sys

import click

from sgguard.cli.options import examples, from_options
from sgguard.errors import InputError, NotFoundError
from sgguard.model.address import Address
from sgguard.operations.explain import read as read_facts
from sgguard.render import graph

_FORMATS = ("text", "json", "mermaid", "dot")
_DEEPEST = 20


@click.command(
    short_help="Who holds a group, and how is it let go?",
    epilog=examples(
        "sgguard explain tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard explain tencent::ap-guangzhou:sg-5ua9adfv --depth 3",
        "sgguard explain openstack::RegionOne:5c7f… --format dot | dot -Tsvg > group.svg",
        "sgguard explain alibaba::cn-hangzhou:sg-bp1fg655… --json | jq '.edges[].source'",
    ),
)
@click.argument("address")
@click.option("--format", "kind", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--depth",
    type=click.IntRange(1, _DEEPEST),
    default=1,
    show_default=True,
    help="How many levels of groups are asked who references them.",
)
def explain(address: str, kind: str, depth: int, *, as_json: bool) -> None:
    """Say who holds a group, and how it is let go: which rules name it and what carries it.

    ADDRESS is provider:account:region:group-id; the account may be empty. With --depth 2 the
    groups that reference it are asked who references them, and so on; cycles are named.

    The text shows the first few of everything and counts the rest; json has all.
    """
    try:
        facts = read_facts(Address.parse(address), from_options(), depth)
    except NotFoundError as error:
        raise _unknown(address) from error
    first = facts.groups[0]
    if first.group is None and not first.unseen:
        raise _unknown(address)
    drawn = graph.build(facts.groups, targets=1)
    if as_json or kind == "json":
        click.echo(json.dumps(graph.to_json(drawn), indent=2, ensure_ascii=False))
        return
    if kind == "text":
        click.echo(graph.to_text(drawn, width=_width()))
        return
    draw = {"mermaid": graph.to_mermaid, "dot": graph.to_dot}
    click.echo(draw[kind](drawn))


def _width() -> int:
    """Return the columns of the terminal or of ``COLUMNS``; a file has room for long lines."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return graph.WIDTH


def _unknown(address: str) -> InputError:
    return InputError(f"{address}: the cloud knows no such group, or hides it from this account")
