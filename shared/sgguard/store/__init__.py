"""What is kept between deliveries: SQLite by default, PostgreSQL where many machines share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sgguard import lazy
from sgguard.errors import SettingsError
from sgguard.store.base import Store

if TYPE_CHECKING:
    from sgguard.store import postgres, sqlite
else:
    # The one that is used: psycopg takes more of a cold start than everything else here.
    sqlite = lazy("sgguard.store.sqlite")
    postgres = lazy("sgguard.store.postgres")

__all__ = ["Store", "find_store", "open_store", "store_location"]

_EXPECTED = (
    "expected sqlite:///folder/file.db, sqlite:////absolute/file.db or "
    "postgresql://user:password@host/database"
)


def open_store(url: str, now: Callable[[], float] | None = None) -> Store:
    """Return the store at a URL; its tables are made, or brought up to date, when it is used.

    ``sqlite:///`` has the path of a file after it, relative to the working directory unless it
    begins with a slash (four in all); ``%20`` and the like are decoded. A missing
    folder is refused, most likely it is misspelt; only one called ``sgguard`` is made. ``postgresql://``
    is a connection URL as libpq reads it. ``now`` takes the place of the store's clock (seconds
    since 1970-01-01 UTC).

    Raises:
        SettingsError: the URL is none of these, the file cannot be written, or what
            PostgreSQL needs is not installed.
    """
    match url.partition(":")[0].lower():
        case "sqlite":
            return sqlite.open_sqlite(url, now)
        case "postgresql" | "postgres":
            return _open_postgres(url, now)
        case _:
            # The URL is not repeated: it may hold a password.
            raise SettingsError(f"SGGUARD_STORE: {_EXPECTED}")


def find_store(url: str, now: Callable[[], float] | None = None) -> Store | None:
    """Return the store at a URL for a reader, None where there is none: no file or folder is made.

    A file of SQLite that holds other tables than sgguard's is refused when it is used. Whether a
    database of PostgreSQL has a store shows only when it is used; one that has none is refused
    then, and no table is made.

    Raises:
        SettingsError: as :func:`open_store`.
    """
    match url.partition(":")[0].lower():
        case "sqlite":
            return sqlite.find_sqlite(url, now)
        case "postgresql" | "postgres":
            return _open_postgres(url, now, must_exist=True)
        case _:
            return open_store(url, now)  # which refuses it


def store_location(url: str) -> str:
    """Return where a store is, without user and password."""
    if url.startswith("sqlite:"):
        return url
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # the store itself refuses it, with the reason
        return "the address in SGGUARD_STORE"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _open_postgres(url: str, now: Callable[[], float] | None, *, must_exist: bool = False) -> Store:
    try:
        return postgres.open_postgres(url, now, must_exist=must_exist)
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "sgguard":
            raise
        raise SettingsError(
            "SGGUARD_STORE: PostgreSQL needs psycopg 3: install sgguard[postgres]"
        ) from error
