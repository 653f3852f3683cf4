"""One deployed function with several worker processes: whichever answers, the numbers are whole."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.deployment import address, functions, secrets
from tests.functions.test_attacks import LENT
from tests.telemetry.test_metrics import named, samples
from tests.worlds import world_of

pytestmark = pytest.mark.slow

WORKERS, REQUESTS = 3, 60
DECISION = {"guard": "delete", "provider": "tencent", "mode": "observe", "verdict": "block"}


@pytest.fixture(scope="module")
def function(clouds, tmp_path_factory):
    numbers = tmp_path_factory.mktemp("numbers")
    settings = {
        "SGGUARD_METRICS": "on",
        "SGGUARD_PACE": "50",
        "SGGUARD_DEADLINE_S": "30",
        "WORKERS": str(WORKERS),
        "THREADS": "8",
        "PROMETHEUS_MULTIPROC_DIR": str(numbers),
    }
    with functions(clouds.url, "delete_request", **settings) as actors:
        yield actors["delete_request"], numbers


@pytest.fixture(scope="module")
def asked(function):
    """Every worker has answered some of the requests, each with planted credentials."""
    actor, _ = function
    world = world_of("tencent")

    def ask(number: int) -> int:
        body = {"target": address(world, "referenced"), "id": f"event-{number}"}
        # A connection of its own: a kept one stays with one worker.
        return httpx.post(actor.url, json=body, headers=LENT, timeout=60).status_code

    with ThreadPoolExecutor(16) as senders:
        statuses = list(senders.map(ask, range(REQUESTS)))
    assert statuses == [200] * REQUESTS
    return actor


def pages(actor, count: int = 12) -> list[str]:
    return [httpx.get(f"{actor.url.rstrip('/')}/metrics", timeout=60).text for _ in range(count)]


def test_every_answer_has_the_numbers_of_all_workers(function, asked):
    _, numbers = function
    workers = {path.stem.rpartition("_")[2] for path in numbers.glob("counter_*.db")}
    assert len(workers) > 1, "one worker answered everything: nothing was added up"
    for page in pages(asked):
        found = samples(page)
        assert found[named("sgguard_decisions_total", DECISION)] == REQUESTS
        of = {"function": "delete_request", "status": "200"}
        assert found[named("sgguard_requests_total", of)] >= REQUESTS
        assert found[named("sgguard_store_up", {})] == 1


def test_no_planted_credential_is_on_any_page_or_in_the_log(asked):
    texts = [*pages(asked, 3), asked.child.output()]
    for text in texts:
        assert "s3cret" not in text
        assert not [one for one in secrets() if one in text]
    for line in asked.child.output().splitlines():
        assert json.loads(line)["msg"] != "not counted"


def test_a_worker_that_was_killed_takes_no_number_with_it(asked):
    pid = asked.child.process.pid
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    before = samples(pages(asked, 1)[0])
    os.kill(int(workers[0]), signal.SIGKILL)
    after = samples(pages(asked, 1)[0])
    assert after[named("sgguard_decisions_total", DECISION)] == REQUESTS
    assert before[named("sgguard_decisions_total", DECISION)] == REQUESTS
