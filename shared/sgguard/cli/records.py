"""What the commands about stored records share: the store, user names and spans of time."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import click

from sgguard.cli.options import from_options
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor

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
    help="Your name, spelt as in the policy (default: $USER).",
)


def user_name(by: str) -> str:
    """Return the name of the user who acts.

    Raises:
        UsageError: the name is empty.
    """
    if not by.strip():
        raise click.UsageError("Give your name: --as NAME.")
    return by


def open_executor(policy: str | None = None) -> tuple[Context, Executor]:
    """Return the context, and an executor on the store of SGGUARD_STORE.

    Raises:
        SettingsError: there is no store, or a setting cannot be used.
    """
    context = from_options(policy)
    return context, Executor.of(context)


def store_location(context: Context) -> str:
    """Return where the store is, without user and password."""
    url = context.settings.store_url or ""
    if url.startswith("sqlite:"):
        return url
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def since(text: str, now_s: float) -> float:
    """Return the time that ``7d``, ``12h``, ``30m``, ``2w`` or an ISO 8601 date or time means.

    Raises:
        UsageError: it is none of them.
    """
    if span := _SPAN.fullmatch(text):
        return now_s - (int(span[1]) * _UNITS[span[2]]).total_seconds()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = "expected a span such as 7d or 12h, or a date such as 2027-03-31"
        raise click.UsageError(f"--since {text}: {message}.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def format_duration(seconds: float) -> str:
    """Return a span of time in words, rounded down: ``45 s``, ``12 min``, ``3 h``, ``2 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(int(seconds), 0)} s"
