"""The authorities that servers are verified with are loaded once, however many threads begin."""

from __future__ import annotations

import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

from sgguard.webhooks import connection as webhooks
from sgguard.wire import connection

THREADS = 6


def test_threads_that_begin_together_share_one_context():
    connection._loaded_context.cache_clear()
    together = threading.Barrier(THREADS)

    def begin(_: int) -> ssl.SSLContext:
        together.wait(60)
        return connection.tls_context()

    with ThreadPoolExecutor(THREADS) as threads:
        assert len(set(threads.map(begin, range(THREADS)))) == 1


def test_webhooks_verify_with_what_clouds_are_verified_with():
    assert webhooks.authorities() is connection.tls_context()
