"""What must hold of binds, and of clicks that were handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgguard.model.bind import BindPlan
from tests.sim.cloud import Effect, Picture
from tests.sim.journal import Line, pointed_to
from tests.sim.story import Json

if TYPE_CHECKING:
    from tests.sim.monitor import Monitor
    from tests.sim.world import World

_CHANGED_SINCE = "changed-since"


def check_call(monitor: Monitor, effect: Effect, line: Line, before: Picture) -> None:
    """Check what a holder got: groups that are there, and no more than cloud and policy permit."""
    if line.is_undo:
        return
    limits = monitor.world.story.limits
    for group_id in set(effect.after) - set(effect.before):
        if group_id not in before.rules:
            monitor.broken("I7-dangling", f"{effect}, and {group_id} is gone")
        _check_room(monitor, group_id, line, limits.get("holders"))
    most, number = limits.get("groups"), len(set(effect.after))
    is_more = number > len(set(effect.before))
    if most is not None and is_more and number > most and effect.subject not in monitor.touched:
        monitor.broken("I7-groups", f"{effect}: {most} are permitted; {line.decision_id}")


def _check_room(monitor: Monitor, group_id: str, line: Line, most: int | None) -> None:
    """No more holders carry a group than may, but for those that somebody else gave it."""
    carriers = {one for one, carried in monitor.picture.holders.items() if group_id in carried}
    if most is not None and len(carriers) > most and not carriers & monitor.touched:
        text = f"{len(carriers)} carry {group_id}, {most} may: {line.decision_id}"
        monitor.broken("I7-holders", text)


def check_delete(monitor: Monitor, effect: Effect, line: Line) -> None:
    """No group is deleted while a bind of it is under way."""
    for other, plan in monitor.rows.open_runs():
        is_bind = isinstance(plan, BindPlan) and effect.subject in pointed_to(plan)
        if is_bind and other != line.decision_id:
            words = f"{effect.subject} is deleted by {line.decision_id}, and {other} binds it"
            monitor.broken("I7-pointed", words)


def check_answer(monitor: Monitor, document: Json) -> None:
    """Check an answer of now; that of a worker that was frozen since was true when it was made."""
    if monitor.records.outcomes.get(document["decision_id"]) == document["outcome"]:
        check_rows(monitor, document)


def check_rows(monitor: Monitor, document: Json) -> None:
    """What an answer says of each holder is what the decision has done to it."""
    part, decision_id = document.get("bind"), document["decision_id"]
    if not part:
        return
    group_id = part["group"].rpartition(":")[2]
    for row in part["rows"]:
        if row["status"] == "planned" and document["outcome"] == "unfinished":
            continue  # what was decided: how far it is, is told where it is handed on
        if wrong := _wrong(monitor, decision_id, group_id, row):
            code = row["code"]
            words = f"{decision_id} says of {row['holder']} {row['status']} ({code}), and {wrong}"
            monitor.broken("I6-row", words)
    statuses = {row["status"] for row in part["rows"]}
    if document["outcome"] == "remediated" and statuses & {"open", "planned"}:
        monitor.broken("I6-row", f"{decision_id} is at its end, and has rows {sorted(statuses)}")


def _wrong(monitor: Monitor, decision_id: str, group_id: str, row: Json) -> str:
    """What is wrong with a row; empty where nothing is, or somebody else was at that holder."""
    own = _interfaces(monitor, row["holder"])
    if own & monitor.touched or group_id in monitor.touched:
        return ""
    mine, theirs = False, False
    for other, effects in monitor.effects.items():
        for effect, _ in effects:
            is_meant = (group_id in effect.after) != (group_id in effect.before)
            if effect.subject in own and is_meant:
                mine, theirs = mine or other == decision_id, theirs or other != decision_id
    if row["status"] == "done" and not mine and not theirs:
        return "it did nothing to it"
    if row["status"] in ("nothing", "planned") and mine:
        return "it has changed it"
    if row["status"] == "refused" and mine and not theirs and row["code"] != _CHANGED_SINCE:
        return "it has changed it"
    return ""


def _interfaces(monitor: Monitor, holder_id: str) -> set[str]:
    instances = {**monitor.first.instances, **monitor.picture.instances}
    return {one for one, instance in instances.items() if holder_id in (one, instance)}


def check_end(monitor: Monitor, decision_id: str) -> None:
    """At the end of a bind every holder that it says it changed is so at that moment."""
    found = monitor.rows.run(decision_id)
    if found is None or not isinstance(found[1], BindPlan):
        return
    plan = found[1]
    for row in monitor.rows.document(decision_id)["bind"]["rows"]:
        for one in _interfaces(monitor, row["holder"]) - monitor.touched:
            carried = monitor.picture.holders.get(one, ())
            is_so = (plan.group_id in carried) == (plan.action == "bind")
            if row["status"] == "done" and not is_so and plan.group_id not in monitor.touched:
                words = f"{decision_id} is over, and {row['holder']} carries {carried}"
                monitor.broken("I5-truth", words)


# -- when only those who deliver are left ----------------------------------------------------------


def check_handed_on(world: World) -> None:
    """Whoever delivers what waits brings every bind, and every click that was taken, to an end."""
    monitor = world.monitor
    others = [one for one, plan in monitor.rows.open_runs() if not isinstance(plan, BindPlan)]
    for decision_id, plan in monitor.rows.open_runs():
        if isinstance(plan, BindPlan) and not plan.undoes:
            monitor.broken("I5-handed-on", f"{decision_id} is open, and no delivery ends it")
    for approval_id in world.taken:
        notices, now = monitor.rows.acts(approval_id), monitor.rows.state_of(approval_id)
        states = {state for state, _ in notices}
        is_over = bool(notices) and states <= {"delivered", "dropped"}
        if states == {"waiting"} and others:
            continue  # their groups are locked by what no delivery of the outbox ends
        if now and not is_over:  # what ended may be forgotten by now
            monitor.broken("I5-click", f"{approval_id} was taken; its act is {notices}")
        elif now == "pending" and states == {"delivered"}:
            monitor.broken("I5-click", f"{approval_id} was taken, and is still asked: {notices}")


def check(world: World) -> None:
    """Check the answers of binds once more, when everything is over."""
    for decision_id in world.monitor.outcomes():
        check_rows(world.monitor, world.monitor.rows.document(decision_id))
