"""``sgguard explain``: what references a group and what is bound to it, as a graph."""

from __future__ import annotations

import click

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.options import epilog, from_options
from sgguard.cli.output import print_json
from sgguard.errors import InputError, NotFoundError
from sgguard.model.address import Address
from sgguard.operations.explain import read
from sgguard.render import graph

_FORMATS = ("text", "json", "mermaid", "dot")
_DEEPEST = 20


@command(
    short_help="Show what references a group or is bound to it.",
    epilog=epilog(
        "sgguard explain tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard explain tencent::ap-guangzhou:sg-5ua9adfv --depth 3",
        "sgguard explain openstack::RegionOne:5c7f… --format dot | dot -Tsvg > group.svg",
        "sgguard explain alibaba::cn-hangzhou:sg-bp1fg655… --json | jq '.edges[].source'",
    ),
)
@click.argument("address")
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="How the graph is written (default: text).",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--depth",
    type=click.IntRange(1, _DEEPEST),
    default=1,
    show_default=True,
    help="Levels of references to follow.",
)
def explain(address: str, kind: str | None, depth: int, *, as_json: bool) -> None:
    """Show which rules reference a group, what is bound to it, and how to detach each of them.

    ADDRESS is provider:account:region:group-id; the account may be empty. --depth 2 also shows
    what references the groups that reference it, and so on; cycles are listed.

    Text shows the first few of each kind and counts the others; JSON has all of them. Mermaid and
    DOT draw the graph.
    """
    if as_json and kind not in (None, "json"):
        raise click.UsageError(f"--json and --format {kind} exclude each other.")
    try:
        wanted = Address.parse(address)
        with terminal.waiting(str(wanted.scope)):
            facts = read(wanted, from_options(), depth)
    except NotFoundError as error:
        raise _unknown(address) from error
    first = facts.groups[0]
    if first.group is None and not first.unseen:
        raise _unknown(address)
    drawn = graph.build(facts.groups, targets=1)
    if as_json or kind == "json":
        print_json(graph.to_json(drawn))
        return
    if kind in (None, "text"):
        shown = graph.to_text(drawn, width=terminal.width() or graph.WIDTH)
        terminal.say(shown)
        return
    draw = {"mermaid": graph.to_mermaid, "dot": graph.to_dot}
    terminal.say(draw[str(kind)](drawn))


def _unknown(address: str) -> InputError:
    return InputError(
        f"{address}: the cloud knows no such group, or these credentials cannot see it"
    )
