"""What the commands about stored records share: the store, user names and spans of time."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import click

from sgguard import lazy
from sgguard.cli import terminal
from sgguard.cli.options import from_options, store_only
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import SettingsError
from sgguard.store import store_location as location

if TYPE_CHECKING:
    import zoneinfo
else:
    zoneinfo = lazy("zoneinfo")  # only for a zone that is named

_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_SPAN = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


class _Zone(click.ParamType):  # type: ignore[type-arg] # generic since click 8.5
    """A time zone: ``local``, ``UTC``, or a name such as ``Europe/Berlin``."""

    name = "zone"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tzinfo | None:
        """Return the zone, None for that of this machine (``TZ``)."""
        if not isinstance(value, str) or value.lower() == "local":
            return None
        if value.upper() in ("UTC", "Z"):
            return UTC
        try:
            return zoneinfo.ZoneInfo(value)
        except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
            self.fail(f"{value!r} is no time zone: use local, UTC or Europe/Berlin.", param, ctx)


ZONE_OPTION = click.option(
    "--zone",
    type=_Zone(),
    default="local",
    show_default=True,
    metavar="ZONE",
    help="The time zone of times: local, UTC, or a name such as Europe/Berlin.",
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
    if context.store is not None:
        with terminal.waiting(f"the store at {store_location(context)}"):
            context.store.now_s()  # to connect may take seconds
    return context


def store_location(context: Context) -> str:
    """Return where the store is, without user and password."""
    return location(context.settings.store_url or "")


def instant(
    option: str, text: str, now_s: float, zone: tzinfo | None, *, is_end: bool = False
) -> float:
    """Return the time that ``7d``, ``12h``, ``30m``, ``2w`` or an ISO 8601 date or time means.

    A date or time without a zone is one of ``zone``. With ``is_end`` a day counts whole.

    Raises:
        UsageError: it is none of them.
    """
    if span := _SPAN.fullmatch(text):
        return now_s - (int(span[1]) * _UNITS[span[2]]).total_seconds()
    try:
        found = datetime.fromisoformat(text)
        if is_end and _DAY.fullmatch(text):
            found += timedelta(days=1)
        # Without a zone of its own, astimezone takes that of this machine.
        placed = found if found.tzinfo or zone is None else found.replace(tzinfo=zone)
        return placed.astimezone(UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        message = "expected a span such as 7d or 12h, or a date such as 2027-03-31"
        raise click.UsageError(f"{option} {text}: {message}.") from None


def in_zone(at_s: float, zone: tzinfo | None) -> datetime:
    """Return a time in the zone, or in that of this machine."""
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone)


def when(at_s: float, zone: tzinfo | None = UTC) -> str:
    """Return a time to the minute, with the name of its zone."""
    found = in_zone(at_s, zone)
    return f"{found:%Y-%m-%d %H:%M} {found.tzname() or found.strftime('%z')}"


def format_duration(seconds: float) -> str:
    """Return a span of time in words, rounded down: ``45 s``, ``12 min``, ``3 h``, ``2 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(int(seconds), 0)} s"
