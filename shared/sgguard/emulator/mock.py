"""The emulator in place of the real clouds in one test: context manager and decorator."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.scenario import load
from sgguard.emulator.transport import EmulatorTransport

_CLOUD_HOST = re.compile(
    r"(?:.+\.)?(?:"
    r"tencentcloudapi\.com|api\.qcloud\.com|aliyuncs\.com|myhuaweicloud\.com|otc\.t-systems\.com"
    r")"
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class mock_clouds:  # noqa: N801 - used as a function, as respx.mock is
    """Route requests to the real hosts of every cloud to the emulator while the block runs.

    ``scenario`` is a scenario as a mapping, the name of a built-in one, or the path of a TOML
    file. What httpx sends to a cloud's own hosts, to the host of ``OS_AUTH_URL`` or to one of
    ``hosts`` (``host`` or ``host:port``) goes to the emulator, from worker threads too.
    Loopback passes through; any other host is refused, so that no test reaches the internet.

    As a context manager it returns the :class:`~sgguard.emulator.core.Emulator`; as a decorator it
    passes it to a parameter named ``emulator``, if the function has one::

        with mock_clouds("demo") as emulator:
            ...

        @mock_clouds("demo")
        def test_nothing_is_written(emulator): ...

    Raises:
        RuntimeError: respx is not installed.
        ValueError: the scenario is invalid; the message names its path.
    """

    def __init__(
        self,
        scenario: Mapping[str, Any] | str | Path = "demo",
        *,
        hosts: Sequence[str] = (),
        **clocks: Any,
    ) -> None:
        self._scenario = scenario
        self._hosts = frozenset(hosts)
        self._clocks = clocks
        self._entered: list[Any] = []

    def __enter__(self) -> Emulator:
        """Start a new emulator and route to it."""
        context = self._mounted()
        emulator = context.__enter__()
        self._entered.append(context)
        return emulator

    def __exit__(self, *exc_info: object) -> None:
        """Stop routing to the emulator."""
        self._entered.pop().__exit__(*exc_info)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function so that every call of it runs with a new emulator."""
        if inspect.iscoroutinefunction(function):
            raise TypeError("mock_clouds decorates plain functions; in async ones use `with`")
        signature = inspect.signature(function)
        wants_emulator = "emulator" in signature.parameters

        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self._mounted() as emulator:
                if wants_emulator:
                    kwargs["emulator"] = emulator
                return function(*args, **kwargs)

        # pytest reads the signature and would require a fixture of that name.
        others = [p for n, p in signature.parameters.items() if n != "emulator"]
        inside.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return inside

    @contextmanager
    def _mounted(self) -> Iterator[Emulator]:
        emulator = Emulator.load(_clouds(self._scenario), **self._clocks)
        transport = EmulatorTransport(emulator)
        respx = _respx()

        def respond(request: httpx.Request) -> httpx.Response:
            if self._is_cloud(request.url):
                return transport.handle_request(request)
            # With this class of error respx still tries the caller's own routers.
            raise respx.models.AllMockedAssertionError(
                f"mock_clouds: {request.method} to {request.url.netloc.decode()} refused: it "
                "is no host of an emulated cloud; name it in hosts=[…] if it should be one"
            )

        with respx.mock(assert_all_called=False, using="httpcore") as router:
            for host in _LOOPBACK:
                router.route(host=host).pass_through()
            router.route().mock(side_effect=respond)
            yield emulator

    def _is_cloud(self, url: httpx.URL) -> bool:
        netloc = f"{url.host}:{url.port}" if url.port else url.host
        keystone = httpx.URL(os.environ.get("OS_AUTH_URL", "")).host
        return (
            _CLOUD_HOST.fullmatch(url.host) is not None
            or url.host in {*self._hosts, keystone}
            or netloc in self._hosts
        )


def _clouds(scenario: Mapping[str, Any] | str | Path) -> Mapping[str, Any]:
    return scenario if isinstance(scenario, Mapping) else {"clouds": load(scenario).clouds}


def _respx() -> Any:
    """Return the module respx, which is for tests and not installed in production."""
    try:
        return import_module("respx")
    except ImportError as error:
        raise RuntimeError(
            "mock_clouds needs respx: install the extra with `pip install 'sgguard[testing]'`"
        ) from error
