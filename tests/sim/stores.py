"""Empty stores, one for each story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg

from tests import postgres
from tests.sim.world import POOLS, fresh_sqlite

_SCHEMA = "story"
_TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = %s AND tablename <> 'sgguard_schema_version' ORDER BY tablename
"""


@contextmanager
def new_store_of(kind: str) -> Iterator[Callable[[], str]]:
    """Give a function that returns the URL of an empty store of that kind."""
    if kind == "sqlite":
        yield fresh_sqlite
        return
    # No story takes the machine's power away, so none needs to wait for its disk.
    with postgres.server("-c fsync=off") as server:
        url = f"{server.url()}?options={quote(f'-csearch_path={_SCHEMA}')}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {_SCHEMA}")
            try:
                yield lambda: _emptied(connection, url)
            finally:
                if url in POOLS:
                    POOLS.pop(url).close()


def _emptied(connection: psycopg.Connection[Any], url: str) -> str:
    """Delete the rows of the story before: to make the tables anew takes longer than a story."""
    tables = [name for (name,) in connection.execute(_TABLES, (_SCHEMA,)).fetchall()]
    connection.execute("; ".join(f"DELETE FROM {_SCHEMA}.{name}" for name in tables) or "SELECT 1")
    return url
