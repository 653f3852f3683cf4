"""``sgguard explain``: who references a group and what carries it, as a graph."""

from __future__ import annotations

import json

import click

from sgguard import graph, pipeline
from sgguard.cli.means import examples, from_options
from sgguard.errors import InputError, NotFoundError
from sgguard.model import Address

_FORMATS = ("text", "json", "mermaid", "dot")


@click.command(
    short_help="Draw who references a group and what carries it.",
    epilog=examples(
        "sgguard explain tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard explain openstack::RegionOne:5c7f… --format dot | dot -Tsvg > group.svg",
        "sgguard explain alibaba::cn-hangzhou:sg-bp1fg655… --json | jq '.edges[].source'",
    ),
)
@click.argument("address")
@click.option("--format", "kind", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def explain(address: str, kind: str, *, as_json: bool) -> None:
    """Draw who references a group and what carries it.

    ADDRESS is provider:account:region:group-id; the account may be empty.
    """
    try:
        facts = pipeline.explain(Address.parse(address), from_options())
    except NotFoundError as error:
        raise _unknown(address) from error
    if all(one.group is None and not one.unseen for one in facts.groups):
        raise _unknown(address)
    drawn = graph.build(facts.groups)
    if as_json or kind == "json":
        click.echo(json.dumps(graph.to_json(drawn), indent=2, ensure_ascii=False))
        return
    draw = {"text": graph.to_text, "mermaid": graph.to_mermaid, "dot": graph.to_dot}
    click.echo(draw[kind](drawn))


def _unknown(address: str) -> InputError:
    return InputError(f"{address}: the cloud knows no such group, or hides it from this account")
