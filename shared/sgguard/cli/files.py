"""Files that commands write: known to be writable before any work, and for their owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TextIO

from sgguard.errors import SettingsError


def require_writable(path: str, option: str) -> None:
    """Refuse a file that cannot be written, before any work is done.

    Raises:
        SettingsError: it is a folder, its folder does not exist, or it may not be written.
    """
    file = Path(path)
    folder = file.parent
    if not path.strip():
        raise SettingsError(f"{option} names no file")
    if file.is_dir():
        problem = "is a folder: name a file in it"
    elif not folder.is_dir():
        problem = f"the folder {folder} does not exist: make it first"
    elif not os.access(file if file.exists() else folder, os.W_OK):
        problem = "this user may not write there: name another file"
    else:
        return
    raise SettingsError(f"{option} {path}: {problem}")


def write_private(path: str, text: str, option: str) -> None:
    """Write a file for its owner's eyes only.

    Raises:
        SettingsError: it cannot be written; the message says why.
    """
    try:
        with open_private(path) as file:
            file.write(text)
    except OSError as error:
        raise SettingsError(f"{option} {path}: {error.strerror}: name another file") from error


def open_private(path: str) -> TextIO:
    """Open a file for its owner's eyes only: facts name everything that a group protects."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    file = os.fdopen(number, "w", encoding="utf-8", errors="sgguard")
    if stat.S_ISREG(os.fstat(number).st_mode):  # and not a pipe or /dev/stdout
        os.fchmod(number, 0o600)  # one that was there keeps its mode otherwise
        file.truncate()
    return file
