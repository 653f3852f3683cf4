"""Empty stores, one for each story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import quote

import psycopg

from tests import postgres
from tests.sim.world import fresh_sqlite


@contextmanager
def new_store_of(kind: str) -> Iterator[Callable[[], str]]:
    """Give a function that returns the URL of an empty store of that kind."""
    if kind == "sqlite":
        yield fresh_sqlite
        return
    # No story takes the machine's power away, so none needs to wait for its disk.
    with postgres.server("-c fsync=off") as server:
        numbers = count(1)
        with psycopg.connect(server.url(), autocommit=True) as connection:

            def fresh() -> str:
                number = next(numbers)
                connection.execute(f"DROP SCHEMA IF EXISTS s{number - 1} CASCADE")
                connection.execute(f"CREATE SCHEMA s{number}")
                return f"{server.url()}?options={quote(f'-csearch_path=s{number}')}"

            yield fresh
