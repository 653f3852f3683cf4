"""The commands' own kind of click command: common options, and one meaning for every option.

An option that cannot be repeated and is given twice is an error: with click the last one wins, and
a check of two instances would silently be one of the second. A command that does not exist is
answered with those of a similar name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeVar, cast

import click

from sgguard import clouds
from sgguard.cli import terminal
from sgguard.operations.misspelt import misspelt
from sgguard.settings import unknown_variables
from sgguard.telemetry import logs

F = TypeVar("F", bound=Callable[..., Any])

_META = __name__


def common_options() -> list[click.Parameter]:
    """Return the options that every command has."""
    return [
        click.Option(
            ["--output", "output_file"],
            type=click.Path(),
            metavar="FILE",
            help="Write into FILE (mode 0600) what would go to standard output.",
        ),
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="Colour verdicts; auto: on a terminal, unless NO_COLOR is set.",
        ),
        click.Option(
            ["-q", "--quiet", "is_quiet"],
            is_flag=True,
            help="Print the result and errors only: no notes, no progress.",
        ),
        click.Option(
            ["-v", "--verbose", "is_verbose"],
            is_flag=True,
            help="Print evidence whole, and log lines on standard error.",
        ),
    ]


_COMMON = ("output_file", "color", "is_quiet", "is_verbose")


class Command(click.Command):
    """A command with the common options, whose other options come at most once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(common_options())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; refuse an option that is given twice and means one thing."""
        _require_once(self, ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, printing as the common options say."""
        given = {name: ctx.params.pop(name, None) for name in _COMMON}
        apply_common(given)
        warn_misspelt()
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options first, apart from those that every command has."""
        records: dict[bool, list[tuple[str, str]]] = {False: [], True: []}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                records[param.name in _COMMON].append(record)
        for is_common, title in ((False, "Options"), (True, "Common options")):
            with formatter.section(title):
                formatter.write_dl(records[is_common])

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option ``--help``; the help is printed as everything else is."""
        return _own_help(super().get_help_option(ctx))


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; refuse an option that is given twice and means one thing."""
        _require_once(self, ctx, args)
        return super().parse_args(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option ``--help``; the help is printed as everything else is."""
        return _own_help(super().get_help_option(ctx))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; one that does not exist names those that are spelt like it."""
        name = args[0]
        is_known = ctx.resilient_parsing or name.startswith("-") or self.get_command(ctx, name)
        if not is_known:
            near = get_close_matches(name, self.list_commands(ctx), n=2, cutoff=0.6)
            hint = f" Did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else ""
            raise click.UsageError(f"No such command '{name}'.{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)


command = cast(Callable[..., Callable[[F], Command]], partial(click.command, cls=Command))
group = cast(Callable[..., Callable[[F], Group]], partial(click.group, cls=Group))


def apply_common(given: dict[str, Any]) -> None:
    """Print from now on as the common options say."""
    terminal.use(given)
    if given.get("is_verbose") and not os.environ.get("SGGUARD_LOG_LEVEL"):
        logs.configure("INFO")


def warn_misspelt() -> None:
    """Report every variable that means nothing here: most likely it is misspelt."""
    for name in unknown_variables(os.environ, clouds.names()):
        note_once(f"{misspelt(name, clouds.names())}: see deploy/README.md")


def note_once(message: str) -> None:
    """Write a note once per command, however often its reason is met."""
    context = click.get_current_context(silent=True)
    noted: set[str] = set() if context is None else context.meta.setdefault(_META, set())
    if message not in noted:
        noted.add(message)
        terminal.note(message)


def _require_once(command: click.Command, ctx: click.Context, args: list[str]) -> None:
    if ctx.resilient_parsing:
        return
    _, _, order = command.make_parser(ctx).parse_args(args=list(args))
    for one, times in Counter(order).items():
        is_option = isinstance(one, click.Option) and not (one.multiple or one.count)
        if is_option and times > 1:
            names = "/".join(one.opts)
            raise click.UsageError(f"{names} is given {times} times: give it once.", ctx=ctx)


def _own_help(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.callback = _help
    return option


def _help(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    if value and not ctx.resilient_parsing:
        terminal.say(ctx.get_help())
        ctx.exit()
