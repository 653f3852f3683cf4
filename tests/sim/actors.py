"""What the workers and people of a story do, one function for each kind of task."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

from sgguard import approvals
from sgguard.approvals import reminders
from sgguard.emulator import edit as editing
from sgguard.emulator.state import Cloud, Rule, StateError
from sgguard.engine import bind as binding
from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import BindRequest, DeleteRequest, LaunchRequest, RestRequest
from sgguard.operations import restore as restoring
from sgguard.operations import resume as resuming
from sgguard.operations import undo as unbinding
from sgguard.operations import undo_remedy as undoing
from tests.sim import clicks, operators, room
from tests.sim.scheduler import Task
from tests.sim.story import Json, id_of
from tests.sim.world import EPOCH_S, World
from tests.worlds import world_of

SOURCE = "/portal"
Request = DeleteRequest | LaunchRequest | BindRequest


def act(world: World, task: Task, spec: Json) -> None:
    """Do what a task of the story says."""
    ACTS[spec["kind"]](world, task, spec)


def request_of(world: World, raw: Json) -> tuple[Request, Event]:
    """The request of an event as a story has it, and the event itself: the same each time."""
    story = world.story
    scope = Scope(story.provider, raw.get("account", ""), world_of(story.provider).region)
    by = raw.get("by", "alice")
    at_s = None if raw.get("at_s") is None else EPOCH_S + raw["at_s"]
    event = Event(raw["id"], {**raw, "at_s": None}, SOURCE, at_s=at_s)
    if "group" in raw:
        holders = tuple(id_of(story.provider, one) for one in raw["holders"])
        group_id, action = id_of(story.provider, raw["group"]), raw.get("action", "bind")
        return BindRequest(scope, group_id, action, holders, requested_by=by), event
    if "targets" in raw:
        ids = [id_of(story.provider, one) for one in raw["targets"]]
        return DeleteRequest(tuple(Address(scope, one) for one in ids), by), event
    if "holder" in raw:
        instance_id = id_of(story.provider, raw["holder"])
        return LaunchRequest(scope, instance_id=instance_id, requested_by=by), event
    ids = [id_of(story.provider, one) for one in raw["groups"]]
    return LaunchRequest(scope, tuple(ids), requested_by=by), event


def deliver(world: World, task: Task, spec: Json) -> None:
    """Deliver events in one delivery."""
    asked = [request_of(world, raw) for raw in spec["events"]]
    # All of a delivery are of one kind.
    handled: list[Any] = _handler(spec["events"][0])(asked, world.context(task))
    for raw, one in zip(spec["events"], handled, strict=True):
        _said(world, task, raw["id"], one)


def _handler(raw: Json) -> Callable[[Any, Context], list[Any]]:
    if "group" in raw:
        return binding.binds
    return handle.deletes if "targets" in raw else handle.launches


def go_on(world: World, task: Task, spec: Json) -> None:
    """Let a broker's events about the rest of binds come, once more and late as well."""
    for decision_id, plan in world.monitor.rows.binds():
        rest = RestRequest(plan.scope, plan.group_id, decision_id)
        asked = [(rest, Event(f"rest of {decision_id} by {spec['name']}", {}, SOURCE))]
        (found,) = binding.binds(asked, world.context(task))
        told = found if isinstance(found, Exception) else found["note"]
        world.note(task, f"the rest of {decision_id}: {told}"[:200])
        if isinstance(found, dict):
            world.monitor.answered(f"the rest of {decision_id}", found)


def _said(world: World, task: Task, event_id: str, answer: Any) -> None:
    world.answers.setdefault(event_id, []).append(answer)
    if isinstance(answer, Exception):
        world.note(task, f"{event_id}: {type(answer).__name__}: {answer}")
        if not isinstance(answer, SgguardError):
            world.monitor.broken(
                "crash", f"{event_id} is answered with {type(answer).__name__}: {answer}"
            )
    else:
        world.note(
            task, f"{event_id}: {answer['verdict']} {answer['outcome']} ({answer['note'][:160]})"
        )
        world.decided_at_s.setdefault(event_id, world.scheduler.now_s)
        world.monitor.answered(event_id, answer)


def _tried(world: World, task: Task, what: str, call: Callable[[], Json]) -> Json | None:
    """Do what may be refused; the refusal is written down."""
    try:
        document = call()
    except SgguardError as error:
        world.note(task, f"{what}: {type(error).__name__}: {error}")
        return None
    world.note(task, f"{what}: {document['outcome']} ({document['note'][:160]})")
    return document


def _questions(world: World, spec: Json) -> list[str]:
    """The open questions about the targets of an event, or all of them."""
    story = world.story
    wanted = {id_of(story.provider, one) for one in spec.get("targets", [])}
    return [
        one.approval_id
        for one in world.store.approvals("pending")
        if not wanted or {target.rpartition(":")[2] for target in one.target} == wanted
    ]


def approve(world: World, task: Task, spec: Json) -> None:
    """Approve what is asked about."""
    for one in _questions(world, spec):
        by = spec.get("by", "olga")
        approvers = world.policies[world.policy_name].approval.approvers
        document = _tried(
            world, task, f"approve {one}", partial(approvals.approve, one, by, world.context(task))
        )
        world.monitor.expired_told.add(one)
        if document is not None and by not in approvers and document["outcome"] == "remediated":
            world.monitor.broken("I7-approver", f"{by} may not approve {one} any more")


def deny(world: World, task: Task, spec: Json) -> None:
    """Deny what is asked about."""
    for one in _questions(world, spec):
        by = spec.get("by", "otto")
        _tried(world, task, f"deny {one}", partial(approvals.deny, one, by, world.context(task)))
        world.monitor.expired_told.add(one)


def remind(world: World, task: Task, spec: Json) -> None:
    """Let the timer's event close what has expired."""
    event = Event(f"due {spec.get('again', spec['name'])}", {}, SOURCE)
    (found,) = reminders.handle([({}, event)], world.context(task))
    world.note(task, f"reminders: {found}"[:200])
    if isinstance(found, dict):
        world.monitor.expired_told |= {one["approval_id"] for one in found["expired"]}


def resume(world: World, task: Task, spec: Json) -> None:
    """Resume everything that is not at its end."""
    del spec
    for one in resuming.unresolved(world.context(task)):
        _tried(
            world,
            task,
            f"resume {one.decision_id}",
            partial(resuming.resume, one.decision_id, world.context(task)),
        )


def accept(world: World, task: Task, spec: Json) -> None:
    """Accept what is stuck as it is, or whatever is not at its end."""
    for one in resuming.unresolved(world.context(task)):
        if one.state == "stuck" or spec.get("any"):
            document = _tried(
                world,
                task,
                f"accept {one.decision_id}",
                partial(resuming.accept, one.decision_id, world.context(task), by="olga"),
            )
            if document is not None:
                world.monitor.accepted.add(one.decision_id)


def restore(world: World, task: Task, spec: Json) -> None:
    """Restore what decisions about some groups removed, the last or the first of them first."""
    story = world.story
    wanted = {id_of(story.provider, one) for one in spec.get("targets", [])}
    found = [
        one
        for one in world.monitor.rows.restorable()
        if not wanted or wanted & set(world.monitor.targets(one))
    ]
    for one in reversed(found) if spec.get("last_first", True) else found:
        context = world.context(task)
        document = _tried(
            world, task, f"restore {one}", partial(restoring.restore, one, context, by="olga")
        )
        if document is not None:
            world.monitor.restored(one, document)


def undo(world: World, task: Task, spec: Json) -> None:
    """Take back what decisions about an instance changed, as long as they deleted no group."""
    wanted = {id_of(world.story.provider, one) for one in spec.get("targets", [])}
    for one in world.monitor.rows.restorable():
        if not wanted or wanted & set(world.monitor.targets(one)):
            context = world.context(task)
            event_id = f"undo of {one} by {spec['name']}"
            _tried(world, task, f"undo {one}", partial(_taken_back, one, event_id, context))


def undo_bind(world: World, task: Task, spec: Json) -> None:
    """Take back what a bind has done, as an operator who is shown it and thinks it over."""
    found = [decision_id for decision_id, _ in world.monitor.rows.binds()]
    if not found:
        return
    decision_id = found[spec["which"] % len(found)]
    what = f"undo of {decision_id}"
    try:
        wanted = unbinding.undo(decision_id, world.context(task), by="olga")
        if not wanted.request.holders or wanted.decided(world.context(task)).plan is None:
            world.note(task, f"{what}: there is nothing to undo")
            return
    except SgguardError as error:
        world.note(task, f"{what}: {type(error).__name__}: {error}")
        return
    world.scheduler.wait(spec["waits"])
    document = _tried(world, task, what, partial(wanted.carry_out, world.context(task)))
    if document is not None:
        world.monitor.answered(what, document)


def _taken_back(decision_id: str, event_id: str, context: Context) -> Json:
    shown = undoing.preview(decision_id, context)
    return undoing.carry_out(shown, event_id, context, by="olga")


def edit(world: World, task: Task, spec: Json) -> None:
    """Change the cloud behind our back, as the cloud permits it."""
    (cloud,) = world.emulator.state.clouds
    try:
        _EDITS[spec["what"]](cloud, world, spec)
    except (StateError, StopIteration) as error:
        world.note(task, f"{spec['what']}: refused by the cloud: {error}")
        return
    world.note(
        task, f"somebody else: {spec['what']} {spec.get('group', '')} {spec.get('holder', '')}"
    )
    world.monitor.edited()


def _add_rule(cloud: Cloud, world: World, spec: Json) -> None:
    peer = id_of(world.story.provider, spec["peer"]) if spec.get("peer") else ""
    if peer:
        editing.require_group(cloud, peer)
    number = zlib.crc32(spec["name"].encode())  # no two rules have one id
    rule = Rule(
        "ingress",
        f"ed170000-0000-4000-8000-{number:012d}",
        ports=spec.get("ports", "9001"),
        cidr="" if peer else "203.0.113.0/24",
        peer_group=peer,
    )
    group_id = id_of(world.story.provider, spec["group"])
    there = editing.require_group(cloud, group_id).rules
    if any((one.ports, one.peer_group, one.cidr) == (rule.ports, peer, rule.cidr) for one in there):
        raise StateError("duplicate", group_id)
    editing.add_rule(cloud, group_id, rule)


def _remove_rule(cloud: Cloud, world: World, spec: Json) -> None:
    group_id = id_of(world.story.provider, spec["group"])
    rules = editing.require_group(cloud, group_id).rules
    if rules:
        editing.remove_rule(cloud, group_id, rules[spec.get("number", 0) % len(rules)])


def _bind(cloud: Cloud, world: World, spec: Json) -> None:
    group_id = id_of(world.story.provider, spec["group"])
    editing.require_group(cloud, group_id)
    instance_id = id_of(world.story.provider, spec["holder"])
    holder = next(one for one in cloud.interfaces if one.instance == instance_id)
    if group_id not in holder.groups:
        editing.set_groups(cloud, holder, [*holder.groups, group_id])


def _unbind(cloud: Cloud, world: World, spec: Json) -> None:
    instance_id = id_of(world.story.provider, spec["holder"])
    holder = next(one for one in cloud.interfaces if one.instance == instance_id)
    if len(holder.groups) > 1:
        editing.set_groups(cloud, holder, holder.groups[1:])


def _repair(cloud: Cloud, world: World, spec: Json) -> None:
    """Give a holder the groups it had at first: an operator's repair."""
    story = world.story
    instance_id = id_of(story.provider, spec["holder"])
    holder = next(one for one in cloud.interfaces if one.instance == instance_id)
    before = [id_of(story.provider, one) for one in story.holders[spec["holder"]]]
    if before != holder.groups:
        editing.set_groups(cloud, holder, before)


def _remove_holder(cloud: Cloud, world: World, spec: Json) -> None:
    """Take an instance away, with its interface."""
    instance_id = id_of(world.story.provider, spec["holder"])
    own = next(one for one in cloud.interfaces if one.instance == instance_id)
    cloud.interfaces = [one for one in cloud.interfaces if one is not own]
    cloud.instances = [one for one in cloud.instances if one.id != instance_id]
    world.monitor.touched |= {own.id, instance_id}


def _delete(cloud: Cloud, world: World, spec: Json) -> None:
    cloud.delete_group(id_of(world.story.provider, spec["group"]))


_EDITS: dict[str, Callable[[Cloud, World, Json], None]] = {
    "add-rule": _add_rule,
    "remove-rule": _remove_rule,
    "bind": _bind,
    "unbind": _unbind,
    "repair": _repair,
    "delete-group": _delete,
    "remove-holder": _remove_holder,
}

ACTS: dict[str, Callable[[World, Task, Json], None]] = {
    "deliver": deliver,
    "approve": approve,
    "deny": deny,
    "remind": remind,
    "resume": resume,
    "accept": accept,
    "restore": restore,
    "undo": undo,
    "undo-bind": undo_bind,
    "halt": operators.halt,
    "lift": operators.lift,
    "purge": operators.purge,
    "restart": operators.restart,
    "policy": operators.policy,
    "clock": operators.clock,
    "edit": edit,
    "tell": room.tell,
    "click": clicks.click,
    "go-on": go_on,
}
