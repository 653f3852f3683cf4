"""What the commands about stored records share: the store, user names and spans of time."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import click

from sgguard.cli.options import KEPT_TEXT, from_options, store_only
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import SettingsError

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
    type=KEPT_TEXT,
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


def open_executor(
    *, needs: Collection[str] = (), makes_store: bool = False
) -> tuple[Context, Executor]:
    """Return a context without policy, and an executor on the store of SGGUARD_STORE.

    Raises:
        SettingsError: there is no store, or a setting in ``needs`` cannot be used.
    """
    context = require_store(store_only(needs=needs, makes_store=makes_store))
    return context, Executor.of(context)


def with_store(policy: str | None) -> Context:
    """Return the context of a command that needs the policy and a store that is there.

    Raises:
        SettingsError: there is no store, or a setting or the policy cannot be used.
    """
    return require_store(from_options(policy))


def require_store(context: Context) -> Context:
    """Return the context if it has a store.

    Raises:
        SettingsError: it has none; the message says where one was looked for.
    """
    if context.store is None and context.settings.store_url:
        where = store_location(context)
        raise SettingsError(f"there is no store at {where}: set SGGUARD_STORE to where one is")
    return context


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
