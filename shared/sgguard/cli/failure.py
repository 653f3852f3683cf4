"""How a command ends: exit codes, and one line per error; tracebacks only with ``--debug``."""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import click

from sgguard.cli import terminal
from sgguard.cli.exit_codes import ERROR, INTERRUPTED, PIPE_CLOSED
from sgguard.errors import DeadlineError, EventError, Problem, SgguardError, UnauthenticatedError
from sgguard.render.language.refusal import texts_of
from sgguard.render.language.sentence import whole_english
from sgguard.telemetry import logs


def run(command: click.Command, args: Sequence[str]) -> int:
    """Run a command and return its exit code; an error is one line on standard error.

    click's own runner is not used: it ends with 1 when the reader of a pipe goes away, which
    here would mean "block".
    """
    terminal.begin()
    try:
        return _run(command, args)
    finally:
        terminal.close()


def _run(command: click.Command, args: Sequence[str]) -> int:
    try:
        with command.make_context("sgguard", list(args)) as context:
            code = command.invoke(context)
        terminal.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - the last resort: one line instead of a traceback
        report_error(error)
        if isinstance(error, OSError):
            _forget_output()
        return ERROR
    return code if isinstance(code, int) else 0


def _forget_output() -> None:
    """Drop what could not be written: the interpreter flushes at its end and would complain."""
    with suppress(OSError, ValueError, AttributeError):  # there may be no standard output at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report_error(error: Exception) -> None:
    """Write an error as one line to standard error."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and error.ctx is not None:
        terminal.complain(error.ctx.get_help())
    elif isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "sgguard"
        report(f"{' '.join(error.format_message().split())} See `{command} --help`.")
    elif isinstance(error, SgguardError):
        report(describe(error))
    elif isinstance(error, OSError):
        report(_of_system(error))
    else:
        _unexpected(error)


def report(message: str) -> None:
    """Write one line to standard error."""
    terminal.complain(f"sgguard: {' '.join(message.split())}")


_REMEDIES = {
    errno.ENOENT: "check the name",
    errno.ENOTDIR: "check the name",
    errno.EISDIR: "name a file",
    errno.EACCES: "use a file that this user may read and write",
    errno.EROFS: "use another folder",
    errno.ENOSPC: "free some space",
    errno.EIO: "try again",
}


def _of_system(error: OSError) -> str:
    """Return what the system refused: with the file, where one is known, and what to do."""
    why = error.strerror or str(error)
    if error.filename is None:
        return f"the system refused: {why}"
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{os.fsdecode(error.filename)}: {why}" + (f": {remedy}" if remedy else "")


def describe(error: SgguardError) -> str:
    """Return an error as one line, with all of its problems where it lists any."""
    if isinstance(error, EventError) and error.problems:
        return "; ".join(_problem(problem) for problem in error.problems)
    if isinstance(error, UnauthenticatedError):
        # Some clouds quote the signed request in their text, session token included.
        refusal = f"{error.provider} {error.action}: {error.code or 'refused'}"
        return (
            f"{refusal}: the cloud does not accept these credentials; check key, secret and clock"
        )
    return " ".join(str(error).split())


def raise_last(errors: Sequence[Exception]) -> None:
    """Report all errors, the last one by raising it; without any, do nothing."""
    for error in errors[:-1]:
        report_error(error)
    if errors:
        raise errors[-1]


def describe_any(error: Exception) -> str:
    """Return any error as one line; one that is not ours only by its kind."""
    return describe(error) if isinstance(error, SgguardError) else type(error).__name__


def _problem(problem: Problem) -> str:
    found, right = map(whole_english, texts_of(problem))
    if right in found:  # an address error names the format already
        return found
    where = problem.path.lstrip("/") or "data"
    return f"{where}: {found} (expected {right})"


def debug() -> None:
    """Log in detail from now on, and show tracebacks."""
    logs.configure("DEBUG")


def _unexpected(error: Exception) -> None:
    if _is_debugging():
        terminal.complain("".join(traceback.format_exception(error)))
    report(
        f"unexpected {type(error).__name__}: {error}; this is a bug in sgguard: please report "
        "it with the traceback that `sgguard --debug …` prints"
    )


def _is_debugging() -> bool:
    is_asked_for = os.environ.get("SGGUARD_LOG_LEVEL", "").upper() == "DEBUG"
    return is_asked_for or logs.LOGGER.isEnabledFor(logging.DEBUG)


T = TypeVar("T")

# Long work on a terminal: repeated until it is done, with a line of progress for each round.

_ROUNDS_MAX = 1000
"""Each round makes at least one change of a plan; no plan is longer."""


def until_done(work: Callable[[], T], what: str) -> T:
    """Repeat the work for as long as only its deadline ends it: the journal has the progress.

    ``what`` is shown on a terminal while nothing else is.

    Raises:
        SgguardError: any other error; run again, the work continues from there.
    """
    for number in range(1, _ROUNDS_MAX):
        try:
            with terminal.waiting(what):
                return work()
        except DeadlineError:
            terminal.note(f"not finished within SGGUARD_DEADLINE_S, continuing ({number})")
    return work()
