"""How much a decision costs the store: statements and transactions, counted."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from msgspec.structs import replace

from sgguard.store import open_store
from sgguard.store.sqlite import SqliteDatabase, _Session
from tests.engine.interleaved import Between, a_delete, context_of, deliver
from tests.remedy.harness import Harness
from tests.remedy.test_large import Crowd
from tests.worlds import world_of

STATEMENTS = 8
"""What claiming an event and answering it took before decisions had a fence."""


class Counted:
    """Counts what is sent to a file of SQLite."""

    def __init__(self, monkeypatch) -> None:
        self.statements: list[str] = []
        self.transactions = 0
        execute, together = _Session._execute, SqliteDatabase.transaction

        def counted(session, statement, values):
            self.statements.append(" ".join(statement.split())[:60])
            return execute(session, statement, values)

        def transaction(database, work):
            self.transactions += 1
            return together(database, work)

        monkeypatch.setattr(_Session, "_execute", counted)
        monkeypatch.setattr(SqliteDatabase, "transaction", transaction)


def test_claim_and_answer_take_no_more_statements_than_before(tmp_path, monkeypatch):
    harness = Harness(world_of("tencent"), tmp_path, mode="observe")
    store = open_store(harness.env["SGGUARD_STORE"])
    # The same process, which has its seat in the pace of calls, some seconds later.
    context = context_of(harness, store=store)
    deliver(context, a_delete(harness, harness.world.free))
    context.lanes.sleep(2.0)
    counted = Counted(monkeypatch)
    asked = a_delete(harness, harness.world.free, event_id="e-2", at_s=1_700_000_000.0)
    deliver(context, asked)
    assert len(counted.statements) <= STATEMENTS, counted.statements
    assert counted.transactions == 1


@pytest.mark.parametrize("holders", [2, 100])
@pytest.mark.sampled(2)
def test_a_wave_is_two_transactions_however_many_changes_it_has(tmp_path, holders):
    crowd = Crowd(world_of("tencent"), ("move",), tmp_path, 0, 0, holders)
    context = crowd.context()
    between = Between(context.store, (), partial(int))
    done = crowd.remedy(replace(context, store=between))
    assert done["outcome"] == "remediated"
    changes = Counter(line["change"]["kind"] for line in done["journal"])
    calls = Counter(between.calls)
    # The new group is added, the old one taken away, and the group is deleted: three waves.
    assert changes == {"set-groups": 2 * holders, "delete-group": 1}
    assert (calls["intend"], calls["settle"]) == (3, 3)
