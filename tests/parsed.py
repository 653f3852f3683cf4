"""The source of the package, read once for every test that is about how it is written."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "shared/sgguard"


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away from what is parsed: it takes four times as long as that."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a module, the module first."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def package() -> dict[Path, tuple[ast.AST, ...]]:
    """Return every node of every module of the package."""
    with uncollected():
        return {path: nodes(path) for path in sorted(PACKAGE.rglob("*.py"))}
