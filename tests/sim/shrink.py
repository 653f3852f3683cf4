"""Making a story smaller while it still breaks the same invariant."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.sim.story import Story

RUNS_MAX = 600
_USUAL = {
    "jitter": False,
    "shuffle": False,
    "restores": False,
    "account": "",
    "latency_s": (0.01, 0.05),
    "deadline_s": 10.0,
}


def shrink(story: Story, is_broken: Callable[[Story], bool], runs: int = RUNS_MAX) -> Story:
    """Return a smaller story that is broken as well; at most so many are tried.

    Each pass tries to leave one part out at a time, the largest parts first, and keeps what is
    still broken; it ends with a pass that changes nothing.
    """
    left = runs
    is_smaller = True
    while is_smaller and left > 0:
        is_smaller = False
        for candidate in _candidates(story):
            # Candidates are made from the story at the beginning of the pass: one that was found
            # ends the pass, and the next begins with it.
            if left <= 0:
                break
            left -= 1
            if is_broken(candidate):
                story, is_smaller = candidate, True
                break
    return story


def _candidates(story: Story) -> Iterator[Story]:
    yield from _without_tasks(story)
    yield from _without_mishaps(story)
    yield from _usual(story)
    yield from _without_events(story)
    yield from _smaller_cloud(story)
    yield from _plainer_policies(story)
    yield from _plainer_times(story)


def _without_tasks(story: Story) -> Iterator[Story]:
    half = len(story.tasks) // 2
    if half > 1:
        for kept in (slice(0, half), slice(half, None)):
            smaller = story.copy()
            smaller.tasks = smaller.tasks[kept]
            yield smaller
    for number in range(len(story.tasks)):
        smaller = story.copy()
        del smaller.tasks[number]
        yield smaller


def _without_mishaps(story: Story) -> Iterator[Story]:
    for number, task in enumerate(story.tasks):
        for mishap in range(len(task.get("mishaps", []))):
            smaller = story.copy()
            del smaller.tasks[number]["mishaps"][mishap]
            yield smaller


def _usual(story: Story) -> Iterator[Story]:
    for name, value in _USUAL.items():
        if getattr(story, name) != value:
            smaller = story.copy()
            setattr(smaller, name, value)
            if name == "account":
                for task in smaller.tasks:
                    for event in task.get("events", []):
                        event.pop("account", None)
            yield smaller


def _without_events(story: Story) -> Iterator[Story]:
    for number, task in enumerate(story.tasks):
        events = task.get("events", [])
        for event in range(len(events)):
            smaller = story.copy()
            if len(events) > 1:
                del smaller.tasks[number]["events"][event]
                yield smaller
                smaller = story.copy()
            changed = smaller.tasks[number]["events"][event]
            if changed.pop("at_s", None) is not None or changed.pop("account", None) is not None:
                yield smaller
            targets = events[event].get("targets", [])
            for target in range(len(targets) if len(targets) > 1 else 0):
                smaller = story.copy()
                del smaller.tasks[number]["events"][event]["targets"][target]
                yield smaller


def _smaller_cloud(story: Story) -> Iterator[Story]:
    for name in story.holders:
        smaller = story.copy()
        del smaller.holders[name]
        yield smaller
        for number in range(len(story.holders[name]) - 1):
            smaller = story.copy()
            del smaller.holders[name][number]
            yield smaller
    for name, rules in story.groups.items():
        if not any(name in str(other) for other in (story.tasks, story.policies, story.holders)):
            smaller = story.copy()
            del smaller.groups[name]
            smaller.groups = {
                one: [rule for rule in kept if rule[2] != name]
                for one, kept in smaller.groups.items()
            }
            yield smaller
        for number in range(len(rules)):
            smaller = story.copy()
            del smaller.groups[name][number]
            yield smaller


def _plainer_policies(story: Story) -> Iterator[Story]:
    for name, policy in story.policies.items():
        for key in policy:
            smaller = story.copy()
            del smaller.policies[name][key]
            yield smaller
        for number in range(len(policy.get("remedies", ())) - 1):
            smaller = story.copy()
            del smaller.policies[name]["remedies"][number]
            yield smaller


def _plainer_times(story: Story) -> Iterator[Story]:
    for number, task in enumerate(story.tasks):
        for at_s in (0.0, float(round(task["at"]))):
            if task["at"] != at_s and at_s < task["at"]:
                smaller = story.copy()
                smaller.tasks[number]["at"] = at_s
                yield smaller
