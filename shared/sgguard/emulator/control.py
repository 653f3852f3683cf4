"""Controlling a running emulator over HTTP: its requests, its state, its faults.

============================== =====================================================
``GET /_emulator/requests``    every request so far, oldest first, without headers
``DELETE /_emulator/requests`` clear them
``GET /_emulator/state``       everything that exists, as a scenario
``PUT /_emulator/scenario``    load another scenario (JSON or TOML); clears the rest
``POST /_emulator/faults``     add faults for the next N calls: one or a list
``DELETE /_emulator/faults``   clear all faults
============================== =====================================================

An invalid body gets a 400 with problem details that name the path, and changes nothing.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import httpx

from sgguard.emulator.core import Emulator, require_known
from sgguard.emulator.faults import Fault
from sgguard.emulator.resource import build
from sgguard.emulator.state import State

PREFIX = "/_emulator"


def respond(emulator: Emulator, request: httpx.Request) -> httpx.Response:
    """Return the response to one control request whose body has been read."""
    name = request.url.path.removeprefix(PREFIX).strip("/")
    method = "GET" if request.method == "HEAD" else request.method
    action = _ACTIONS.get((method, name))
    if action is not None:
        try:
            return action(emulator, request)
        except ValueError as error:
            return problem(400, str(error))
    methods = sorted(m for m, n in _ACTIONS if n == name)
    if not methods:
        known = ", ".join(sorted({f"{PREFIX}/{n}" for _, n in _ACTIONS}))
        return problem(404, f"{request.url.path}: expected one of {known}")
    response = problem(405, f"{request.url.path} understands {', '.join(methods)}")
    response.headers["allow"] = ", ".join(methods)
    return response


def problem(status: int, detail: str) -> httpx.Response:
    """Return RFC 9457 problem details."""
    titles = {400: "Bad request", 404: "Not found", 405: "Method not allowed"}
    title = titles.get(status, "Error of the emulator")
    return httpx.Response(
        status,
        headers={"content-type": "application/problem+json"},
        content=json.dumps({"title": title, "status": status, "detail": detail}).encode(),
    )


def _requests(emulator: Emulator, _: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=[asdict(r) for r in tuple(emulator.requests)])


def _clear_requests(emulator: Emulator, _: httpx.Request) -> httpx.Response:
    emulator.requests.clear()
    return httpx.Response(204)


def _state(emulator: Emulator, _: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=emulator.state.dump())


def _scenario(emulator: Emulator, request: httpx.Request) -> httpx.Response:
    scenario = _parse(request)
    if not isinstance(scenario, Mapping) or not isinstance(scenario.get("clouds"), list):
        raise ValueError("clouds: expected a list of clouds")  # noqa: TRY004 - becomes a 400
    state = State.load(scenario)
    require_known(state)
    with emulator.state.lock:
        emulator.state.replace(state)
        emulator.faults.clear()
        emulator.requests.clear()
    return httpx.Response(200, json={"clouds": [cloud.provider for cloud in state.clouds]})


def _add_faults(emulator: Emulator, request: httpx.Request) -> httpx.Response:
    raw = _parse(request)
    many = raw if isinstance(raw, list) else [raw]
    path = "faults[{}]" if isinstance(raw, list) else "fault"
    faults = [_fault(item, path.format(n)) for n, item in enumerate(many)]
    with emulator.state.lock:
        emulator.faults.extend(faults)
    return httpx.Response(201, json={"faults": [asdict(f) for f in tuple(emulator.faults)]})


def _clear_faults(emulator: Emulator, _: httpx.Request) -> httpx.Response:
    with emulator.state.lock:
        emulator.faults.clear()
    return httpx.Response(204)


def _fault(raw: object, path: str) -> Fault:
    try:
        return build(Fault, raw, path)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith(path) else f"{path}.{message}") from error


def _parse(request: httpx.Request) -> Any:
    """Return the body: TOML by its content type, or because it does not start as JSON does."""
    try:
        return _parse_text(request)
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8: {error}") from error
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error


def _parse_text(request: httpx.Request) -> Any:
    text = request.content.decode()
    is_toml = "toml" in request.headers.get("content-type", "")
    if is_toml or not text.lstrip().startswith(("{", "[{", '"')):
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            if is_toml:
                raise ValueError(f"the body is not TOML: {error}") from error
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is neither JSON ({error}) nor TOML") from error
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise ValueError(f"the body has what no answer could repeat: {error}") from error
    return value


_ACTIONS: dict[tuple[str, str], Callable[[Emulator, httpx.Request], httpx.Response]] = {
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _clear_requests,
    ("GET", "state"): _state,
    ("PUT", "scenario"): _scenario,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
}
