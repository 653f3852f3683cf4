"""The source of the package, read once for every test that is about how it is written."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "shared/sgguard"


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a module, the module first."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def package() -> dict[Path, tuple[ast.AST, ...]]:
    """Return every node of every module of the package."""
    return {path: nodes(path) for path in sorted(PACKAGE.rglob("*.py"))}
