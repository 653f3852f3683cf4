"""The mutants of ``mutants.toml`` as values."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True)
class Edit:
    """A file below ``shared/sgguard``, a text that is in it exactly once, and another for it."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A broken rule; ``tests`` are patterns of files, ``search`` the clouds of the search."""

    name: str
    area: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    search: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.area}: {self.name}"


def mutants() -> list[Mutant]:
    table = tomllib.loads(_TABLE.read_text())
    return [
        Mutant(
            row["name"],
            row["area"],
            tuple(Edit(**edit) for edit in row["edits"]),
            tuple(table["areas"][row["area"]]["tests"]),
            tuple(table["areas"][row["area"]]["search"]),
        )
        for row in table["mutant"]
    ]
