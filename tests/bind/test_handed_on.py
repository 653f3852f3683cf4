"""A bind that takes longer than a function may live: handed on, and ended by whoever comes next."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from msgspec.structs import replace

from sgguard import schemas
from sgguard.engine import bind, bind_target
from sgguard.engine.context import Context
from sgguard.engine.delivery import deliverer
from sgguard.errors import EventError
from sgguard.events.bind import bind_event
from sgguard.model.caller import Caller, Identity
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.operations import resume
from sgguard.operations.progress import watched
from sgguard.outbox.background import BACKGROUND
from sgguard.render.text import full
from sgguard.store.rows import Query
from tests.bind.harness import GROUP, Fleet, by_status, ids, rows
from tests.bind.test_bound import bound
from tests.bind.test_crash import Died, Dying
from tests.worlds.tencent import WORLD

SIZE = 24
BUSY = ids(SIZE)[3:21:9]
GROUP_ADDRESS = f"tencent::{WORLD.region}:{GROUP}"


@dataclass
class Sink:
    """What takes events; ``status`` is its answer to each."""

    url: str = ""
    status: int = 202
    taken: list[tuple[dict[str, str], dict]] = field(default_factory=list)

    def rests(self) -> list[tuple[dict[str, str], dict]]:
        return [one for one in self.taken if one[0]["ce-type"] == bind_target.REST_TYPE]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with sinking() as one:
        yield one


@contextmanager
def sinking() -> Iterator[Sink]:
    made = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            made.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield made
        finally:
            server.shutdown()


@pytest.fixture
def fleet(tmp_path) -> Fleet:
    return slow_fleet(tmp_path)


def slow_fleet(folder) -> Fleet:
    """Calls of six holders each, all over after a second, but for two that are busy for long."""
    fleet = Fleet(folder, SIZE)
    told = dict.fromkeys(BUSY, ["MutexOperation.TaskRunning"] * 5)
    fleet.cloud.quirks |= {"binds_at_most": 6, "binding_s": 1, "binding_refused_with": told}
    return fleet


def short(fleet: Fleet, target: str = "", **more) -> Context:
    """A delivery with time for a part of the holders."""
    context = fleet.context(deadline_s=4.0, **more)
    settings = replace(context.settings, bind_target=target, deadline_s=5.0)
    return replace(context, settings=settings)


def drained(fleet: Fleet, context: Context | None = None) -> list[str]:
    """Deliver what is due, for a process that stays awake, until nothing waits any more."""
    told: list[str] = []
    while fleet.store.waiting_notices()[1]:
        given = context or short(fleet)
        awake = replace(given, deadline=replace(given.deadline, at_s=1e12))
        told += [one.what for one in deliverer(awake).drain()]
        fleet.clock.jumped_s += 2.0
        assert len(told) < 100
    return told


def require_exact(fleet: Fleet, document: dict) -> None:
    """Every holder is bound and reported, and none of them was bound twice."""
    assert fleet.holders_of() == set(ids(SIZE))
    counts = document["bind"]["counts"]
    assert (counts["done"] + counts["nothing"], counts["open"]) == (SIZE, 0)
    assert document["outcome"] == "remediated"
    taken = Counter(
        one for each in fleet.store.entries(document["decision_id"]) for one in done_in(each)
    )
    assert set(taken.values()) <= {1}
    assert all(fleet.carried(one).count(GROUP) == 1 for one in ids(SIZE))


def done_in(entry) -> list[str]:
    note = json.loads(entry.note or "{}")
    named = {*note.get("results", {}), *note.get("again", ())}
    holders = json.loads(entry.change_json)["holders"]
    return [one for one in holders if one not in named] if entry.state == "done" else []


def kept(fleet: Fleet) -> dict:
    (record,) = fleet.store.decisions(Query())
    return json.loads(record.document_json)


def test_near_its_deadline_a_bind_answers_how_far_it_is_and_leaves_the_rest(fleet):
    found = fleet.bind(ids(SIZE), context=short(fleet))
    assert schemas.problems("decision", found) == ()
    counts = found["bind"]["counts"]
    assert found["outcome"] == "unfinished"
    assert counts["open"] > 0
    assert counts["done"] + counts["open"] == SIZE
    assert f"{counts['done']} of {SIZE} holders are over" in found["note"]
    (run,) = fleet.store.open_runs()
    assert run.decision_id == found["decision_id"]


def test_a_bind_under_way_is_never_shown_as_one_of_which_nothing_was_done(fleet):
    fleet.bind(ids(SIZE), context=short(fleet))
    shown = full(kept(fleet))
    assert "1 step, in this order (unfinished)" in shown
    assert "nothing was done" not in shown


def test_a_resume_tells_how_many_are_over_and_the_journal_is_shown_in_words(fleet):
    found = fleet.bind(ids(SIZE), context=short(fleet))
    told: list[str] = []
    done = resume.resume(found["decision_id"], watched(fleet.context(), told.append))
    assert told[-1] == f"{SIZE} of {SIZE} holders are over"
    lines = full(done, width=400, is_whole=True).splitlines()
    shown = [one for one in lines if "bind sg-unused00: 6 holders: " in one]
    assert shown
    assert any("request " in one or "to be sent again" in one for one in shown)
    assert not any("{" in one for one in shown)


def test_the_rest_in_the_store_is_ended_by_whoever_delivers(fleet):
    fleet.bind(ids(SIZE), context=short(fleet))
    assert "sent" in drained(fleet)
    require_exact(fleet, kept(fleet))
    assert fleet.bind(ids(SIZE))["bind"]["counts"]["done"] == SIZE  # the event's own answer


def test_a_holder_that_stays_busy_is_reported_after_many_deliveries(fleet):
    fleet.cloud.quirks["binding_refused_with"] = {BUSY[0]: "MutexOperation.TaskRunning"}
    found = fleet.bind(ids(SIZE), context=short(fleet))
    deliveries = 1
    while found["outcome"] == "unfinished":
        found = fleet.bind(ids(SIZE), context=short(fleet))
        deliveries += 1
        assert deliveries < 40
    assert deliveries > 3
    row = rows(found)[BUSY[0]]
    assert (row["status"], row["code"]) == ("refused", "busy")
    assert by_status(found, "done") == set(ids(SIZE)) - {BUSY[0]}


@pytest.mark.slow
def test_many_deliveries_together_keep_the_bound_on_calls(tmp_path):
    size, bad = 400, set(ids(400)[::10])
    fleet = Fleet(tmp_path, size)
    told = dict.fromkeys(bad, "UnsupportedOperation.InstanceStateIsolating")
    fleet.cloud.quirks |= {"binding_refused_with": told, "names_nobody": True}
    found = fleet.bind(ids(size), context=short(fleet))
    deliveries = 1
    while found["outcome"] == "unfinished":
        found = fleet.bind(ids(size), context=short(fleet))
        deliveries += 1
        assert deliveries < 100
    assert deliveries > 5
    assert by_status(found, "refused") == bad
    assert fleet.holders_of() == set(ids(size)) - bad
    assert fleet.calls() <= bound(size, len(bad))


def test_a_bind_that_is_accepted_as_it_is_says_of_each_holder_what_became_of_it(fleet):
    found = fleet.bind(ids(SIZE), context=short(fleet))
    done = resume.accept(found["decision_id"], fleet.context(), by="olga")
    assert by_status(done, "done") == by_status(found, "done")
    assert by_status(done, "open")
    assert by_status(done, "done") <= fleet.holders_of()
    assert by_status(done, "planned") == set()
    assert schemas.problems("decision", done) == ()


def test_a_redelivery_ends_the_rest_and_nothing_waits_any_more(fleet):
    fleet.bind(ids(SIZE), context=short(fleet))
    require_exact(fleet, fleet.bind(ids(SIZE)))
    assert fleet.store.waiting_notices()[1] == 0


def test_a_bind_whose_process_was_killed_is_missed_and_ended(fleet):
    dying = Dying(fleet.emulator, fleet.store, 0, is_after=True, on="AssociateSecurityGroups")
    with pytest.raises(Died):
        fleet.bind(ids(SIZE), context=fleet.context(transport=dying))
    assert drained_now(fleet) == []  # its lease is not over
    fleet.restart()
    drained(fleet)
    require_exact(fleet, kept(fleet))


def drained_now(fleet: Fleet) -> list[str]:
    return [one.what for one in deliverer(short(fleet)).drain()]


def test_a_broker_gets_the_rest_as_an_event_with_a_cursor(fleet, sink):
    found = fleet.bind(ids(SIZE), context=short(fleet, sink.url))
    ((headers, data),) = sink.rests()
    rest = {"decision": found["decision_id"], "over": found["bind"]["counts"]["done"], "of": SIZE}
    assert data == {"group": GROUP_ADDRESS, "action": "bind", "rest": rest}
    assert headers["ce-partitionkey"] == found["decision_id"]
    assert headers["ce-specversion"] == "1.0"
    assert schemas.problems("bind_request", data) == ()
    # Nobody else goes on while the broker has it.
    assert drained_now(fleet) == []


def test_any_instance_goes_on_with_the_event_until_the_bind_ends(fleet, sink):
    fleet.bind(ids(SIZE), context=short(fleet, sink.url))
    done, seen = {}, 0
    while seen < len(sink.rests()):
        seen += 1
        done = consumed(fleet, sink, seen)
    assert seen > 1
    require_exact(fleet, done)
    # One that comes again, or late, is answered with the end and changes nothing.
    before = fleet.calls()
    assert consumed(fleet, sink, 1)["decision_id"] == done["decision_id"]
    assert fleet.calls() == before
    assert fleet.store.waiting_notices()[1] == 0


def consumed(fleet: Fleet, sink: Sink, number: int, **more) -> dict:
    headers, data = sink.rests()[number - 1]
    context = replace(short(fleet, sink.url), **more)
    event = Event(headers["ce-id"], data, "/sgguard/bind_request")
    (found,) = bind.binds([(bind_event(data), event)], context)
    if isinstance(found, Exception):
        raise found
    return found


def test_a_target_that_takes_nothing_loses_nothing(fleet, sink):
    sink.status = 503
    fleet.bind(ids(SIZE), context=short(fleet, sink.url))
    assert drained_now(fleet) == []  # it is left alone for a while
    sink.status = 200
    fleet.clock.jumped_s += 60.0
    assert [one.what for one in deliverer(short(fleet, sink.url)).drain()] == ["sent"]
    assert len(sink.rests()) == 2


def test_an_event_that_a_broker_lost_is_missed_like_a_process(fleet, sink):
    fleet.bind(ids(SIZE), context=short(fleet, sink.url))
    consumed(fleet, sink, 1)
    lost = len(sink.rests())
    fleet.store.retry_notice(f"bind:{kept(fleet)['decision_id']}")
    deliveries = list(deliverer(short(fleet, sink.url)).drain())
    assert [one.what for one in deliveries] == ["sent"]
    assert len(sink.rests()) == lost + 1


def test_nobody_goes_on_without_the_right_to(fleet, sink):
    fleet.bind(ids(SIZE), context=short(fleet, sink.url))
    before = fleet.holders_of()
    watcher = Identity(Caller("watcher", "bearer", {}, mode=Mode.OBSERVE))
    with pytest.raises(EventError, match="may change nothing"):
        consumed(fleet, sink, 1, caller=watcher)
    _, data = sink.rests()[0]
    data["group"] = f"tencent::{WORLD.region}:sg-deflt000"
    with pytest.raises(EventError, match="no such bind"):
        consumed(fleet, sink, 1)
    assert fleet.holders_of() == before


def test_a_function_without_credentials_leaves_the_rest_to_others(fleet):
    found = fleet.bind(ids(SIZE), context=short(fleet))
    fleet.clock.jumped_s += 2.0
    context = replace(fleet.context(), env={})
    assert [one.what for one in deliverer(context).drain()] == ["later"]
    row = fleet.store.notice(f"bind:{found['decision_id']}")
    assert row.attempts == 0
    fleet.clock.jumped_s += 60.0
    drained(fleet)
    require_exact(fleet, kept(fleet))


def test_a_halt_stops_the_rest_until_it_is_over(fleet):
    fleet.bind(ids(SIZE), context=short(fleet))
    before = fleet.calls()
    fleet.store.halt("olga", "a release")
    fleet.clock.jumped_s += 2.0
    assert drained_now(fleet) == ["later"]
    assert fleet.calls() == before
    fleet.store.lift_halt()
    fleet.clock.jumped_s += 120.0
    drained(fleet)
    require_exact(fleet, kept(fleet))


def test_how_far_it_is_is_told_to_the_target_while_it_runs(tmp_path, sink):
    fleet = slow_fleet(tmp_path)
    fleet.cloud.quirks["binding_s"] = 8
    context = fleet.context()
    settings = replace(context.settings, bind_target=sink.url)
    done = fleet.bind(ids(SIZE), context=replace(context, settings=settings))
    told = [data for headers, data in sink.taken if headers["ce-type"] == bind_target.PROGRESS_TYPE]
    assert told
    assert all(one["of"] == SIZE and one["decision"] == done["decision_id"] for one in told)


def test_a_delivery_wakes_what_waits_in_the_store(fleet):
    fleet.bind(ids(SIZE), context=short(fleet))
    BACKGROUND._written.clear()
    fleet.bind(ids(SIZE)[:1], event_id="b-2", group_id="sg-deflt000")
    assert BACKGROUND._written.is_set()


@pytest.mark.parametrize(
    ("more", "path"),
    [({"holders": ["ins-00000001"]}, "/holders"), ({"filter": {"name": "a"}}, "/filter")],
)
def test_the_rest_of_a_bind_names_no_further_holders(more, path):
    data = {"group": GROUP_ADDRESS, "rest": {"decision": "d1"}, **more}
    with pytest.raises(EventError) as caught:
        bind_event(data)
    assert [one.path for one in caught.value.problems] == [path]


@pytest.mark.slow
@pytest.mark.parametrize("has_target", [False, True], ids=["store", "broker"])
def test_killed_at_any_point_nothing_is_bound_twice_forgotten_or_half_reported(
    tmp_path, has_target
):
    with sinking() as sink:
        at = 1
        while True:
            folder = tmp_path / f"{at}"
            folder.mkdir()
            fleet = slow_fleet(folder)
            del sink.taken[:]
            if not killed_once(fleet, at, sink.url if has_target else ""):
                break
            fleet.restart()
            if fleet.store.open_runs():
                drained(fleet)
            require_exact(fleet, fleet.bind(ids(SIZE)))
            at += 3
    assert at > 15


def killed_once(fleet: Fleet, at: int, target: str) -> bool:
    """Deliver, and go on where it is handed on, with a worker that dies; False where none did."""
    dying = Dying(fleet.emulator, fleet.store, at, is_after=bool(at % 2))
    context = replace(short(fleet, target, transport=dying), store=dying)
    try:
        fleet.bind(ids(SIZE), context=context)
        while fleet.store.open_runs():
            again = replace(short(fleet, target, transport=dying), store=dying)
            fleet.bind(ids(SIZE), context=again)
    except Died:
        return True
    return False
