"""A bind as a whole uses the rate that the cloud documents: judged, journalled and handed on."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

from tests import stores
from tests.bind.simulated import LIMIT, Crowd, finished
from tests.pace.virtual import Time, processes, threads_in

OF_THE_CEILING = 0.95


def bound(kept, folder, process_count: int, each: int, deadline_s: float) -> Crowd:
    """Bind with as many processes as there are groups, each by deliveries of so many seconds."""
    time = Time()
    crowd = Crowd(time, folder, process_count, each)
    made = processes(time, kept, process_count)
    works = {
        group_id: partial(crowd.bind_all, process, group_id, deadline_s)
        for process, group_id in zip(made, crowd.wanted, strict=True)
    }
    with threads_in(time):
        finished(time, works)
    crowd.require_whole()
    return crowd


@pytest.fixture
def file(tmp_path):
    with stores.place("sqlite", tmp_path, None) as place:
        yield place


@pytest.mark.parametrize("each", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_one_process_binds_at_the_ceiling(file, tmp_path, each):
    crowd = bound(file, tmp_path, 1, each, deadline_s=3600.0)
    assert len(crowd.moments()) == each // 100
    assert crowd.part_of_the_ceiling() >= OF_THE_CEILING


@pytest.mark.slow
def test_four_processes_bind_ten_thousand_at_the_ceiling_in_deliveries_of_seconds(kept, tmp_path):
    crowd = bound(kept, tmp_path, 4, 2_500, deadline_s=10.0)
    assert len(crowd.moments()) == 100
    assert crowd.part_of_the_ceiling() >= OF_THE_CEILING


@pytest.mark.slow
def test_a_bind_that_is_handed_on_leaves_out_fewer_than_five_turns_each_time(file, tmp_path):
    crowd = bound(file, tmp_path, 1, 8_000, deadline_s=10.0)
    *turns, most = sorted((later - one) * LIMIT for one, later in pairwise(crowd.moments()))
    assert len(turns) == 78
    # As long as its journal tells of no holder that is changed, its group is looked at again.
    assert most < 7.5
    assert turns[-1] < 5
    assert sum(one > 2 for one in turns) <= 1
