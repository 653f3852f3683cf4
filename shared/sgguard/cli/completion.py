"""``sgguard completion``: what makes a shell complete commands and options."""

from __future__ import annotations

import os

import click
from click.shell_completion import get_completion_class, shell_complete

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.options import JSON_OPTION, epilog
from sgguard.cli.output import print_json
from sgguard.settings import PREFIX

VARIABLE = f"_{PREFIX}COMPLETE"
"""Set by a shell's completion: what it asks for, such as ``bash_complete``."""

_SHELLS = ("bash", "zsh", "fish")


@command(
    short_help="Print the completion of a shell.",
    epilog=epilog(
        'eval "$(sgguard completion bash)"    # in ~/.bashrc',
        'eval "$(sgguard completion zsh)"     # in ~/.zshrc',
        "sgguard completion fish > ~/.config/fish/completions/sgguard.fish",
    ),
)
@click.argument("shell", type=click.Choice(_SHELLS))
@JSON_OPTION
@click.pass_context
def completion(ctx: click.Context, shell: str, *, as_json: bool) -> None:
    """Print what makes SHELL complete commands, options and their values."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click has no completion for {shell}.")
    made = kind(ctx.find_root().command, {}, "sgguard", VARIABLE)
    # Not made.source(): that starts a bash of the machine to look at its version.
    script = kind.source_template % made.source_vars()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        terminal.say(script)


def answered(root: click.Command) -> int | None:
    """Answer a shell that asks for completions; None where none does."""
    asked = os.environ.get(VARIABLE)
    return None if not asked else shell_complete(root, {}, "sgguard", VARIABLE, asked)
