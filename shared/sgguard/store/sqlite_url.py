"""Which file a ``sqlite:`` URL means, and whether it can be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from sgguard.errors import SettingsError
from sgguard.store.base import Store
from sgguard.store.sql import SqlStore
from sgguard.store.sqlite import SqliteDatabase, prepare

_PREFIX = "sqlite:///"
_OWN_FOLDER = "sgguard"
_NEEDED = (3, 35)  # RETURNING


def open_sqlite(url: str, now: Callable[[], float] | None) -> Store:
    """Return the store in the file of a URL.

    Raises:
        SettingsError: the URL names no file, or one that cannot be created or written.
    """
    if sqlite3.sqlite_version_info < _NEEDED:
        raise SettingsError(
            f"SGGUARD_STORE: this Python has SQLite {sqlite3.sqlite_version}, 3.35 is needed"
        )
    path = _path(url)
    _require_folder(path.parent)
    if path.is_dir():
        raise SettingsError(f"SGGUARD_STORE: {path} is a folder, expected a file")
    try:
        prepare(path)
    except OSError as error:
        raise SettingsError(f"SGGUARD_STORE: {path} cannot be written: {error.strerror}") from error
    return SqlStore(SqliteDatabase(path.resolve(), now))


def _path(url: str) -> Path:
    # The URL is not repeated where it may be one with a password that was misspelt.
    if url[: len(_PREFIX)].lower() != _PREFIX:
        raise SettingsError("SGGUARD_STORE: after sqlite: come three slashes, then the path")
    text = url[len(_PREFIX) :]
    if "?" in text or "#" in text:
        raise SettingsError("SGGUARD_STORE: a sqlite URL has no options; write ? and # as %3F, %23")
    path = unquote(text)
    if not path or path.endswith("/") or "\0" in path:
        raise SettingsError("SGGUARD_STORE: expected the path of a file after sqlite:///")
    if path == ":memory:":
        raise SettingsError("SGGUARD_STORE: a store in memory keeps nothing; name a file")
    return Path(path)


def _require_folder(folder: Path) -> None:
    try:
        if folder.name == _OWN_FOLDER:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"SGGUARD_STORE: the folder {folder} cannot be made: {error.strerror}"
        ) from error
    if not folder.is_dir():
        raise SettingsError(f"SGGUARD_STORE: there is no folder {folder}")
