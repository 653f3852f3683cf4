"""What workers of the version before left behind: a store's rows and the cloud, as data.

``kept/*.json`` were written by stories in the tree of that version, whose workers died at some
point or came to their end; their names say which. A file has the number of the store's ``schema``,
``at_s`` of the story, the ``cloud`` as it is then, the rows of the ``tables``, and what of the
``story`` still holds. The clouds of the first moment are the story's own.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

from sgguard.store import schema
from tests.sim.story import Json, Story

FOLDER = Path(__file__).with_name("kept")
FILES = tuple(sorted(one.stem for one in FOLDER.glob("*.json")))
_VERSIONS = (
    "CREATE TABLE sgguard_schema_version (version INTEGER NOT NULL PRIMARY KEY,"
    " applied_at_s DOUBLE PRECISION NOT NULL)"
)


@lru_cache(maxsize=len(FILES))
def read(name: str) -> Json:
    """What is in a file."""
    found: Json = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def story_of(name: str, tasks: list[Json]) -> Story:
    """A story that goes on where the version before ended; the tasks come after that."""
    return Story(**read(name)["story"], kept=name, tasks=tasks, jitter=False)


def fill(name: str, url: str) -> None:
    """Make the tables as they were then, and put the rows there; the store is empty so far."""
    with _connected(url) as connection:
        for table in schema_tables(connection, url):
            connection.execute(f"DROP TABLE {table}")
        connection.execute(_VERSIONS)
        number = read(name)["schema"]
        for version, statements in enumerate(schema.MIGRATIONS[:number], 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"INSERT INTO sgguard_schema_version VALUES ({version}, 0)")
        mark = "%s" if url.startswith("postgres") else "?"
        for table, rows in read(name)["tables"].items():
            for row in rows:
                marks = ", ".join([mark] * len(row))
                connection.execute(
                    f"INSERT INTO sgguard_{table} ({', '.join(row)}) VALUES ({marks})",
                    tuple(row.values()),
                )


def schema_tables(connection: Any, url: str) -> list[str]:
    """The tables that are there."""
    query = (
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        if url.startswith("postgres")
        else "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'sgguard_%'"
    )
    return [name for (name,) in connection.execute(query).fetchall()]


def _connected(url: str) -> Any:
    if url.startswith("postgres"):
        return psycopg.connect(url, autocommit=True)
    return closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None))
