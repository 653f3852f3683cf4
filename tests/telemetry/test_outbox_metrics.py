"""A chat channel that takes nothing shows on the page of the metrics, and no channel by name."""

from __future__ import annotations

import os
import time
from contextlib import closing

from sgguard.outbox.late import LATE_S
from sgguard.outbox.senders import MODULES
from sgguard.store import open_store
from sgguard.store.notices import Notice, Telling
from sgguard.telemetry import registry
from tests.telemetry.test_metrics import number, numbers


def test_the_kinds_that_are_counted_are_those_that_are_sent():
    assert set(registry.KIND.values) == set(MODULES)


def test_a_channel_that_fails_is_on_the_page_until_it_works_again(deployed):
    client = deployed(SGGUARD_METRICS="on")
    assert number(numbers(client), "sgguard_failing_destinations", kind="chat") == 0
    with closing(open_store(os.environ["SGGUARD_STORE"])) as store:
        store.place_failed("chat", "ops-of-the-network-team", "invalid_auth")
        found = numbers(client)
        assert number(found, "sgguard_failing_destinations", kind="chat") == 1
        assert number(found, "sgguard_failing_destinations", kind="callback") == 0
        assert "network-team" not in str(found)
        store.notify("d1", Telling((Notice("n1", "chat", "d1", "ops-of-the-network-team", "n1"),)))
        row = store.take_notice("n1", owner="w", lease_s=60.0, is_hurried=True)
        assert row is not None
        assert store.delivered(row, "{}")
    assert number(numbers(client), "sgguard_failing_destinations", kind="chat") == 0


def test_what_nobody_delivers_is_on_the_page(deployed):
    client = deployed(SGGUARD_METRICS="on")
    assert number(numbers(client), "sgguard_late_notices") == 0
    before = time.time() - 2 * LATE_S
    with closing(open_store(os.environ["SGGUARD_STORE"], lambda: before)) as store:
        store.notify("d1", Telling((Notice("n1", "chat", "d1", "ops", "n1"),)))
    assert number(numbers(client), "sgguard_late_notices") == 1
