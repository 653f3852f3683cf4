"""What meets too rarely where everything is drawn by itself: it is put together here.

Each adds tasks to a story, with dice of their own, so that the rest of the story is as it was.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.sim.story import Json, Story

_SHARE = 0.05
_SHARE_OF_FEW = 0.3
_POINTS = ("store-write", "cloud-write")


def add_rare(story: Story, targets: Sequence[str], rng: random.Random) -> None:
    """Add what is rare to a few stories; ``targets`` are groups that events are about."""
    for add in (_planned_launches, _batch_in_order, _sent_away, _dying_timer, _taken_over):
        if rng.random() < _SHARE:
            story.tasks += add(story, targets, rng)
    # These fit few stories, and so are in more of those.
    for add in (
        *(_other_content, _taken_back, _opened_after_the_begin, _named_at_the_last),
        _launched_again,
    ):
        if rng.random() < _SHARE_OF_FEW:
            story.tasks += add(story, targets, rng)


def _deliver(name: str, at_s: float, *events: Json) -> Json:
    return {"name": name, "kind": "deliver", "at": at_s, "events": list(events), "mishaps": []}


def _planned_launches(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """Two planned launches that have nothing in common; the older one comes later."""
    del targets
    mine, theirs = rng.sample(list(story.groups), 2)
    at_s = round(rng.uniform(0, 5), 3)
    newer = {"id": "l0", "groups": [mine], "by": "alice", "at_s": at_s}
    older = {"id": "l1", "groups": [theirs], "by": "bob", "at_s": at_s - 5}
    return [_deliver("l1", at_s, newer), _deliver("l2", round(at_s + 5, 3), older)]


def _batch_in_order(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """Events about one group in one delivery, in the order in which they happened."""
    del story
    group, at_s = rng.choice(targets), round(rng.uniform(0, 5), 3)
    events = [
        {"id": f"b{number}", "targets": [group], "by": "alice", "at_s": at_s - 9 + number}
        for number in range(rng.randint(2, 4))
    ]
    return [_deliver("b1", at_s, *events)]


def _sent_away(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """An event is sent away, for its group is worked on; an older one about it comes after that."""
    del story
    group, at_s = rng.choice(targets), round(rng.uniform(0, 3), 3)
    first = {"id": "s0", "targets": [group], "by": "alice"}
    newer = {"id": "s1", "targets": [group], "by": "alice", "at_s": at_s}
    older = {"id": "s2", "targets": [group], "by": "bob", "at_s": at_s - 5}
    soon_s = round(at_s + rng.uniform(0.01, 1), 3)
    return [
        _deliver("s1", at_s, first),
        _deliver("s2", soon_s, newer),
        _deliver("s3", round(soon_s + rng.uniform(2, 20), 3), older),
    ]


def _dying_timer(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """The timer's worker dies while it closes questions that expired."""
    del targets
    at_s = story.policies["p0"].get("expires_s", 7200) + 100.0
    what = rng.choice(["kill", "kill-after", "lost"])
    mishaps = [["store-write", rng.randint(1, 6), what, 0.0]]
    return [{"name": "t0", "kind": "remind", "at": at_s, "mishaps": mishaps}]


def _taken_over(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """A worker is frozen before it writes, and wakes while another one is at its event."""
    del targets
    calm = [one for one in story.tasks if one["kind"] == "deliver" and not one["mishaps"]]
    if not calm:
        return []
    one, seconds = rng.choice(calm), round(rng.uniform(66, 90), 3)
    one["mishaps"] = [["store-write", rng.randint(3, 7), "freeze", seconds]]
    at_s = round(one["at"] + seconds + rng.uniform(-1, 2), 3)
    return [_deliver("again", at_s, rng.choice(one["events"]))]


def _other_content(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """A group that a plan points to is opened between the question and the yes."""
    policy = story.policies["p0"]
    pointed = [policy[one] for one in ("replacement_group", "fallback_group") if one in policy]
    if policy.get("mode") != "approve" or not pointed:
        return []
    group, at_s = rng.choice(targets), round(rng.uniform(0, 3), 3)
    edit_s = round(at_s + rng.uniform(4, 20), 3)
    opened = {"what": "add-rule", "group": rng.choice(pointed), "peer": "", "ports": "22"}
    yes_s = round(edit_s + rng.uniform(0.1, 4), 3)
    return [
        _deliver("y1", at_s, {"id": "y0", "targets": [group], "by": "alice"}),
        {"name": "y2", "kind": "edit", "at": edit_s, "mishaps": [], **opened},
        {"name": "y3", "kind": "approve", "at": yes_s, "mishaps": []},
    ]


def _opened_after_the_begin(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """A plan is approved and begun, its worker dies, and a group that it points to is opened."""
    tasks = _other_content(story, targets, rng)
    if not tasks:
        return []
    asked, opened, yes = ({**one, "name": f"b{one['name']}"} for one in tasks)
    asked["events"] = [{**asked["events"][0], "id": "by0"}]
    yes["at"], opened["at"] = opened["at"], round(yes["at"] + 9, 3)
    yes["mishaps"] = [["store-write", rng.choice([4, 4, 5]), "kill-after", 0.0]]
    resume_s = round(opened["at"] + 65 + rng.uniform(0, 9), 3)
    return [asked, yes, opened, {"name": "by4", "kind": "resume", "at": resume_s, "mishaps": []}]


def _named_at_the_last(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """A group is named by somebody while a worker is about to delete it, and stands still."""
    if len(targets) < 2 or story.policies["p0"].get("mode") == "approve":
        return []
    group, other = rng.sample(list(targets), 2)
    at_s = round(rng.uniform(0, 3), 3)
    asked = _deliver("n1", at_s, {"id": "n0", "targets": [group], "by": "alice"})
    asked["mishaps"] = [["store-write", rng.randint(4, 7), "freeze", 5.0]]
    named = {"what": "add-rule", "group": other, "peer": group, "ports": "8443"}
    edit_s = round(at_s + rng.uniform(2.5, 6), 3)
    return [asked, {"name": "n2", "kind": "edit", "at": edit_s, "mishaps": [], **named}]


def _taken_back(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """What a launch changed is taken back, by two people, one of whom may die at it."""
    del targets
    if not story.policies["p0"].get("launch_remedies"):
        return []
    holder, at_s = rng.choice(list(story.holders)), round(rng.uniform(0, 3), 3)
    tasks = [_deliver("u1", at_s, {"id": "u0", "holder": holder, "by": "alice"})]
    for number in range(2):
        undo_s = round(at_s + rng.choice([5.0, 20.0, 70.0]) + rng.uniform(0, 3), 3)
        what, points = rng.choice(["kill", "kill-after", "freeze"]), rng.choice(_POINTS)
        mishaps = [[points, rng.randint(1, 6), what, round(rng.uniform(66, 90), 3)]]
        tasks.append({"name": f"u{number + 2}", "kind": "undo", "at": undo_s, "mishaps": mishaps})
        if rng.random() < 0.5:
            tasks[-1]["mishaps"] = []
    return tasks


def _launched_again(story: Story, targets: Sequence[str], rng: random.Random) -> list[Json]:
    """What a launch changed is taken back, done again by the next launch, and taken back again."""
    del targets
    if not story.policies["p0"].get("launch_remedies"):
        return []
    holder, at_s = rng.choice(list(story.holders)), rng.uniform(0, 3)
    tasks: list[Json] = []
    for number in range(4):
        name, moment_s = f"v{number}", round(at_s, 3)
        event = {"id": name, "holder": holder, "by": "alice"}
        undo = {"name": name, "kind": "undo", "at": moment_s, "mishaps": []}
        tasks.append(undo if number % 2 else _deliver(name, moment_s, event))
        at_s += rng.choice([rng.uniform(2, 9), rng.uniform(60, 80)])
    return tasks
