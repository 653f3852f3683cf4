"""``sgguard demo``: everything at work on emulated clouds, offline."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from types import FrameType

import click

from sgguard.cli.options import examples
from sgguard.demo import run as story

_COLOURS = {"allow": "green", "block": "red", "remediate": "yellow", "refused": "magenta"}


@click.command(
    short_help="See it work on five emulated clouds, offline.",
    epilog=examples("sgguard demo", "NO_COLOR=1 sgguard demo | less"),
)
def demo() -> int:
    """Judge a built-in scenario on five emulated clouds, offline, in half a minute.

    Starts the emulator and the real functions on this machine, sends them events over HTTP, and
    prints one line for each. The exit code is 0 when every answer was the expected one, else 2.
    """
    # An end by SIGTERM takes the way of Ctrl-C, so that the functions are ended too.
    signal.signal(signal.SIGTERM, _interrupt)
    is_terminal = sys.stdout.isatty()
    is_colourful = is_terminal and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size().columns if is_terminal else None

    def paint(words: str, colour: str) -> str:
        return click.style(words, fg=_COLOURS[colour], bold=True) if is_colourful else words

    def complain(line: str) -> None:
        click.echo(line, err=True)

    is_as_expected = story.run(click.echo, paint, complain, width=width)
    return 0 if is_as_expected else 2


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
