"""A story is made smaller as long as it still breaks what it broke."""

from __future__ import annotations

from tests.sim.generate import story_of
from tests.sim.shrink import shrink


def _task_names(story) -> list[str]:
    return [task["name"] for task in story.tasks]


def test_what_does_not_matter_is_left_out():
    story = next(
        one
        for one in (story_of("openstack", str(seed)) for seed in range(200))
        if len(one.tasks) > 4 and any(task["mishaps"] for task in one.tasks)
    )
    wanted = next(task["name"] for task in story.tasks if task["mishaps"])

    def is_broken(candidate) -> bool:
        return any(one["name"] == wanted and one["mishaps"] for one in candidate.tasks)

    small = shrink(story, is_broken)
    assert _task_names(small) == [wanted]
    assert len(small.tasks[0]["mishaps"]) == 1
    assert len(small.policies["p0"]) <= 1
    assert not small.holders
    assert not small.jitter


def test_a_story_is_tried_no_more_often_than_permitted():
    tried = []
    shrink(story_of("huawei", "3"), lambda story: bool(tried.append(story)), runs=7)
    assert len(tried) == 7


def test_the_story_itself_stays_as_it_is():
    story = story_of("tencent", "11")
    before = story.to_json()
    shrink(story, lambda candidate: len(candidate.tasks) > 1)
    assert story.to_json() == before
