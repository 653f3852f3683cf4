"""``sgguard demo``: everything at work on emulated clouds, offline."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from types import FrameType

import click

from sgguard.cli.options import epilog
from sgguard.demo.run import WIDTH, Output, run

_COLOURS = {"allow": "green", "block": "red", "remediate": "yellow", "refused": "magenta"}
_WIDTH_MIN = 72


@click.command(
    short_help="See it work on emulated clouds, offline.",
    epilog=epilog(
        "sgguard demo",
        "sgguard demo --full | less",
        "NO_COLOR=1 sgguard demo",
        exit_codes="0 every response is as expected, 2 one is not, or an error",
    ),
)
@click.option("--full", "is_full", is_flag=True, help="Print every decision in full.")
def demo(*, is_full: bool) -> int:
    """Judge a built-in scenario on five emulated clouds, offline; needs no credentials.

    Starts the emulator and the real functions on this machine, sends them events over HTTP, and
    prints one line for each: verdict, cloud, group or instance, and the main reason. Then it
    shows one graph, what was changed in the emulated cloud, and how that is undone.
    """
    # SIGTERM is handled as Ctrl-C, so that the functions are ended too.
    signal.signal(signal.SIGTERM, _interrupt)
    is_terminal = sys.stdout.isatty()
    is_colourful = is_terminal and not os.environ.get("NO_COLOR")
    columns = shutil.get_terminal_size().columns if is_terminal else WIDTH

    def paint(words: str, colour: str) -> str:
        return click.style(words, fg=_COLOURS[colour], bold=True) if is_colourful else words

    def error(line: str) -> None:
        click.echo(line, err=True)

    width = min(max(columns, _WIDTH_MIN), WIDTH)
    return 0 if run(Output(click.echo, error, paint, width, is_full)) else 2


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
