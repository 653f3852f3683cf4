"""The points where a worker touches cloud or store, and what may happen to it there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from sgguard.emulator.faces import all_faces
from sgguard.emulator.faults import DroppedConnectionError
from sgguard.errors import StoreError
from sgguard.wire import parallel as parallel_module
from tests.sim.scheduler import Killed, Task

if TYPE_CHECKING:
    from tests.sim.world import World

READS = ("GET", "Describe", "POST /v3/auth/tokens")


class SimTransport(httpx.BaseTransport):
    """The network of one worker: each request is two points, before it and after it."""

    def __init__(self, world: World, task: Task) -> None:
        self._world = world
        self._task = task

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, unless something happens to it."""
        request.read()
        world, task = self._world, self._task
        action = world.face.action(request)
        is_write = not action.startswith(READS)
        mishap = world.arrive(task, "cloud", action, is_write=is_write)
        if mishap.what == "throttle":
            world.note(task, f"{action}: throttled")
            return world.face.fault("throttle", request, "")
        if mishap.what == "error":
            world.note(task, f"{action}: an error of the cloud, nothing was done")
            return world.face.fault("error", request, "")
        try:
            response = world.emulator.handle(request)
        except DroppedConnectionError as error:
            raise httpx.ReadError("closed", request=request) from error
        if is_write:
            world.note(task, f"{action} -> {response.status_code}")
        world.monitor.after_request(task, action)
        world.leave(task, mishap)
        if mishap.what == "lost":
            world.note(task, f"{action}: its answer is lost")
            raise httpx.ReadError("the answer was lost", request=request)
        return response


class SimDatabase:
    """The database of a store: each transaction is two points, before it and after it."""

    def __init__(self, inner: Any, world: World) -> None:
        self._inner = inner
        self._world = world

    def autocommit(self, work: Callable[[Any], Any]) -> Any:
        """Do work without a transaction; only a claim writes so."""
        name = _name(work)
        return self._run(self._inner.autocommit, work, name, is_write=name == "claim")

    def transaction(self, work: Callable[[Any], Any]) -> Any:
        """Do work in a transaction."""
        return self._run(self._inner.transaction, work, _name(work), is_write=True)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _run(self, how: Any, work: Any, name: str, *, is_write: bool) -> Any:
        world = self._world
        task = world.scheduler.current
        if task is None:
            return how(work)
        mishap = world.arrive(task, "store", name, is_write=is_write)
        if mishap.what == "error":
            world.note(task, f"{name}: the store fails, nothing is written")
            raise StoreError("the store cannot be used")
        try:
            result = how(lambda session: work(_Session(session, world, task, name)))
        except Exception as error:
            world.note(task, f"{name}: {type(error).__name__}: {error}")
            raise
        if is_write:
            world.note(task, name)
            world.monitor.after_transaction(task, name, work)
        world.leave(task, mishap)
        if mishap.what == "lost":
            world.note(task, f"{name}: written, and the store fails")
            raise StoreError("the store did not answer")
        return result


class _Session:
    """A session of a transaction that a mutant may split in two (``session.split()``)."""

    def __init__(self, inner: Any, world: World, task: Task, name: str) -> None:
        self._inner = inner
        self._where = world, task, name
        self.rows = inner.rows
        self.count = inner.count

    def split(self) -> None:
        """Commit what was written so far; what follows is another transaction."""
        world, task, name = self._where
        self._inner.connection.execute("COMMIT")
        world.note(task, f"{name}: its first half")
        world.monitor.after_transaction(task, name, None)
        try:
            mishap = world.arrive(task, "store", name, is_write=True)
        finally:
            self._inner.connection.execute("BEGIN IMMEDIATE")
        if mishap.what in ("error", "lost"):
            raise StoreError("the store cannot be used")


def _name(work: Any) -> str:
    """The method of the store whose transaction this is."""
    return getattr(values_of(work).get("method"), "__name__", "transaction")


def values_of(work: Any) -> dict[str, Any]:
    """What a function of a transaction has closed over, by name."""
    cells = getattr(work, "__closure__", None)
    if not cells:
        return {}
    return {
        name: cell.cell_contents
        for name, cell in zip(work.__code__.co_freevars, cells, strict=True)
    }


class _InlinePool:
    """A pool whose calls run on the calling thread: at once or in their turn, as a story says."""

    def __init__(self, world: World) -> None:
        self._world = world

    def submit(self, call: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Run the call now, or leave it to the caller, who takes back what has not begun."""
        future: Future[Any] = Future()
        if self._world.is_early():
            future.set_running_or_notify_cancel()
            try:
                future.set_result(call(*args))
            except Exception as error:  # noqa: BLE001 - raised by ``result``
                future.set_exception(error)
        return future


@contextmanager
def determined(world: World) -> Iterator[None]:
    """Make everything random or parallel in this process a matter of the story."""
    urandom, pool = os.urandom, parallel_module._pool
    count = 0

    def bytes_of_the_story(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{world.story.seed} {count}".encode()).digest(size)

    os.urandom = bytes_of_the_story
    parallel_module._pool = lambda: _InlinePool(world)  # type: ignore[assignment]
    try:
        yield
    finally:
        os.urandom, parallel_module._pool = urandom, pool


def face_of(provider: str) -> Any:
    """The API of an emulated cloud."""
    return all_faces()[provider]


__all__ = ["Killed", "SimDatabase", "SimTransport", "determined", "face_of", "values_of"]
