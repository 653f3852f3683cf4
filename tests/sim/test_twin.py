"""A story of both stores is told as of one, and whatever PostgreSQL does otherwise is found."""

from __future__ import annotations

from importlib import import_module

import pytest

from sgguard.errors import StoreError
from tests.sim.generate import PROVIDERS, story_of
from tests.sim.run import run
from tests.sim.shared import shared
from tests.sim.stores import new_store_of
from tests.sim.twin import open_twin

MARK = "INSERT INTO sgguard_marks (name, newest_s, noted_at_s) VALUES (:name, 1.0, :now)"
MARKS = "SELECT name FROM sgguard_marks"


@pytest.fixture(scope="module")
def new_stores(postgres_server):
    with new_store_of("both", server_url=postgres_server.socket_url()) as new:
        yield new


@pytest.fixture
def twin(new_stores):
    url = new_stores()
    database = open_twin(url, lambda: 1000.0)._database
    for one in shared(url, database):
        one.written.add("sgguard_marks")
    return database


@pytest.fixture
def otherwise(monkeypatch):
    """Let PostgreSQL understand a part of a statement otherwise."""
    postgres = import_module("sgguard.store.postgres")  # as an attribute it is loaded lazily
    real = postgres._translate

    def change(old: str, new: str) -> None:
        def translated(statement: str, *, has_clock: bool):
            return real(statement.replace(old, new), has_clock=has_clock)

        monkeypatch.setattr(postgres, "_translate", translated)

    return change


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.sampled(2)
def test_a_story_of_both_stores_is_told_as_of_one(new_stores, provider):
    both, one = run(story_of(provider, "5"), new_stores), run(story_of(provider, "5"))
    assert both.log == one.log
    assert both.violations == one.violations == {}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("SET state = 'answered'", "SET state = 'rested'", "'answered'"),
        ("WHERE source = :source AND event_id", "WHERE FALSE AND event_id", "] and []: "),
        ("FROM sgguard_locks", "FROM sgguard_lock", 'relation "sgguard_lock" does not exist'),
    ],
    ids=["another row", "no row", "no answer"],
)
def test_whatever_postgresql_does_otherwise_is_a_violation(new_stores, otherwise, old, new, told):
    otherwise(old, new)
    violations = run(story_of("tencent", "5"), new_stores).violations
    assert list(violations) == ["stores"]
    assert told in violations["stores"].text


def test_what_is_rolled_back_is_so_in_both(twin):
    def fails(session):
        session.count(MARK, name="b")
        raise StoreError("no")

    twin.transaction(lambda session: session.count(MARK, name="a"))
    with pytest.raises(StoreError):
        twin.transaction(fails)
    twin.autocommit(lambda session: session.count(MARK, name="c"))
    found = twin.transaction(lambda session: session.rows(MARKS))
    assert sorted(found) == [("a",), ("c",)]
    assert list(twin.differences(["sgguard_marks"])) == []


def test_rows_in_another_order_are_a_difference_where_the_statement_orders_them(twin, otherwise):
    for name in "ba":
        twin.autocommit(lambda session, name=name: session.count(MARK, name=name))
    otherwise(" ASC", " DESC")
    twin.autocommit(lambda session: session.rows(f"{MARKS} ORDER BY name ASC"))
    (text,) = twin.differences([])
    assert text == f"[('a',), ('b',)] and [('b',), ('a',)]: {MARKS} ORDER BY name ASC"
    twin.autocommit(lambda session: session.rows(MARKS))
    assert list(twin.differences(["sgguard_marks"])) == []
