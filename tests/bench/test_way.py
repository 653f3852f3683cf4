"""An event's way, as the code really goes it."""

from __future__ import annotations

import pytest

from sgguard import providers
from tests.bench.way import ROOMS, Way, warm_delete
from tests.worlds import world_of


@pytest.fixture(scope="module", params=providers.names())
def way(request) -> Way:
    return warm_delete(world_of(request.param))


@pytest.mark.sampled(3)
def test_an_event_enters_the_rooms_in_their_order(way):
    rooms = list(dict.fromkeys(name.split(".")[0] for name in way.modules()))
    passed = [room for room in ("functions", "web", "events", "facts", "guards") if room in rooms]
    assert [room for room in rooms if room in passed] == passed


@pytest.mark.sampled(4)
def test_an_event_climbs_back_only_where_a_provider_checks_what_came_over_the_wire(way):
    others = [
        climb
        for climb in way.climbs()
        if not (climb.startswith("wire.") and " -> providers." in climb)
    ]
    assert not others


def test_every_room_of_the_way_that_a_delete_needs_is_passed(way):
    passed = {name.split(".")[0] for name in way.modules()}
    assert set(ROOMS) - passed <= {"callers", "remedy"}
