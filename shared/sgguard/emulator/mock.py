"""The emulator in place of the real clouds in one test: context manager and decorator."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces import all_faces
from sgguard.emulator.offline import offline
from sgguard.emulator.scenario import load
from sgguard.emulator.transport import EmulatorTransport

_LOOPBACK = r"127(\.\d+){1,3}|(.+\.)?localhost|::1"
_ENDPOINT = "SGGUARD_ENDPOINT_"


class mock_clouds:  # noqa: N801 - used as a function, as respx.mock is
    """Route requests to the real hosts of every cloud to the emulator while the block runs.

    ``scenario`` is a scenario as a mapping, the name of a built-in one, or the path of a TOML
    file. What httpx sends to a cloud's own hosts, to the host of ``OS_AUTH_URL`` or of a variable
    ``SGGUARD_ENDPOINT_…``, or to one of ``hosts`` (``host``, ``host:port``, ``*.domain``) goes to
    it, from worker threads too. Loopback passes through; any other host is refused, so that no test
    reaches the internet. Other clients (``requests``, ``urllib3``, the standard library) reach
    loopback only, the clouds' hosts included: their connections are refused (``offline.py``).

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
        """Wrap a function so that every call of it runs with a new emulator.

        Raises:
            TypeError: it is no plain function: the mock would end before its code runs.
        """
        _require_plain(function)
        signature = inspect.signature(function)
        wants_emulator = "emulator" in signature.parameters

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self._mounted() as emulator:
                if wants_emulator:
                    kwargs["emulator"] = emulator
                return _finished(function(*args, **kwargs))

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

        with offline(), respx.mock(assert_all_called=False, using="httpcore") as router:
            router.route(host__regex=rf"^({_LOOPBACK})$").pass_through()
            router.route().mock(side_effect=respond)
            yield emulator

    def _is_cloud(self, url: httpx.URL) -> bool:
        netloc = f"{url.host}:{url.port}" if url.port else url.host
        addresses = [value for name, value in os.environ.items() if name.startswith(_ENDPOINT)]
        addresses.append(os.environ.get("OS_AUTH_URL", ""))
        named = {urlsplit(address).hostname for address in addresses if address}
        is_named = url.host in named or any(
            fnmatchcase(text, one) for one in self._hosts for text in (url.host, netloc)
        )
        return is_named or _is_cloud_host(url.host)


def _is_cloud_host(host: str) -> bool:
    claims = (claim for face in all_faces().values() for claim in face.claims)
    return any(claim.host and re.fullmatch(claim.host, host) for claim in claims)


def _require_plain(function: object) -> None:
    """Refuse what runs its code only after the call has returned, and what is no function at all.

    Raises:
        TypeError: with what to do instead.
    """
    called = function if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004 - its own kind of function
    if isinstance(function, functools.partial):
        called = function.func
    instead = ""
    if inspect.isclass(function):
        instead = "of a class decorate each test, or use `with` in a fixture"
    elif inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
        instead = "in async ones use `with`"
    elif inspect.isgeneratorfunction(called):
        instead = "in generators use `with`"
    elif isinstance(function, staticmethod | classmethod | property) or called is None:
        instead = "put it below other decorators of a method"
    elif type(function).__module__.startswith("_pytest."):
        instead = "put it below `pytest.fixture`"
    if instead:
        raise TypeError(f"mock_clouds decorates plain functions; {instead}")


def _finished(result: Any) -> Any:
    """Return the result of a call, unless its code has yet to run.

    Raises:
        TypeError: a coroutine or generator came out of a function that looked plain.
    """
    if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()  # it would complain that nobody awaited it
        raise TypeError(
            "mock_clouds decorates plain functions, and this one returned a "
            f"{type(result).__name__}: use `with` inside it"
        )
    return result


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
