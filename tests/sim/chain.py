"""What must hold of one change to the cloud: an unbroken chain of intent, and the policy's caps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sim import bound, since
from tests.sim.cloud import Effect, Picture, is_delete
from tests.sim.journal import AnyPlan, Line, planned_in, pointed_to
from tests.sim.records import ENDED
from tests.sim.rows import TAKING_BACK
from tests.sim.scheduler import Task

if TYPE_CHECKING:
    from tests.sim.monitor import Monitor


def check(monitor: Monitor, task: Task, effect: Effect, line: Line, before: Picture) -> None:
    """Check that a decision which may change things has made a change that leaves none bare."""
    decision_id = line.decision_id
    going = _going(monitor, decision_id)
    told = monitor.end_of(decision_id)
    if not line.is_undo and told in ENDED:
        monitor.broken("I7-forward", f"{decision_id} was {told}, and {task.name}: {effect}")
    if effect.kind == "set-groups" and effect.before and not effect.after:
        monitor.broken("I7-bare", f"{effect.subject} has no group: {decision_id}, {task.name}")
    if effect.kind == "delete-group":
        naming = set(before.naming(effect.subject)) - going - monitor.touched
        if naming and effect.subject not in monitor.touched:
            monitor.broken("I7-in-use", f"{effect.subject} is deleted; {naming} still has it")
        bound.check_delete(monitor, effect, line)
    _check_pointed(monitor, effect, line)
    found = monitor.rows.run(decision_id)
    if found is None or found[0].startswith(TAKING_BACK) or line.is_undo:
        return
    if since.undone_by(found[1]):  # an operator has decided
        return
    modes = {one.get("mode", "enforce") for one in monitor.world.story.policies.values()}
    questions = monitor.rows.approved_by(decision_id)
    states = {state for state, _ in questions}
    is_needed = modes == {"approve"} or states & {"denied", "expired"}
    if is_needed and "approved" not in states:
        monitor.broken("I7-approval", f"{decision_id} is carried out and not approved: {effect}")
    # What somebody else did that it had intended, it takes for its own after a death.
    is_begun = any(
        (one.decision_id, one.state) == (decision_id, "done") for one in monitor.rows.lines()
    )
    if len(monitor.effects[decision_id]) == 1 and not is_begun:
        _check_question(monitor, decision_id, found[1], monitor.locked.get(decision_id, before))


def check_caps(monitor: Monitor, effect: Effect, line: Line, before: Picture) -> None:
    """Check what a removed rule leaves: a way in on each port of the policy, and enough rules."""
    found = monitor.rows.run(line.decision_id)
    group_id = effect.subject
    if effect.kind != "remove-rule" or line.is_undo or found is None:
        return
    if group_id in _going(monitor, line.decision_id) or group_id in monitor.touched:
        return
    policy = monitor.world.story.policies[monitor.world.policy_name]
    for port in policy.get("ports", [22]):
        if before.lets_in(group_id, port) and not monitor.picture.lets_in(group_id, port):
            monitor.broken("I3-way-in", f"{group_id} has no way in on {port}: {line.decision_id}")
    if found[0].startswith(TAKING_BACK) or len(monitor.world.story.policies) > 1:
        return
    earlier = [one for one, _ in monitor.effects[line.decision_id][:-1]]
    if any((one.kind, one.subject) == ("remove-rule", group_id) for one in earlier):
        return
    revoked = sum(
        one.step.action == "revoke" and one.change.group_id == group_id
        for one in planned_in(found[1])
    )
    total = sum(before.rules[group_id].values())
    if revoked * 100 > policy.get("percent", 100) * total:
        monitor.broken("I3-percent", f"{revoked} of {total} rules of {group_id} go")


def _check_pointed(monitor: Monitor, effect: Effect, line: Line) -> None:
    """Nothing is made to name or carry a group that another plan is about to delete."""
    named = {effect.rule[2]} if effect.kind == "add-rule" else set()
    named |= set(effect.after) - set(effect.before)
    if line.is_undo or not named - {""}:
        return
    for other, plan in monitor.rows.open_runs():
        going = {one.change.group_id for one in planned_in(plan) if is_delete(one.change)}
        if other != line.decision_id and named & going:
            monitor.broken("I7-pointed", f"{effect}: {line.decision_id}, and {other} deletes it")


def _check_question(monitor: Monitor, decision_id: str, plan: AnyPlan, before: Picture) -> None:
    """What a yes covers: what a plan points to was as when it was asked.

    ``before`` is the cloud when its worker locked it, or took it over from one that died.
    """
    asked = [one for one in monitor.rows.question_ids(decision_id) if one in monitor.asked]
    if not asked:
        return
    then = monitor.asked[asked[-1]]
    for to_group in pointed_to(plan):
        if then.rules.get(to_group) != before.rules.get(to_group):
            words = f"{to_group} is not what it was when {asked[-1]} was asked"
            monitor.broken("I7-other-content", words)


def _going(monitor: Monitor, decision_id: str) -> set[str]:
    found = monitor.rows.run(decision_id)
    planned = planned_in(found[1]) if found else ()
    return {one.change.group_id for one in planned if is_delete(one.change)}
