"""``sgguard functions``: which functions this installation has, and where they lie."""

from __future__ import annotations

import click

from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.options import JSON_OPTION, epilog
from sgguard.cli.output import print_json
from sgguard.errors import InputError
from sgguard.web import installed


@group(
    short_help="Tell where the functions lie.",
    epilog=epilog(
        "sgguard functions list",
        "functions-framework --target delete_request \\",
        '  --source "$(sgguard functions path delete_request)"',
        exit_codes="0 success, 2 error",
    ),
)
def functions() -> None:
    """List the functions that are installed, or tell where one lies.

    They are in the wheel: what a platform runs, and what `sgguard serve` and `sgguard demo` run,
    are the same files.
    """


@functions.command(
    "list", short_help="List the functions.", epilog=epilog("sgguard functions list")
)
@JSON_OPTION
def list_(*, as_json: bool) -> None:
    """Print the name of every function, and its source file with --json."""
    found = installed.functions()
    if as_json:
        print_json({"functions": {name: str(path) for name, path in found.items()}})
    for name in () if as_json else found:
        terminal.say(name)


@functions.command(
    short_help="Print where the functions lie.",
    epilog=epilog("sgguard functions path", "sgguard functions path instance_launch"),
)
@click.argument("name", required=False)
@JSON_OPTION
def path(name: str | None, *, as_json: bool) -> None:
    """Print the folder of the functions, or the source file of the function NAME."""
    found = installed.functions()
    if name is not None and name not in found:
        raise InputError(f"there is no function {name!r}: expected one of {', '.join(found)}")
    where = str(found[name] if name else installed.folder())
    if as_json:
        print_json({"path": where})
    else:
        terminal.say(where)
