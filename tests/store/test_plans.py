"""No statement reads a whole table: what the contract of the stores uses, explained by each.

The tests of the contract run on a database that remembers their statements. Each statement is then
explained: by SQLite, whose plan says ``SCAN``, and by PostgreSQL, which here reads a table as a
whole only where no index serves.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field

import pytest

from sgguard.store.base import Store
from tests.contract import test_every_store, test_every_store_unended
from tests.store import test_outbox
from tests.stores import KINDS, Place, place

BROUGHT = ("SCAN line", "VALUES CLAUSE", "CONSTANT ROW")
SMALL = ("halts", "outbox_places", "purges", "schema_version")
"""Tables of a row or few."""

MODULES = (test_every_store, test_every_store_unended, test_outbox)


@dataclass
class Remembering:
    """A database that keeps each statement with the values it first had."""

    database: object
    seen: dict[str, dict[str, object]]

    def autocommit(self, work):
        return self.database.autocommit(lambda session: work(Session(session, self.seen)))

    def transaction(self, work):
        return self.database.transaction(lambda session: work(Session(session, self.seen)))

    def close(self):
        self.database.close()


@dataclass
class Session:
    session: object
    seen: dict[str, dict[str, object]]

    def send(self, statement, **values):
        self.seen.setdefault(statement, values)
        return self.session.send(statement, **values)

    def send_lines(self, statement, lines, **values):
        given = {"lines": json.dumps(lines)} if statement not in self.seen else {}
        self.seen.setdefault(statement, {**values, **lines[0], **given})
        return self.session.send_lines(statement, lines, **values)

    def rows(self, statement, **values):
        self.seen.setdefault(statement, values)
        return self.session.rows(statement, **values)

    def count(self, statement, **values):
        self.seen.setdefault(statement, values)
        return self.session.count(statement, **values)


@dataclass
class Watched(Place):
    seen: dict[str, dict[str, object]] = field(default_factory=dict)

    def open(self, now=None):
        store = super().open(now)
        store._database = Remembering(store._database, self.seen)
        return store


def contract():
    """Return the tests that need an empty database and nothing else."""
    return [
        test
        for module in MODULES
        for name, test in vars(module).items()
        if name.startswith("test_") and list(inspect.signature(test).parameters) == ["kept"]
        if not any(mark.name == "parametrize" for mark in getattr(test, "pytestmark", []))
    ]


def scanned(store: Store, kind: str, statement: str, values: dict[str, object]) -> list[str]:
    """Return the lines of a plan that read a whole table."""

    def explain(session):
        if kind == "postgres":
            session.count("SET LOCAL enable_seqscan = off")
            return [row[0] for row in session.rows(f"EXPLAIN {statement}", **values)]
        return [row[3] for row in session.rows(f"EXPLAIN QUERY PLAN {statement}", **values)]

    plan = store._database.database.transaction(explain)
    whole = "Seq Scan on sgguard_" if kind == "postgres" else "SCAN "
    return [
        line.strip()
        for line in plan
        if whole in line and "INDEX" not in line and not any(f"_{one}" in line for one in SMALL)
        # What a statement itself brings is no table: the lines of a wave.
        if not any(part in line for part in BROUGHT)
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_no_statement_of_the_contract_reads_a_whole_table(kind, request, tmp_path):
    server = request.getfixturevalue("postgres_server") if kind == "postgres" else None
    seen: dict[str, dict[str, object]] = {}
    for test in contract():
        with place(kind, tmp_path, server) as made:
            test(Watched(made.kind, made.url, made.closing, made.clock, seen))
    with place(kind, tmp_path, server) as made:
        store = Watched(made.kind, made.url, made.closing, made.clock).open()
        explained = {
            statement: scanned(store, kind, statement, values)
            for statement, values in seen.items()
            if "sgguard_" in statement and statement.split()[0] != "CREATE"
        }
    assert len(explained) > 50
    assert {statement: lines for statement, lines in explained.items() if lines} == {}
