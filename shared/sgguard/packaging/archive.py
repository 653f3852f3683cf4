"""Archives whose bytes depend on their files alone: sorted, of one time, owner and two modes."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Collection, Mapping

_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold."""

_FILE, _PROGRAM = 0o644, 0o755
_UNIX = 3
_REGULAR = 0o100000
_LEVEL = 9


def zipped(files: Mapping[str, bytes], programs: Collection[str] = ()) -> bytes:
    """Return a zip of the files; ``programs`` may be executed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = _UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = _PROGRAM if name in programs else _FILE
            entry.external_attr = (_REGULAR | mode) << 16
            packed.writestr(entry, files[name], compresslevel=_LEVEL)
    return target.getvalue()


def tarred(files: Mapping[str, bytes], programs: Collection[str] = ()) -> bytes:
    """Return a tar of the files and of the folders they are in, all owned by root."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as packed:
        for name in sorted({*files, *_folders(files)}):
            entry = tarfile.TarInfo(name)
            if name in files:
                entry.size = len(files[name])
                entry.mode = _PROGRAM if name in programs else _FILE
                packed.addfile(entry, io.BytesIO(files[name]))
            else:
                entry.type, entry.mode = tarfile.DIRTYPE, _PROGRAM
                packed.addfile(entry)
    return target.getvalue()


def _folders(names: Collection[str]) -> set[str]:
    parts = [name.split("/")[:-1] for name in names]
    return {"/".join(one[:n]) for one in parts for n in range(1, len(one) + 1)}
