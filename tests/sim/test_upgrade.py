"""What the version before left behind, at whatever point its workers died, comes to a true end."""

from __future__ import annotations

import pytest

from tests.sim import kept
from tests.sim.run import run
from tests.sim.stores import new_store_of
from tests.sim.story import Json

EVENT = {"id": "e0", "by": "alice", "targets": ["g0"]}
FIRST_S = 4000.0
"""Every lease of the version before has ended."""

FOLLOWING: dict[str, list[Json]] = {
    "nothing": [],
    "the event again": [{"kind": "deliver", "events": [EVENT]}],
    "a yes": [{"kind": "approve"}],
    "a no": [{"kind": "deny"}],
    "a resume": [{"kind": "resume"}],
    "an operator who accepts it": [{"kind": "accept", "any": True}],
    "the timer": [{"kind": "remind"}],
    "a restore": [{"kind": "restore"}],
    "a purge": [{"kind": "purge", "age": 0.0}],
    "both at once": [{"kind": "deliver", "events": [EVENT]}, {"kind": "resume"}],
}


def story(name: str, following: str):
    tasks = [
        {"name": f"n{number}", "at": FIRST_S, "mishaps": [], **one}
        for number, one in enumerate(FOLLOWING[following])
    ]
    # Whatever the story is about, the event of the version before is delivered again in the end.
    last = {"name": "last", "kind": "deliver", "at": 9000.0, "events": [EVENT], "mishaps": []}
    return kept.story_of(name, [*tasks, last])


QUICK = ("the event again", "a yes", "both at once")


@pytest.mark.parametrize(
    "following",
    [pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in FOLLOWING],
)
@pytest.mark.parametrize("name", kept.FILES)
@pytest.mark.sampled(3)
def test_what_the_version_before_left_comes_to_a_true_end(name, following):
    result = run(story(name, following))
    assert not result.violations, list(map(str, result.violations.values()))
    assert result.outcomes


@pytest.mark.slow
@pytest.mark.usefixtures("postgres_server")
def test_what_the_version_before_left_on_postgresql_comes_to_a_true_end():
    with new_store_of("postgres") as new_store:
        for name in kept.FILES:
            result = run(story(name, "both at once"), new_store)
            assert not result.violations, (name, list(map(str, result.violations.values())))
