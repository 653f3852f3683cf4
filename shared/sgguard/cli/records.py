"""What the commands about kept things share: the store, names, spans of time, and lines."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import click

from sgguard.cli.options import from_options
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.render.text.kept import fitting

WIDTH = 100
_SPAN = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}

AS_OPTION = click.option(
    "--as",
    "by",
    default=lambda: os.environ.get("USER", ""),
    metavar="NAME",
    help="Who you are, spelt as in the policy (default: $USER).",
)


def named(by: str) -> str:
    """Return who acts.

    Raises:
        UsageError: nobody said.
    """
    if not by.strip():
        raise click.UsageError("Say who you are: --as NAME.")
    return by


def opened(policy: str | None = None) -> tuple[Context, Executor]:
    """Return what to work with, and the desk on the store of SGGUARD_STORE.

    Raises:
        SettingsError: there is no store, or a setting cannot be used.
    """
    context = from_options(policy)
    return context, Executor.of(context)


def place(context: Context) -> str:
    """Return where the store is, without user and password."""
    url = context.settings.store_url or ""
    if url.startswith("sqlite:"):
        return url
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def since(text: str, now_s: float) -> float:
    """Return the moment that ``7d``, ``12h``, ``30m``, ``2w`` or an ISO 8601 day or time means.

    Raises:
        UsageError: it is none of them.
    """
    if span := _SPAN.fullmatch(text):
        return now_s - (int(span[1]) * _UNITS[span[2]]).total_seconds()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        words = "expected a span such as 7d or 12h, or a day such as 2027-03-31"
        raise click.UsageError(f"--since {text}: {words}.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def ago(seconds: float) -> str:
    """Return a span of time in words, rounded down: ``45 s``, ``12 min``, ``3 h``, ``2 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(int(seconds), 0)} s"


def width() -> int:
    """Return the columns of the terminal or of ``COLUMNS``; a file has room for 100."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return max(shutil.get_terminal_size().columns, 40)
    return WIDTH


def line(text: str, indent: int = 0) -> str:
    """Return the text on one line that fits the terminal; two spaces separate its columns."""
    return fitting(" " * indent + text, width())


def print_json(document: Any) -> None:
    """Write a document and nothing else to standard output."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
