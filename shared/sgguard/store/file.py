"""Which file a ``sqlite:`` URL means, whether it can be used, and how it is made."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from urllib.parse import unquote

from sgguard.errors import SettingsError

_PREFIX = "sqlite:///"
_OWN_FOLDER = "sgguard"
_NEEDED = (3, 35)  # RETURNING


def made(url: str) -> Path:
    """Return the file of a URL, made where it was not there.

    Raises:
        SettingsError: the URL names no file, or one that cannot be created or written.
    """
    path = _path(url)
    _make_own_folder(path.parent)
    _require_folder(path.parent)
    _require_file(path)
    try:
        prepare(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path.resolve()


def found(url: str) -> Path | None:
    """Return the file of a URL, None where there is no such file; nothing is made.

    Raises:
        SettingsError: the URL names no file, or one that cannot be read and written.
    """
    path = _path(url)
    try:
        path.stat()
        _require_file(path)
        _require_access(path)
    except (FileNotFoundError, NotADirectoryError):
        if path.parent.name != _OWN_FOLDER:
            _require_folder(path.parent)
        return None
    except OSError as error:
        raise _unwritable(path, error) from error
    return path.resolve()


def prepare(path: Path) -> None:
    """Create the file if it is not there, for its owner's eyes only.

    One that is there is not opened: closing it again would take away the locks that connections
    of this process have on it (https://www.sqlite.org/howtocorrupt.html, 2.2).

    Raises:
        OSError: it cannot be created, read or written.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        _require_access(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # or a power cut might take the file, and the journal in it
    finally:
        os.close(folder)


def _require_access(path: Path) -> None:
    # The folder as well: the write-ahead log is made beside the file.
    if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK)):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise SettingsError(f"SGGUARD_STORE: {path} is a folder, expected a file")


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"SGGUARD_STORE: {path} cannot be written: {error.strerror}")


def _path(url: str) -> Path:
    if sqlite3.sqlite_version_info < _NEEDED:
        raise SettingsError(
            f"SGGUARD_STORE: this Python has SQLite {sqlite3.sqlite_version}, 3.35 is needed"
        )
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


def _make_own_folder(folder: Path) -> None:
    try:
        if folder.name == _OWN_FOLDER:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"SGGUARD_STORE: the folder {folder} cannot be made: {error.strerror}"
        ) from error


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise SettingsError(f"SGGUARD_STORE: there is no folder {folder}")
