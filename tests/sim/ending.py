"""What must hold when everything has been delivered again, resumed, reminded and waited for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sgguard.store.audit import AHEAD_S
from tests.sim import bound
from tests.sim.cloud import Picture
from tests.sim.journal import planned_in
from tests.sim.records import FINAL, is_kept
from tests.sim.rows import TAKING_BACK
from tests.sim.story import Json, id_of
from tests.sim.world import World

_FAR_S = 1e6
"""A time so far ahead that it is a mistake of whoever sent it."""

_NOTHING_DONE = FINAL - {"remediated", "accepted"} | {"pending"}


def check(world: World) -> None:
    """Check a story that is over."""
    _check_ends(world)
    _check_dangling(world)
    _check_answers(world)
    bound.check(world)
    for decision_id, outcome in world.monitor.outcomes().items():
        if outcome in _NOTHING_DONE:
            _check_untouched(world, decision_id, outcome)
        elif outcome == "remediated":
            _check_gone(world, decision_id)


def _check_ends(world: World) -> None:
    monitor = world.monitor
    for decision_id, outcome in monitor.outcomes().items():
        if outcome not in FINAL and not _is_accepted(world, decision_id, outcome):
            monitor.broken("I5-no-end", f"{decision_id} is {outcome} at the end")
    for decision_id, state, outcome, _ in monitor.rows.states():
        if state in ("open", "stuck"):
            monitor.broken("I5-no-end", f"the run of {decision_id} is {state} ({outcome})")
    for text in monitor.rows.disagreements():
        monitor.broken("I4-rest", text)
    if untold := set(monitor.rows.expired()) - monitor.expired_told:
        monitor.broken("I6-expired", f"{sorted(untold)} expired, and no reminder said so")


def _is_accepted(world: World, decision_id: str, outcome: str) -> bool:
    return outcome in ("partly-undone", "accepted") and decision_id in world.monitor.accepted


def _check_dangling(world: World) -> None:
    """No rule and no holder names a group that is gone, and no holder lost its last one."""
    monitor, now = world.monitor, world.monitor.picture
    for group_id, rules in now.rules.items():
        for rule in rules:
            if rule[2] and rule[2] not in now.rules and rule[2] not in monitor.touched:
                monitor.broken(
                    "I7-dangling", f"a rule of {group_id} names {rule[2]}, which is gone"
                )
    for holder, carried in now.holders.items():
        if set(carried) - set(now.rules):
            monitor.broken("I7-dangling", f"{holder} carries {carried}, one of which is gone")
        if monitor.first.holders.get(holder) and not carried and holder not in monitor.touched:
            monitor.broken("I7-bare", f"{holder} has no group at the end")


def _check_untouched(world: World, decision_id: str, outcome: str) -> None:
    """What says that nothing was done, or that all is undone, has left nothing behind."""
    monitor = world.monitor
    rules: Counter[tuple[str, tuple[str, ...]]] = Counter()
    holders: dict[str, list[set[str]]] = {}
    effects = [effect for effect, _ in monitor.effects.get(decision_id, [])]
    own = {one.subject for one in effects if one.kind == "create-group"}
    for effect in effects:
        if effect.subject in own:
            continue  # it is made and taken away again
        if effect.kind == "delete-group":
            monitor.broken("I5-truth", f"{decision_id} is {outcome}, and deleted {effect.subject}")
        elif effect.kind in ("add-rule", "remove-rule"):
            rules[effect.subject, effect.rule] += 1 if effect.kind == "add-rule" else -1
        elif effect.kind == "set-groups":
            ends = holders.setdefault(effect.subject, [set(effect.before), set()])
            ends[1] = set(effect.after)
    for (group_id, rule), number in rules.items():
        if number and group_id not in monitor.touched:
            what = "lost" if number < 0 else "gained"
            monitor.broken(
                "I5-truth", f"{decision_id} is {outcome}, and {group_id} has {what} {rule}"
            )
    for holder, (first, last) in holders.items():
        if first != last and holder not in monitor.touched:
            monitor.broken(
                "I5-truth", f"{decision_id} is {outcome}, and {holder} has {last}, not {first}"
            )


def _check_gone(world: World, decision_id: str) -> None:
    monitor = world.monitor
    found = monitor.rows.run(decision_id)
    if found is None or found[0].startswith(TAKING_BACK):
        return
    for planned in planned_in(found[1]):
        change = planned.change
        if change.kind == "delete-group" and change.group_id in monitor.picture.rules:
            monitor.broken(
                "I5-truth", f"{decision_id} is remediated, and {change.group_id} is there"
            )


# -- who asked -------------------------------------------------------------------------------------


def _check_answers(world: World) -> None:
    events = events_of(world)
    outcomes = world.monitor.outcomes()
    for event_id, (raw, _) in events.items():
        answers = world.answers.get(event_id, [])
        # What is forgotten may come as new: its answers are of another decision then.
        if world.monitor.forgotten & _decisions(answers):
            continue
        last = answers[-1] if answers else None
        if not isinstance(last, dict):
            if raw.get("is_late"):
                continue
            world.monitor.broken("I6-no-answer", f"{event_id} is answered with {last!r}"[:300])
            continue
        record = outcomes.get(last["decision_id"])
        if record is not None and last["outcome"] != record:
            if record == "partly-undone" and last["decision_id"] in world.monitor.accepted:
                continue
            world.monitor.broken(
                "I6-other-answer", f"{event_id} is told {last['outcome']}, the record is {record}"
            )
        ids = _decisions(answers)
        if len(ids) > 1:
            world.monitor.broken("I6-two-decisions", f"{event_id} has the decisions {ids}")
        _check_order(world, event_id, last, events)


def _check_order(
    world: World, event_id: str, last: Json, events: dict[str, tuple[Json, str]]
) -> None:
    if world.monitor.forgotten:  # with the order marks of what was decided
        return
    if last["outcome"] == "superseded" and not last.get("approval"):
        _check_superseded(world, event_id, events)
    elif last["outcome"] == "remediated":
        _check_not_late(world, event_id, events)


def _decisions(answers: list[Any]) -> set[str]:
    """The decisions of answers, but for those that say that they were not kept."""
    told = [one for one in answers if isinstance(one, dict)]
    return {one["decision_id"] for one in told if is_kept(one)}


def events_of(world: World) -> dict[str, tuple[Json, str]]:
    """Every event of the story by its id, with the task that delivered it first."""
    found: dict[str, tuple[Json, str]] = {}
    for task in world.story.tasks:
        for raw in task.get("events", []):
            found.setdefault(raw["id"], (raw, task["name"]))
    return found


def _check_superseded(world: World, event_id: str, events: dict[str, tuple[Json, str]]) -> None:
    """Superseded is what a newer event about the same was decided before, and nothing else."""
    raw, task = events[event_id]
    # A time far ahead of the store's clock counts as of now, and that was put back.
    is_far = (raw.get("at_s") or 0.0) > _FAR_S
    if world.clock_step_s < (0.0 if is_far else -AHEAD_S):
        return
    about, records = _about(raw), world.monitor.records
    superseded_s = records.first_s[world.answers[event_id][-1]["decision_id"]]
    order = [one["id"] for one in _task(world, task)["events"]]
    for other_id, (other, other_task) in events.items():
        if other_id == event_id or not about & _about(other):
            continue
        mine, theirs = raw.get("at_s"), other.get("at_s")
        if is_far:  # it counts as of the moment at which it came, a time near ahead as it is
            mine = superseded_s
        if mine is None or theirs is None or theirs <= mine:
            continue
        # A question may be superseded later on, even before anybody was told of it: its event was
        # decided all the same.
        is_decided = any(
            records.first.get(one, "superseded") != "superseded"
            and records.first_s[one] <= superseded_s
            for one in _decisions(world.answers.get(other_id, []))
        )
        # Where one of the two came by itself as well, that delivery may have been at it just then.
        came = [one["events"] for one in world.story.tasks if one.get("events")]
        in_order = (
            task == other_task
            and sum((raw in events) + (other in events) for events in came) == 2
            and order.index(event_id) < order.index(other_id)
            and isinstance(world.answers[event_id][0], dict)  # it could be done in its turn
        )
        # A time that cannot be is no later than the moment of that decision, by the store's clock.
        is_future = (
            theirs > _FAR_S
            and world.clock_step_s == 0.0
            and mine > world.decided_at_s.get(other_id, 0.0)
        )
        if is_decided and not in_order and not is_future:
            return
    world.monitor.broken("I6-superseded", f"{event_id} is superseded by nothing that was decided")


def _check_not_late(world: World, event_id: str, events: dict[str, tuple[Json, str]]) -> None:
    """Nothing is done for an event after a newer one about the same was decided."""
    if any(one.get("mode") == "approve" for one in world.story.policies.values()):
        return  # a person may say yes at any time
    raw, _ = events[event_id]
    mine, last_s = (
        raw.get("at_s"),
        world.monitor.begun_s(world.answers[event_id][-1]["decision_id"]),
    )
    for other_id, (other, _) in events.items():
        theirs = other.get("at_s")
        if mine is None or theirs is None or not mine < theirs < _FAR_S:
            continue
        decided_s = world.decided_at_s.get(other_id)
        if other_id != event_id and _about(raw) & _about(other) and decided_s is not None:
            answer = world.answers[other_id][0]
            is_decided = isinstance(answer, dict) and answer["outcome"] != "superseded"
            # A time that was ahead of the clock counted as the moment of its event's coming.
            is_past = theirs < decided_s
            if is_decided and is_past and last_s is not None and decided_s < last_s:
                world.monitor.broken(
                    "I6-late", f"{event_id} is carried out after {other_id}, which is newer"
                )


def _task(world: World, name: str) -> Json:
    return next(one for one in world.story.tasks if one["name"] == name)


def _about(raw: Json) -> set[str]:
    if "targets" in raw:
        return set(raw["targets"])
    # Planned instances are not there yet: such a request concerns those for the same groups.
    return {raw["holder"]} if "holder" in raw else {f"launch {sorted(set(raw['groups']))}"}


# -- restores --------------------------------------------------------------------------------------


def check_restored(world: World) -> None:
    """Everything that was taken away is there again, under new ids."""
    monitor = world.monitor
    outcomes = monitor.outcomes()
    if (
        monitor.touched
        or monitor.forgotten
        or {"partly-undone", "accepted", "unfinished"} & set(outcomes.values())
    ):
        return
    made = monitor.rows.made()

    def newest(group_id: str) -> str:
        while group_id in made:
            group_id = made[group_id]
        return group_id

    wanted = Picture(
        {newest(one): _renamed(rules, newest) for one, rules in monitor.first.rules.items()},
        {one: tuple(map(newest, carried)) for one, carried in monitor.first.holders.items()},
    )
    now = monitor.picture
    for group_id, rules in wanted.rules.items():
        if group_id not in now.rules:
            monitor.broken("I8-group", f"{group_id} is not restored")
        elif now.rules[group_id] != rules:
            monitor.broken(
                "I8-rules",
                f"{group_id} lacks {list(rules - now.rules[group_id])}, "
                f"has also {list(now.rules[group_id] - rules)}",
            )
    for holder, carried in wanted.holders.items():
        if set(now.holders[holder]) != set(carried):
            monitor.broken("I8-holder", f"{holder} has {now.holders[holder]}, not {carried}")
    if extra := set(now.rules) - set(wanted.rules):
        monitor.broken("I8-twin", f"{extra} were made as well")


def _renamed(rules: Any, newest: Any) -> Any:
    return Counter({(*one[:2], newest(one[2]), one[3]): number for one, number in rules.items()})


def id_text(world: World, name: str) -> str:
    """The id of a group or instance of the story."""
    return id_of(world.story.provider, name)
