"""``sgguard permissions``: the least that the credentials of a function need, as a document."""

from __future__ import annotations

from typing import Any

import click

from sgguard import clouds, providers
from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.options import epilog
from sgguard.cli.output import print_json
from sgguard.model.codes import Mode
from sgguard.providers import Permission, needed


@command(
    short_help="Print the least permissions for a mode and its remedies.",
    epilog=epilog(
        "sgguard permissions --provider tencent --mode observe",
        "sgguard permissions --provider alibaba --mode enforce --remedy revoke --remedy move",
        "sgguard permissions --provider huawei --mode approve --remedy revoke --table",
        exit_codes="0 printed, 2 something that does not exist",
    ),
)
@click.option("--provider", required=True, type=click.Choice(clouds.names()), help="The cloud.")
@click.option(
    "--mode",
    type=click.Choice([str(one) for one in Mode]),
    default=str(Mode.OBSERVE),
    show_default=True,
    help="The mode; observe only reads.",
)
@click.option(
    "--remedy",
    "remedies",
    multiple=True,
    type=click.Choice(providers.REMEDIES),
    help="A remedy that the policy permits; repeatable.",
)
@click.option("--table", "as_table", is_flag=True, help="Print what each permission is for.")
@click.option("--json", "as_json", is_flag=True, help="The document and the table in one.")
def permissions(
    provider: str, mode: str, remedies: tuple[str, ...], *, as_table: bool, as_json: bool
) -> None:
    """Print the cloud's own policy that grants what a mode needs, and nothing else.

    The mode observe only reads. The modes approve and enforce may delete groups as well, and make
    them again; each --remedy adds its own changes and their way back. In the mode approve, only
    the process that carries an approved plan out needs more than observe.
    """
    if as_table and as_json:
        raise click.UsageError("--json and --table exclude each other.")
    if remedies and mode == Mode.OBSERVE:
        raise click.UsageError("--remedy needs --mode approve or enforce: observe changes nothing.")
    documented = providers.documented(provider)
    chosen = needed(documented.PERMISSIONS, changes=mode != Mode.OBSERVE, remedies=remedies)
    if as_json:
        rows = [_row(one) for one in chosen]
        print_json({"document": documented.document(chosen), "permissions": rows})
    elif as_table:
        for line in _table(chosen):
            terminal.say(line)
    else:
        print_json(documented.document(chosen))
        terminal.note(documented.HOW)


def _row(one: Permission) -> dict[str, Any]:
    return {"action": one.action, "grants": list(one.grants), "for": one.brings}


def _table(chosen: tuple[Permission, ...]) -> list[str]:
    granted = [" ".join(one.grants) for one in chosen]
    width = max(map(len, granted))
    return [f"{name:<{width}}  {one.brings}" for name, one in zip(granted, chosen, strict=True)]
