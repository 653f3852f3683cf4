"""Which database a ``postgresql:`` URL means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import conninfo

from sgguard.errors import SettingsError
from sgguard.store.base import Store
from sgguard.store.postgres import PostgresDatabase
from sgguard.store.sql import SqlStore

_NAMING = ("user", "host", "hostaddr", "port", "dbname")


def open_postgres(url: str, now: Callable[[], float] | None) -> Store:
    """Return the store in the database of a URL; nothing is sent yet.

    Raises:
        SettingsError: libpq cannot read the URL, or reads a part of the password as a name.
    """
    parameters = _parameters(url)
    return SqlStore(PostgresDatabase(parameters, _place(parameters), now))


def _parameters(url: str) -> dict[str, Any]:
    # libpq's messages repeat the URL, or the part of it that may be the password.
    try:
        parameters = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise SettingsError(
            "SGGUARD_STORE: libpq cannot read this postgresql URL; "
            "expected postgresql://user:password@host:5432/database"
        ) from None
    # A password with an @ or a / that is not written %40 or %2F ends early: its rest would be
    # taken for a host, port or database, and be named in messages.
    is_split = any("@" in str(parameters.get(name, "")) for name in _NAMING)
    ports = str(parameters.get("port", "")).replace(",", "")
    if is_split or (ports and not (ports.isascii() and ports.isdigit())):
        raise SettingsError(
            "SGGUARD_STORE: write @, / and % in the password of a postgresql URL as %40, %2F, %25; "
            "the port is a number"
        )
    return dict(parameters)


def _place(parameters: dict[str, Any]) -> str:
    host = parameters.get("host") or parameters.get("hostaddr") or "localhost"
    port = f":{parameters['port']}" if parameters.get("port") else ""
    return f"postgresql://{host}{port}/{parameters.get('dbname') or ''}"
