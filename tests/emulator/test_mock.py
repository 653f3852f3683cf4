"""``mock_clouds``: the emulator in place of the real clouds, for tests of users."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import respx

from sgguard.emulator import core
from sgguard.emulator.faults import Fault
from sgguard.emulator.mock import mock_clouds
from sgguard.emulator.server import serve
from tests.emulator.echo import SCENARIO, EchoFace


@pytest.fixture(autouse=True)
def _echo(monkeypatch):
    monkeypatch.setattr(core, "all_faces", lambda: {"echo": EchoFace()})


@pytest.mark.parametrize(
    "host",
    [
        "vpc.tencentcloudapi.com",
        "cvm.ap-guangzhou.tencentcloudapi.com",
        "vpc.intl.tencentcloudapi.com",
        "dfw.api.qcloud.com",
        "ecs.cn-hangzhou.aliyuncs.com",
        "ecs.aliyuncs.com",
        "vpc.cn-north-4.myhuaweicloud.com",
        "iam.eu-de.otc.t-systems.com",
        "vpc.eu-west-101.myhuaweicloud.eu",
    ],
)
@pytest.mark.sampled(8)
def test_the_clouds_own_hosts_are_answered_by_the_emulator(host):
    with mock_clouds(SCENARIO) as emulator:
        assert httpx.get(f"https://{host}/echo").json()["url"] == f"https://{host}/echo"
    assert [r.provider for r in emulator.requests] == ["echo"]


@pytest.mark.parametrize(
    "host",
    ["example.com", "tencentcloudapi.com.evil.test", "notaliyuncs.com", "myhuaweicloud.example"],
)
@pytest.mark.sampled(3)
def test_any_other_host_is_refused_by_name(host):
    with mock_clouds(SCENARIO), pytest.raises(AssertionError, match=f"GET to {host} refused"):
        httpx.get(f"https://{host}/echo")


def test_the_host_of_keystone_and_named_hosts_are_answered(monkeypatch):
    hosts = ["nova.cloud.test", "neutron.cloud.test:9696", "*.partner-cloud.test"]
    with mock_clouds(SCENARIO, hosts=hosts):
        monkeypatch.setenv("OS_AUTH_URL", "https://keystone.cloud.test:5000/v3")
        for origin in (
            "https://keystone.cloud.test:5000",
            "http://nova.cloud.test:8774",
            "http://neutron.cloud.test:9696",
            "https://vpc.eu-1.partner-cloud.test",
        ):
            assert httpx.get(f"{origin}/echo").status_code == 200
        monkeypatch.setenv("SGGUARD_ENDPOINT_HUAWEI_VPC", "https://vpc.partner.test/")
        assert httpx.get("https://vpc.partner.test/echo").status_code == 200
        with pytest.raises(AssertionError, match=r"neutron\.cloud\.test refused"):
            httpx.get("http://neutron.cloud.test/echo")


@pytest.mark.slow
def test_calls_of_worker_threads_are_answered_too():
    with mock_clouds(SCENARIO) as emulator, ThreadPoolExecutor(8) as pool:
        urls = [f"https://ecs.aliyuncs.com/echo/{n}" for n in range(32)]
        assert all(answer.is_success for answer in pool.map(httpx.get, urls))
    assert len(emulator.requests) == 32


def test_loopback_passes_through():
    with serve(core.Emulator.load(SCENARIO)) as server, mock_clouds(SCENARIO) as mounted:
        assert httpx.get(f"{server.url}/echo", trust_env=False).status_code == 200
        assert len(server.emulator.requests) == 1
        assert len(mounted.requests) == 0


def test_a_dropped_connection_is_a_transport_error():
    with mock_clouds(SCENARIO) as emulator:
        emulator.faults.append(Fault("drop"))
        with pytest.raises(httpx.ReadError):
            httpx.get("https://ecs.aliyuncs.com/echo")


def test_routes_of_the_test_itself_answer_for_hosts_that_are_no_cloud():
    with mock_clouds(SCENARIO), respx.mock as mine:
        mine.get("https://portal.test/").respond(201)
        assert httpx.get("https://portal.test/").status_code == 201


def test_a_decorated_function_gets_a_fresh_emulator_every_time():
    @mock_clouds(SCENARIO)
    def ask(path, *, emulator):
        httpx.get(f"https://ecs.aliyuncs.com{path}")
        return len(emulator.requests)

    assert ask("/echo") == 1
    assert ask("/echo") == 1
    assert list(inspect.signature(ask).parameters) == ["path"]


@mock_clouds(SCENARIO)
def test_a_decorated_test_needs_no_fixture(emulator):
    assert httpx.get("https://ecs.aliyuncs.com/echo").status_code == 200
    assert len(emulator.requests) == 1


async def coroutine(): ...


async def async_generator():
    yield


def generator():
    yield


class Later:
    async def __call__(self): ...


class Tests:
    def test_it(self): ...


@pytest.fixture
def fixture(): ...


NOT_PLAIN = {
    "coroutine": (coroutine, "in async ones use `with`"),
    "async generator": (async_generator, "in async ones use `with`"),
    "generator": (generator, "in generators use `with`"),
    "class": (Tests, "of a class decorate each test, or use `with`"),
    "partial of a coroutine": (functools.partial(coroutine), "in async ones use `with`"),
    "partial of a generator": (functools.partial(generator), "in generators use `with`"),
    "object with an async call": (Later(), "in async ones use `with`"),
    "static method": (staticmethod(generator), "below other decorators of a method"),
    "class method": (classmethod(len), "below other decorators of a method"),
    "fixture": (fixture, r"below `pytest\.fixture`"),
    "no function": (7, "below other decorators"),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_what_is_no_plain_function_is_refused_when_it_is_decorated(case):
    function, instead = NOT_PLAIN[case]
    with pytest.raises(TypeError, match=f"decorates plain functions; .*{instead}"):
        mock_clouds(SCENARIO)(function)


@pytest.mark.parametrize("inner", [coroutine, async_generator, generator])
@pytest.mark.sampled(2)
def test_a_plain_function_that_returns_code_still_to_run_is_refused_when_it_is_called(inner):
    def plain():
        return inner()

    wrapped = mock_clouds(SCENARIO)(plain)
    with pytest.raises(TypeError, match=r"this one returned a (async_)?(coroutine|generator)"):
        wrapped()


def test_a_function_that_runs_its_own_loop_is_plain():
    @mock_clouds(SCENARIO)
    @functools.wraps(coroutine)
    def ask():
        async def inner():
            async with httpx.AsyncClient() as client:
                return (await client.get("https://ecs.aliyuncs.com/echo")).status_code

        return asyncio.run(inner())

    assert ask() == 200


def test_one_object_may_be_entered_within_itself():
    clouds = mock_clouds(SCENARIO)
    with clouds as outer, clouds as inner:
        assert outer is not inner
        httpx.get("https://ecs.aliyuncs.com/echo")


def test_the_real_hosts_are_given_back_after_an_error(monkeypatch):
    with pytest.raises(ZeroDivisionError), mock_clouds(SCENARIO):
        raise ZeroDivisionError
    monkeypatch.setattr("socket.getaddrinfo", lambda *_a, **_k: (_ for _ in ()).throw(OSError()))
    with pytest.raises(httpx.ConnectError):
        httpx.get("https://ecs.aliyuncs.com/echo", trust_env=False)


def test_without_respx_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "respx", None)
    with pytest.raises(RuntimeError, match=r"sgguard\[testing\]"), mock_clouds(SCENARIO):
        pass
