"""Where output goes: one way out for everything a command prints, to a terminal, pipe or file.

Texts of clouds and callers can hold anything. No control character, escape or bidirectional mark
of them reaches a terminal: whatever is printed passes :func:`harmless` here, and colours are added
behind it. A character that the encoding of the output does not have is replaced.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TextIO

import click

from sgguard.cli.characters import escaped_json, harmless
from sgguard.cli.files import open_private, require_writable
from sgguard.telemetry.redaction import redacted

WIDTH_MIN = 40
SILENT_S = 2.0
"""Seconds of silence on a terminal after which it is shown what is waited for."""

_BEAT_S = 1.0
_COLOURS = {"allow": "green", "block": "red", "remediate": "yellow", "refused": "magenta"}


@dataclass(slots=True)
class _State:
    """How the running command prints; ``file`` takes the place of standard output."""

    colour: str = "auto"
    is_quiet: bool = False
    is_verbose: bool = False
    is_interrupted: bool = False
    path: str | None = None
    file: TextIO | None = None
    waits: list[str] = field(default_factory=list)
    shown: int = 0
    written_s: float = 0.0
    lock: threading.RLock = field(default_factory=threading.RLock)


_state = _State()


def begin() -> None:
    """Print as the defaults say, from now on; characters that cannot be shown are replaced."""
    global _state  # noqa: PLW0603 - a process has one standard output
    _state = _State()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none, or one that cannot
            stream.reconfigure(errors="sgguard")  # type: ignore[union-attr]


def flush() -> None:
    """Write everything that was printed.

    Raises:
        OSError: it cannot be written.
    """
    if sys.stdout is not None:  # it is when the shell closed it
        sys.stdout.flush()


def close() -> None:
    """Close the file of ``--output``; everything that was printed is in it."""
    if _state.file is not None:
        with suppress(OSError):
            _state.file.close()


def use(options: dict[str, Any]) -> None:
    """Print as the common options say: only those that were given count.

    Raises:
        SettingsError: the file of ``--output`` cannot be written.
    """
    _state.colour = options.get("color") or _state.colour
    _state.is_quiet |= bool(options.get("is_quiet"))
    _state.is_verbose |= bool(options.get("is_verbose"))
    path = options.get("output_file")
    if path is not None:
        require_writable(path, "--output")  # before any work is done
        _state.path = path


def is_quiet() -> bool:
    """Whether only what was asked for and errors are printed."""
    return _state.is_quiet


def is_verbose() -> bool:
    """Whether lists are printed whole, and log lines too."""
    return _state.is_verbose


def is_terminal() -> bool:
    """Whether a person reads standard output as it is printed."""
    return _state.path is None and sys.stdout is not None and sys.stdout.isatty()


def width() -> int | None:
    """Return the columns of the terminal or of ``COLUMNS``; None for a pipe or a file."""
    if is_terminal() or (_state.path is None and os.environ.get("COLUMNS")):
        return max(shutil.get_terminal_size().columns, WIDTH_MIN)
    return None


def width_of_terminal() -> int | None:
    """Return the columns of the terminal; None for a pipe or a file, whatever ``COLUMNS`` says."""
    return shutil.get_terminal_size().columns if is_terminal() else None


def is_colourful() -> bool:
    """Whether verdicts are coloured: ``--color`` wins over ``NO_COLOR``."""
    if _state.colour != "auto":
        return _state.colour == "always"
    is_dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))
    return is_terminal() and not is_dumb


def painted(words: str, colour: str) -> str:
    """Return words in the colour of a verdict, where colours are shown."""
    return click.style(words, fg=_COLOURS[colour], bold=True) if is_colourful() else words


def say(text: str = "", *, head: tuple[str, str] | None = None) -> None:
    """Write lines to standard output; ``head`` is a beginning, and the verdict of its colour."""
    shown = harmless(text)
    if head is not None and shown.startswith(head[0]):
        shown = painted(head[0], head[1]) + shown.removeprefix(head[0])
    _write(_out(), shown)


def complain(text: str) -> None:
    """Write lines to standard error; where nobody reads them, nothing is written."""
    with suppress(BrokenPipeError):
        _write(sys.stderr, harmless(text))


def note(text: str) -> None:
    """Write one line about the work to standard error, unless nothing but errors is wanted."""
    if not _state.is_quiet:
        complain(f"sgguard: {' '.join(text.split())}")


def progress(text: str) -> None:
    """Write one line of progress to standard error.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed, and what it raised then was lost.
    """
    if not _state.is_quiet:
        complain(text)
    raise_interrupt()


def raise_interrupt() -> None:
    """Raise Ctrl-C again where it was pressed and lost."""
    if _state.is_interrupted:
        raise KeyboardInterrupt


def note_interrupt() -> None:
    """Remember Ctrl-C: the next line of progress raises it again."""
    _state.is_interrupted = True


def watched_progress(text: str) -> None:
    """Write one line of progress where a person watches, or wants every line."""
    if _state.is_verbose or (sys.stderr is not None and sys.stderr.isatty()):
        progress(text)


def say_json(text: str | Iterable[str]) -> None:
    """Write JSON, whole or in pieces.

    What could steer a terminal, or cannot be encoded, is escaped as JSON does.
    """
    stream = _out()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for piece in [text] if isinstance(text, str) else text:
        _write(stream, escaped_json(piece, encoding), end="")
    _write(stream, "")


def page(lines: Iterable[str], *, head: tuple[str, str] | None = None) -> None:
    """Write lines: a screenful at a time on a terminal that they do not fit, else all of them.

    ``PAGER`` names the program that shows them; ``PAGER=cat`` shows all at once.
    """
    rest = iter(lines)
    is_paged = is_terminal() and sys.stdin is not None and sys.stdin.isatty()
    first = list(islice(rest, max(shutil.get_terminal_size().lines - 1, 1))) if is_paged else []
    following = list(islice(rest, 1)) if is_paged else []
    if first and not following:
        rest = iter(first)
    elif following:
        os.environ.setdefault("LESS", "FRX")  # as git has it: what was read stays on the screen
        whole = (f"{redacted(harmless(one))}\n" for one in chain(first, following, rest))
        click.echo_via_pager(whole)
        return
    for one in rest:
        say(one, head=head)
        head = None


def confirm(question: str) -> bool | None:
    """Ask on standard error; None where nobody answers: the input is closed."""
    _write(sys.stderr, harmless(question) + " [y/N] ", end="")
    while True:
        answer = sys.stdin.readline() if sys.stdin is not None else ""
        if not answer:
            complain("")
            return None
        match answer.strip().lower():
            case "y" | "yes":
                return True
            case "" | "n" | "no":
                return False
        _write(sys.stderr, "Please answer y or n: ", end="")


def _out() -> TextIO | None:
    if _state.path is not None and _state.file is None:
        _state.file = open_private(_state.path)
    return _state.file or sys.stdout


def _write(stream: TextIO | None, text: str, end: str = "\n") -> None:
    """Write a text, without the secrets of this process."""
    if stream is None:
        return
    text = redacted(text)
    with _state.lock:
        _clear()
        stream.write(text + end)
        stream.flush()
        _state.written_s = time.monotonic()


# -- what is waited for ----------------------------------------------------------------------------


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal what is waited for, once nothing was printed for two seconds."""
    is_shown = sys.stderr is not None and sys.stderr.isatty() and not _state.is_quiet
    if not is_shown:
        yield
        return
    _state.waits.append(what)
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(what, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        _state.waits.remove(what)
        with _state.lock:
            _clear()


def _beat(what: str, ended: threading.Event) -> None:
    begun_s = time.monotonic()
    pause_s = SILENT_S
    while not ended.wait(pause_s):
        silent_s = time.monotonic() - max(begun_s, _state.written_s)
        pause_s = _BEAT_S if silent_s >= SILENT_S else SILENT_S - silent_s
        if silent_s < SILENT_S or _state.waits[-1:] != [what]:  # or another one is shown
            continue
        with _state.lock:
            _clear()
            room = max(shutil.get_terminal_size().columns - 1, WIDTH_MIN)
            text = harmless(f"waiting for {what}, {time.monotonic() - begun_s:.0f} s")[:room]
            sys.stderr.write(f"\r{text}")
            sys.stderr.flush()
            _state.shown = len(text)


def _clear() -> None:
    """Remove the line that shows what is waited for; spaces do it on every terminal."""
    if _state.shown:
        sys.stderr.write(f"\r{' ' * _state.shown}\r")
        sys.stderr.flush()
        _state.shown = 0
