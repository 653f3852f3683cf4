"""Empty stores, one for each story."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from sgguard.store import open_store
from tests import postgres
from tests.sim.shared import SHARED
from tests.sim.twin import twin_url

_SHM = Path("/dev/shm")
_NOTHING_LASTS = (
    "-c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
    " -c autovacuum=off -c track_counts=off -c track_activities=off -c update_process_title=off"
)
"""No story takes the machine's power away, and the tables are emptied every few stories."""
_TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = %s AND tablename <> 'sgguard_schema_version' ORDER BY tablename
"""


@contextmanager
def new_store_of(
    kind: str, *, is_alone: bool = True, server_url: str = ""
) -> Iterator[Callable[[], str]]:
    """Give a function that returns the URL of an empty store of that kind, or of ``both`` kinds.

    One that other processes write to as well (not ``is_alone``) is in a file, or on a server. A
    PostgreSQL is started for it where none is given.
    """
    if kind == "sqlite":
        yield in_memory if is_alone else fresh_sqlite
        return
    with (
        nullcontext(server_url) if server_url else server() as url,
        _on(url) as on_server,
    ):
        yield on_server if kind == "postgres" else lambda: twin_url(in_memory(), on_server())


@contextmanager
def server() -> Iterator[str]:
    """Run a PostgreSQL for stories, of several processes if need be, and give its URL."""
    with postgres.server(_NOTHING_LASTS) as made:
        yield made.socket_url()


@contextmanager
def _on(server_url: str) -> Iterator[Callable[[], str]]:
    """Give what makes empty stores in a schema of this process."""
    schema = f"story_{os.getpid()}"
    url = f"{server_url}&options={quote(f'-csearch_path={schema}')}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        _emptied(connection, schema, "TRUNCATE")  # what is deleted stays in the way for a while
        try:
            yield lambda: _deleted(connection, schema, url)
        finally:
            if url in SHARED:
                SHARED.pop(url).close()


def _deleted(connection: psycopg.Connection[Any], schema: str, url: str) -> str:
    """Delete the rows of the story before: to make the tables anew takes longer than a story."""
    if url not in SHARED:
        _emptied(connection, schema, "DELETE FROM")
    elif tables := sorted(SHARED[url].taken()):
        connection.execute("; ".join(f"DELETE FROM {schema}.{name}" for name in tables))
    return url


def _emptied(connection: psycopg.Connection[Any], schema: str, how: str) -> None:
    tables = [name for (name,) in connection.execute(_TABLES, (schema,)).fetchall()]
    if tables:
        connection.execute("; ".join(f"{how} {schema}.{name}" for name in tables))


# -- SQLite ----------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None)


@lru_cache(maxsize=1)
def _template() -> Path:
    """An empty store with its tables, made once."""
    path = Path(_folder().name) / "template.db"
    store = open_store(f"sqlite:///{path}")
    store.now_s()
    store.close()
    return path


def fresh_sqlite() -> str:
    """The URL of an empty store in a file; the one before is overwritten."""
    template = _template()
    path = Path(_folder().name) / "story.db"
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def in_memory() -> str:
    """The URL of an empty store in this process: that of a file to which nothing is written."""
    url = f"sqlite:///{_template()}"
    if url in SHARED and (memory := SHARED[url].memory) is not None:
        for table in SHARED[url].taken():
            memory.execute(f"DELETE FROM {table}")
    return url
