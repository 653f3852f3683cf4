"""The points where a worker touches cloud or store, and what may happen to it there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from sgguard.emulator.faces import all_faces
from sgguard.emulator.faults import DroppedConnectionError
from sgguard.errors import StoreError
from tests.sim.depends import EVERYWHERE, watching
from tests.sim.rows import tables_of
from tests.sim.scheduler import Killed, Task

if TYPE_CHECKING:
    from tests.sim.world import Mishap, World

READS = ("GET", "Describe", "POST /v3/auth/tokens")


Answered = tuple[httpx.Request | None, tuple[str, ...], tuple[int, ...]]


class SimTransport(httpx.BaseTransport):
    """The network of one worker: each request is two points, before it and after it.

    ``last`` is the request that the cloud answered last, what it looked at for that, and the
    numbers of what it found.
    """

    def __init__(self, world: World, task: Task) -> None:
        self.world = world
        self._owner = task
        self._arrived: Mishap | None = None
        self.last: Answered = (None, (), ())

    @property
    def _task(self) -> Task:
        """Who sends: its worker, or a thread that this one has begun."""
        return self.world.scheduler.current or self._owner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, unless something happens to it."""
        request.read()
        world, task = self.world, self._task
        action = world.face.action(request)
        is_write = not action.startswith(READS)
        mishap, self._arrived = self._arrived, None
        if mishap is None:
            mishap = world.arrive(task, "cloud", action, is_write=is_write)
        if (refused := self._refused(mishap, action, request)) is not None:
            return refused
        world.is_changing = is_write
        try:
            with watching() as seen:
                response = world.emulator.handle(request)
        except DroppedConnectionError as error:
            raise httpx.ReadError("closed", request=request) from error
        finally:
            world.is_changing = False
        names = tuple(sorted({*seen, EVERYWHERE}))
        numbers = tuple(map(world.content.number, names))
        if is_write:
            world.note(task, f"{action} -> {response.status_code}")
            world.content = world.content_now()
            world.monitor.after_request(task, action)
        self.last = request, names, numbers
        self._leave(mishap, action, request)
        return response

    def recalled(
        self, request: httpx.Request, find: Callable[[], httpx.Response | None]
    ) -> httpx.Response | None:
        """Come to the points of a read that was answered before, and return its answer.

        None where the cloud has changed on the way: the next request goes on from there.
        """
        world, task = self.world, self._task
        action = world.face.action(request)
        mishap = world.arrive(task, "cloud", action, is_write=False)
        if (refused := self._refused(mishap, action, request)) is not None:
            return refused
        response = find()
        if response is None:
            self._arrived = mishap
            return None
        self._leave(mishap, action, request)
        return response

    def _refused(
        self, mishap: Mishap, action: str, request: httpx.Request
    ) -> httpx.Response | None:
        if mishap.what == "throttle":
            self.world.note(self._task, f"{action}: throttled")
            return self.world.face.fault("throttle", request, "")  # type: ignore[no-any-return]
        if mishap.what == "error":
            self.world.note(self._task, f"{action}: an error of the cloud, nothing was done")
            return self.world.face.fault("error", request, "")  # type: ignore[no-any-return]
        return None

    def _leave(self, mishap: Mishap, action: str, request: httpx.Request) -> None:
        self.world.leave(self._task, mishap)
        if mishap.what == "lost":
            self.world.note(self._task, f"{action}: its answer is lost")
            raise httpx.ReadError("the answer was lost", request=request)


_NOTHING = nullcontext()


class SimDatabase:
    """The database of a store: each transaction is two points, before it and after it."""

    def __init__(self, inner: Any, world: World) -> None:
        self._inner = inner
        self._world = world

    def autocommit(self, work: Callable[[Any], Any]) -> Any:
        """Do work without a transaction; only a claim writes so."""
        name = _name(work).lstrip("_")
        return self._run(self._inner.autocommit, work, name, is_write=name == "claim")

    def transaction(self, work: Callable[[Any], Any]) -> Any:
        """Do work in a transaction."""
        return self._run(self._inner.transaction, work, _name(work), is_write=True)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def for_pace(self) -> _NoPace:
        """Share no pace: when calls leave decides nothing here."""
        return _NoPace()

    def _run(self, how: Any, work: Any, name: str, *, is_write: bool) -> Any:
        world = self._world
        task = world.scheduler.current
        if task is None:
            return how(lambda session: work(_Session(session, world)))
        mishap = world.arrive(task, "store", name, is_write=is_write)
        if mishap.what == "error":
            world.note(task, f"{name}: the store fails, nothing is written")
            raise StoreError("the store cannot be used")
        try:
            with world.monitor.purging() if name == "purge" else _NOTHING:
                result = how(lambda session: work(_Session(session, world, (task, name))))
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


class _NoPace:
    tick = None
    clock = not_lasting = ""

    def autocommit(self, work: Any) -> Any:
        raise StoreError("no pace is shared")


class _Session:
    """A session that counts what is written.

    A mutant may split its transaction in two (``session.split()``).
    """

    def __init__(self, inner: Any, world: World, who: tuple[Task, str] | None = None) -> None:
        self._inner = inner
        self._world = world
        self._who = who

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        for table in written_by(statement):
            self._world.written[table] += 1
        found: list[tuple[Any, ...]] = self._inner.rows(statement, **values)
        return found

    def count(self, statement: str, **values: Any) -> int:
        for table in written_by(statement):
            self._world.written[table] += 1
        number: int = self._inner.count(statement, **values)
        return number

    def send(self, statement: str, **values: Any) -> Any:
        for table in written_by(statement):
            self._world.written[table] += 1
        return self._inner.send(statement, **values)

    def send_lines(self, statement: str, lines: Any, **values: Any) -> Any:
        for table in written_by(statement):
            self._world.written[table] += 1
        return self._inner.send_lines(statement, lines, **values)

    def split(self) -> None:
        """Commit what was written so far; what follows is another transaction."""
        assert self._who is not None
        world, (task, name) = self._world, self._who
        self._inner.connection.execute("COMMIT")
        world.note(task, f"{name}: its first half")
        world.monitor.after_transaction(task, name, None)
        try:
            mishap = world.arrive(task, "store", name, is_write=True)
        finally:
            self._inner.connection.execute("BEGIN IMMEDIATE")
        if mishap.what in ("error", "lost"):
            raise StoreError("the store cannot be used")


@lru_cache(maxsize=512)
def written_by(statement: str) -> tuple[str, ...]:
    """The tables that a statement may change."""
    return () if statement.lstrip().startswith("SELECT") else tables_of(statement)


def _name(work: Any) -> str:
    """The method of the store whose transaction this is."""
    return getattr(value_of(work, "method"), "__name__", "transaction")


def value_of(work: Any, name: str) -> Any:
    """What a function of a transaction has closed over by that name; None where nothing."""
    if not getattr(work, "__closure__", None):
        return None
    names = work.__code__.co_freevars
    return work.__closure__[names.index(name)].cell_contents if name in names else None


class _Face:
    """The API of a cloud; what a request is called is found out once."""

    def __init__(self, face: Any) -> None:
        self._face = face
        self.respond, self.fault, self.refuse = face.respond, face.fault, face.refuse

    def action(self, request: httpx.Request) -> str:
        found: str | None = request.extensions.get("sim-action")
        if found is None:
            found = request.extensions["sim-action"] = self._face.action(request)
        return found


@cache
def face_of(provider: str) -> Any:
    """The API of an emulated cloud."""
    return _Face(all_faces()[provider])


__all__ = ["Killed", "SimDatabase", "SimTransport", "face_of", "value_of"]
