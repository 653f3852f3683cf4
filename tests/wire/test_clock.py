"""A deadline comes on whichever clock is further, and is asked right before a call is sent."""

from __future__ import annotations

import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import DeadlineError, UnknownShapeError
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline, utc_s
from sgguard.wire.openstack.keystone import Identity
from sgguard.wire.openstack.keystone_auth import KeystoneAuth, TokenCache
from sgguard.wire.pacing import Lanes, Pace
from sgguard.wire.shape import Shape
from tests.stores import Clock

IDENTITY = Identity("https://keystone.test/v3", "token", "secret")
URL = "https://neutron.test/v2.0/security-group-rules/1"
TOKEN = {"token": {"expires_at": "2035-01-01T00:00:00Z"}}


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 20)), max_size=6), st.floats(0, 3))
def test_time_is_over_when_one_of_the_clocks_says_so(steps, margin_s):
    clock, wall = Clock(50.0), Clock()
    deadline = Deadline.after(20, clock).also_on(wall).earlier(margin_s)
    passed = {True: 0.0, False: 0.0}
    for is_wall, seconds in steps:
        (wall if is_wall else clock).pass_(seconds)
        passed[is_wall] += seconds
    left_s = max(0.0, 20 - margin_s - max(passed.values()))
    assert deadline.remaining_s() == pytest.approx(left_s, abs=1e-5)


def test_a_wall_clock_that_is_put_back_gives_no_more_time():
    clock, wall = Clock(50.0), Clock()
    deadline = Deadline.after(20, clock).also_on(wall)
    wall.pass_(-3600)
    clock.pass_(15)
    assert deadline.remaining_s() == 5


class Cloud:
    """Keystone and Neutron; a machine is paused while an action of that sort is answered."""

    def __init__(self, paused_at: str, statuses: tuple[int, ...] = (204,)) -> None:
        self.wall, self.paused_at, self.statuses = Clock(), paused_at, list(statuses)
        self.sent: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        what = "token" if request.url.host.startswith("keystone") else request.method
        self.sent.append(what)
        if what == self.paused_at:
            self.wall.pass_(75)
        if what == "token":
            return httpx.Response(201, json=TOKEN, headers={"x-subject-token": "t-1"})
        return httpx.Response(self.statuses.pop(0))

    def delete(self) -> None:
        stood = Clock(50.0)
        wire = Wire(
            "openstack",
            Deadline.after(10, stood).also_on(self.wall),
            transport=httpx.MockTransport(self),
            pace=Pace(lanes=Lanes(stood, self.wait)),
        )
        auth = KeystoneAuth(IDENTITY, wire, lambda: 0.0, TokenCache())
        wire.write("DELETE", URL, action="DELETE rule", check=lambda _: None, auth=auth)

    def wait(self, seconds: float) -> None:
        raise AssertionError(seconds)


def test_no_change_follows_a_token_that_took_longer_than_there_was_time():
    cloud = Cloud("token")
    with pytest.raises(DeadlineError):
        cloud.delete()
    assert cloud.sent == ["token"]


def test_a_change_that_was_refused_for_an_old_token_is_not_sent_again_when_it_is_too_late():
    cloud = Cloud("DELETE", (401, 204))
    with pytest.raises(DeadlineError):
        cloud.delete()
    assert cloud.sent == ["token", "DELETE"]


def test_a_change_is_sent_with_a_token_that_came_in_time():
    cloud = Cloud("nothing", (401, 204))
    cloud.delete()
    assert cloud.sent == ["token", "DELETE", "token", "DELETE"]


def test_no_change_follows_a_wait_for_its_turn_that_took_too_long():
    cloud, stood = Cloud("nothing", (204, 204)), Clock(50.0)

    def wait(seconds: float) -> None:
        stood.pass_(seconds)
        cloud.wall.pass_(75)

    wire = Wire(
        "openstack",
        Deadline.after(10, stood).also_on(cloud.wall),
        transport=httpx.MockTransport(cloud),
        pace=Pace(rates={"DELETE*": 1.0}, lanes=Lanes(stood, wait)),
    )
    wire.write("DELETE", URL, action="DELETE rule", check=lambda _: None)
    with pytest.raises(DeadlineError):
        wire.write("DELETE", URL, action="DELETE rule", check=lambda _: None)
    assert cloud.sent == ["DELETE"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-28T14:00:00Z", 1795874400.0),
        ("2026-11-28T14:00:00", 1795874400.0),
        ("2026-11-28 14:00:00.500000", 1795874400.5),
        ("2026-11-28T22:00:00+08:00", 1795874400.0),
    ],
)
def test_a_time_without_a_zone_is_of_utc_wherever_the_machine_is(monkeypatch, text, seconds):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert utc_s(text) == seconds
        assert Shape("huawei", "a").time_s({"at": text}, "at", "row") == seconds
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01T00:00:00+23:59x", "2026-13-01"])
def test_what_is_no_time_is_an_unknown_shape(text):
    with pytest.raises(UnknownShapeError):
        Shape("alibaba", "a").time_s({"at": text}, "at", "row")
