"""Which files of this package a function needs: the folders that its code reaches by imports.

Providers, event sources and proofs are found by name at run time, so a folder is taken whole. The
command line, the demonstration and the emulator are reached from no function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import sgguard
from sgguard.errors import InputError
from sgguard.web import installed

PACKAGE = Path(sgguard.__file__).resolve().parent

_ENTRY = "runtimes"
_NAME = "sgguard"
_LEFT_OUT = (".md", ".pyc")


def files_for(function: str) -> dict[str, Path]:
    """Return the source files by their name in an artifact, the function's own among them.

    Raises:
        InputError: there is no such function.
    """
    sources = installed.functions()
    if function not in sources:
        known = ", ".join(sources)
        raise InputError(f"there is no function {function!r}: expected one of {known}")
    found = {f"{_NAME}/__init__.py": PACKAGE / "__init__.py"}
    for room in _reached(sources[function]):
        found |= {
            f"{_NAME}/{path.relative_to(PACKAGE)}": path
            for path in _files(PACKAGE / room)
            if path.suffix not in _LEFT_OUT
        }
    found[f"{_NAME}/_functions/{function}/main.py"] = sources[function]
    # A file of its own there marks the functions' folder as one that can be imported.
    return dict(sorted(found.items()))


def _reached(source: Path) -> set[str]:
    """Return the folders and files at the root of the package that a source file leads to."""
    reached: set[str] = set()
    waiting = [*_rooms(source), _ENTRY]
    while waiting:
        room = waiting.pop()
        if room not in reached:
            reached.add(room)
            waiting += [one for path in _files(PACKAGE / room) for one in _rooms(path)]
    return reached


def _files(room: Path) -> list[Path]:
    if room.is_file():
        return [room]
    return sorted(
        path for path in room.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


@lru_cache(maxsize=1024)
def _rooms(path: Path) -> frozenset[str]:
    """Return what a file imports of this package, also where it does so late (``lazy``)."""
    return frozenset(_imported(path)) if path.suffix == ".py" else frozenset()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(module=str() as module):
                names = [f"{module}.{alias.name}" for alias in node.names]
            case ast.Call(func=ast.Name(id="lazy"), args=[ast.Constant(value=str() as module)]):
                names = [module]
        for name in names:
            parts = name.split(".")
            if parts[0] == _NAME and len(parts) > 1 and (room := _room(parts[1])):
                yield room


def _room(name: str) -> str:
    if (PACKAGE / name).is_dir():
        return name
    return f"{name}.py" if (PACKAGE / f"{name}.py").is_file() else ""
