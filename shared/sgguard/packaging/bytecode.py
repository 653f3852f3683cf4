"""Byte code beside the sources, so that a cold start compiles nothing.

A platform's folder is read-only: what is not shipped compiled is compiled with every start. It is
marked as never to be checked against its source, whose times mean nothing in an archive. Byte code
of another version of Python is never read, so only the target's own is made.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sgguard.errors import SettingsError
from sgguard.packaging.runtime import Target

# One file after the other, in the order of their names, by an interpreter that has loaded nothing
# else: what is written depends on what was interned before.
_COMPILE = """
import py_compile, sys
for name in sorted(sys.stdin.read().split("\\0")):
    py_compile.compile(
        name, name + "c", dfile=name, doraise=True, quiet=1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.cache_tag)"
_ALONE = ("-S", "-s", "-P")  # and not -I, which ignores the seed of hashes as well
_TIMEOUT_S = 600


def compiled(
    files: Mapping[str, bytes], target: Target, interpreter: str = ""
) -> tuple[dict[str, bytes], str]:
    """Return the byte code of the Python files by name, and why there is none where there is none.

    ``interpreter`` is a Python of the target's version; without it the one that runs this is asked.

    Raises:
        SettingsError: the interpreter is not of that version, or a file cannot be compiled.
    """
    # Found on the PATH of this process: the one of what is started has none.
    python = shutil.which(interpreter) or interpreter or sys.executable
    version, tag = _asked(python)
    if version != target.python:
        if interpreter:
            raise SettingsError(
                f"--compile-with {interpreter} is Python {version}, and the target is "
                f"{target.python}"
            )
        why = f"this is Python {version}, the target is {target.python}: see --compile-with"
        return {}, why
    sources = {name: content for name, content in files.items() if name.endswith(".py")}
    with TemporaryDirectory() as folder:
        for name, content in sources.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _run([python, *_ALONE, "-c", _COMPILE], "\0".join(sources), folder)
        return {_cached(name, tag): Path(folder, f"{name}c").read_bytes() for name in sources}, ""


def _cached(name: str, tag: str) -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/__pycache__/{file[:-3]}.{tag}.pyc".removeprefix("/")


def _asked(python: str) -> tuple[str, str]:
    said = re.fullmatch(r"(\d+\.\d+) (\S+)\s*", _run([python, *_ALONE, "-c", _VERSION], "", "."))
    if said is None:
        raise SettingsError(f"{python} is no Python")
    return said[1], said[2]


def _run(command: list[str], given: str, folder: str) -> str:
    try:
        ended = subprocess.run(  # noqa: S603 - an interpreter that the operator named, or ours
            command,
            input=given,
            cwd=folder,
            env={"PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"{command[0]} cannot be started: {error}") from error
    if ended.returncode:
        last = [line for line in ended.stderr.splitlines() if line.strip()][-1:]
        raise SettingsError(f"{command[0]} compiles nothing: {' '.join(last)}")
    return ended.stdout
