"""What a wave of changes costs a store of SQLite: statements, commits and work for each line."""

from __future__ import annotations

from contextlib import closing

import pytest

from sgguard.store import open_store
from sgguard.store.rows import Settled
from tests.effort import calls
from tests.stores import a_run, an_entry, claimed

FEW, MANY = 10, 60
STATEMENTS = {"intend": 9, "settle": 5}
"""Statements of one wave, its BEGIN and COMMIT among them; what each line adds is one more."""

CALLS_A_LINE = 3
"""The most calls of Python functions for each line, in either of its two writings."""


class Waves:
    """A store with a run, and what writing so many lines of it takes."""

    def __init__(self, store):
        self.store = store
        self.claim = claimed(store)
        store.begin_run(self.claim, a_run(self.claim.decision_id, self.claim.event_id))
        self.number = 0

    def lines(self, count):
        first, self.number = self.number, self.number + count
        return [an_entry(n, self.claim.decision_id) for n in range(first, self.number)]

    def statements(self, call):
        found = []
        with self.store._database._pool.lend() as link:
            connection = link.connection
        connection.set_trace_callback(found.append)
        try:
            call()
        finally:
            connection.set_trace_callback(None)
        return found


@pytest.fixture
def waves(tmp_path):
    path = tmp_path / "waves.db"
    with closing(open_store(f"sqlite:///{path}")) as store:
        yield Waves(store)


@pytest.mark.parametrize("count", [1, MANY])
def test_a_wave_is_one_commit_and_as_many_statements_as_one_change_besides_its_lines(waves, count):
    lines = waves.lines(count)
    ended = [Settled(one, "done") for one in lines]
    written = waves.statements(lambda: waves.store.intend(waves.claim, lines, 60))
    settled = waves.statements(lambda: waves.store.settle(waves.claim, ended))
    assert [written.count("COMMIT"), settled.count("COMMIT")] == [1, 1]
    assert len(written) - count + 1 <= STATEMENTS["intend"], written
    assert len(settled) - count + 1 <= STATEMENTS["settle"], settled


def test_a_line_more_in_a_wave_is_hardly_work(waves):
    def work(count):
        lines = waves.lines(count)
        written = calls(lambda: waves.store.intend(waves.claim, lines, 60))
        ended = [Settled(one, "done") for one in lines]
        return written, calls(lambda: waves.store.settle(waves.claim, ended))

    work(1)  # what is found once for a process
    few, many = work(FEW), work(MANY)
    for less, more in zip(few, many, strict=True):
        assert more - less <= CALLS_A_LINE * (MANY - FEW)
