"""``sgguard demo``: everything at work on emulated clouds, offline."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

import click

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import ERROR
from sgguard.cli.options import JSON_OPTION, epilog
from sgguard.cli.output import print_json
from sgguard.demo.response import Response
from sgguard.demo.run import WIDTH, Output, run

_VERDICTS = ("allow", "block", "remediate", "refused")
_WIDTH_MIN = 72


@command(
    short_help="See it work on emulated clouds, offline.",
    epilog=epilog(
        "sgguard demo",
        "sgguard demo --full | less",
        "NO_COLOR=1 sgguard demo",
        exit_codes="0 every response is as expected, 2 one is not, or an error",
    ),
)
@click.option("--full", "is_full", is_flag=True, help="Print every decision in full.")
@JSON_OPTION
def demo(*, is_full: bool, as_json: bool) -> int:
    """Judge a built-in scenario on five emulated clouds, offline; needs no credentials.

    Starts the emulator and the real functions on this machine, sends them events over HTTP, and
    prints one line for each: verdict, cloud, group or instance, and the main reason. Then it
    shows one graph, what was changed in the emulated cloud, and how that is undone.
    """
    # However the command ends, so do the functions: by SIGTERM, or with its terminal.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means that it goes on
            signal.signal(number, _interrupt)
    events: list[dict[str, Any]] = []
    output = Output(
        _ignore if as_json else _echo,
        terminal.complain,
        lambda words, _verdict: words,
        width=min(max(terminal.width() or WIDTH, _WIDTH_MIN), WIDTH),
        is_full=is_full,
        seen=lambda one: events.append(_document(one)),
    )
    with terminal.waiting("the emulated clouds and the functions"):
        is_as_expected = run(output)
    if as_json:
        print_json({"is_as_expected": is_as_expected, "events": events})
    return 0 if is_as_expected else ERROR


def _ignore(_line: str) -> None:
    """Print nothing: the document of --json comes at the end."""


def _echo(line: str) -> None:
    """Print a line; a verdict at its beginning is coloured."""
    verdict = next((one for one in _VERDICTS if line.startswith(f"{one} ")), "")
    terminal.say(line, head=(verdict, verdict) if verdict else None)


def _document(one: Response) -> dict[str, Any]:
    return {"title": one.event.title, "status": one.status, "response": one.document}


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
