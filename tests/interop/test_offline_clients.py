"""Clients of others inside ``mock_clouds``: none reaches the internet, all reach loopback."""

from __future__ import annotations

import asyncio

import pytest

from sgguard.emulator import mock_clouds
from sgguard.emulator.core import Emulator
from sgguard.emulator.offline import OfflineError
from sgguard.emulator.server import serve

requests = pytest.importorskip("requests", reason="needs the extra `interop`")
urllib3 = pytest.importorskip("urllib3", reason="needs the extra `interop`")
aiohttp = pytest.importorskip("aiohttp", reason="needs the extra `interop`")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

EMPTY = {"clouds": []}


def by_requests(url):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=5).status_code


def by_urllib3(url):
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request("GET", url, timeout=5).status


def by_aiohttp(url):
    async def ask():
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status

    return asyncio.run(ask())


CLIENTS = [by_requests, by_urllib3, by_aiohttp]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
@pytest.mark.parametrize("host", ["ecs.aliyuncs.com", "example.com", "192.0.2.1"])
def test_no_client_leaves_the_machine(client, host):
    with mock_clouds(EMPTY), pytest.raises(OfflineError, match=f"connection to {host} refused"):
        client(f"https://{host}/")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_loopback_stays_reachable(client):
    with serve(Emulator.load(EMPTY)) as server, mock_clouds(EMPTY):
        assert client(f"{server.url}/_emulator/state") == 200
