"""Many instances, interfaces and rules, with few calls.

Lists tell the groups of a hundred instances or interfaces a call. Each holder is changed by a call
of its own; then all of them are looked at together until each shows its change. The calls for rules
take a hundred rules of one direction: all of them are added or revoked, or none.

Source: DescribeInstances, DescribeNetworkInterfaces, AuthorizeSecurityGroup and
RevokeSecurityGroup, both for egress, alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sgguard.errors import ConflictError, NotFoundError, SgguardError
from sgguard.model.change import Change, Holder
from sgguard.model.resource import Direction, Rule
from sgguard.model.sending import MaySend, Tokened
from sgguard.model.subject import holder_of, rule_of
from sgguard.providers import _together as together
from sgguard.providers._together import Result
from sgguard.providers.alibaba import rule_change
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.holder import FoundHolder, Sent, find, is_shown, send
from sgguard.providers.alibaba.listing import INSTANCES, INTERFACES, read_all
from sgguard.providers.alibaba.response import PROVIDER, instance_of, interface_of
from sgguard.providers.alibaba.rule_shape import is_same, permission_of
from sgguard.providers.alibaba.settle import until
from sgguard.wire.parallel import chunks, parallel

IDS_PER_CALL = 100
RULES_PER_CALL = 100

Found = dict[str, FoundHolder]
K = TypeVar("K")


# -- holders ---------------------------------------------------------------------------------


def set_groups_batch(ecs: EcsClient, changes: Sequence[Change], may_send: MaySend) -> list[Result]:
    """Make changes of kind ``set-groups``, of different holders; return the error of each."""
    sent: dict[Holder, Sent] = {}

    def one(change: Change, found: FoundHolder | None) -> None:
        holder = holder_of(change)
        made = send(ecs, holder, found or find(ecs, holder), change.before, change.after)
        if made is not None:
            sent[holder] = made

    # 1. One list of all, and a call for each. 2. Lists of those that were changed, until all show.
    results = together.each_changed(changes, partial(_listed, ecs), one, may_send)
    shown = _await(ecs, sent)
    holders = [holder_of(change) for change in changes]
    return [shown.get(one, result) for one, result in zip(holders, results, strict=True)]


def read_holders_batch(ecs: EcsClient, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
    """Return the groups of each holder; None: there is no such holder.

    Raises:
        CloudError, DeadlineError: one of them could not be read.
    """

    def one(holder: Holder, listed: FoundHolder | None) -> tuple[str, ...] | None:
        found = listed or find(ecs, holder)
        return found.group_ids if found else None

    return together.each_read(wanted, partial(_listed, ecs), one)


def _listed(ecs: EcsClient, wanted: Sequence[Holder]) -> Found:
    """Return what lists tell of the holders; a primary interface is read by itself."""
    instances = [one.holder_id for one in wanted if one.kind == "instance"]
    interfaces = [one.holder_id for one in wanted if one.kind == "interface"]
    calls: list[Callable[[], Found]] = [
        *(partial(_instances, ecs, some) for some in chunks(instances, IDS_PER_CALL)),
        *(partial(_interfaces, ecs, some) for some in chunks(interfaces, IDS_PER_CALL)),
    ]
    found: Found = {}
    for part in parallel(calls):
        found |= part
    return found


def _instances(ecs: EcsClient, ids: Sequence[str]) -> Found:
    listed = read_all(ecs, INSTANCES, {"InstanceIds": json.dumps(list(ids))})
    rows = [instance_of(listed.response, row) for row in listed.rows]
    return {
        one.instance_id: FoundHolder(one.instance_id, one.group_ids, is_instance=True)
        for one in rows
        if one.instance_id in ids
    }


def _interfaces(ecs: EcsClient, ids: Sequence[str]) -> Found:
    named = {f"NetworkInterfaceId.{n}": one for n, one in enumerate(ids, start=1)}
    listed = read_all(ecs, INTERFACES, named)
    rows = [interface_of(listed.response, row) for row in listed.rows]
    return {
        one.interface_id: FoundHolder(one.interface_id, one.group_ids, is_instance=False)
        for one in rows
        if one.interface_id in ids and not one.is_primary
    }


def _await(ecs: EcsClient, sent: Mapping[Holder, Sent]) -> dict[Holder, Result]:
    """Look at the changed holders until each shows its change; return the error of each."""

    def look(left: Sequence[Holder]) -> Callable[[Holder], bool]:
        listed = together.listed(partial(_listed, ecs, left))
        return lambda one: is_shown(one, listed.get(one.holder_id) or find(ecs, one), sent[one])

    return _until_each(ecs, f"the groups of {len(sent)} holders", [*sent], look, NotFoundError)


def _until_each(
    ecs: EcsClient,
    what: str,
    every: Sequence[K],
    look: Callable[[Sequence[K]], Callable[[K], bool]],
    ended_by: type[SgguardError],
) -> dict[K, Result]:
    """Look at changes until each shows or is ``ended_by`` an error; return the error of each.

    ``look`` reads those that are left, with few calls, and returns what tells of one of them.
    """
    results: dict[K, Result] = {}

    def are_shown() -> bool:
        left = [one for one in every if one not in results]
        shows = look(left)
        for one in left:
            try:
                if shows(one):
                    results[one] = None
            except ended_by as error:
                results[one] = error
        return len(results) == len(every)

    try:
        until(ecs.wire, what, are_shown)
    except SgguardError as error:
        return {one: results.get(one, error) for one in every}
    return results


# -- rules -----------------------------------------------------------------------------------


def change_rules(
    ecs: EcsClient, group_id: str, changes: Sequence[Tokened], may_send: MaySend
) -> list[Result]:
    """Add rules to a group, or revoke rules of it, with few calls; return the error of each."""
    try:
        there = rule_change.rules_of(ecs, group_id)
    except SgguardError as error:
        return [error] * len(changes)
    is_adding = changes[0][0].kind == "add-rule"
    results: dict[int, Result] = {}
    for part in _parts(changes):
        make = partial(_add if is_adding else _revoke, ecs, group_id, there)
        results |= make({n: changes[n] for n in part}, may_send)
    return [results[n] for n in range(len(changes))]


def _parts(changes: Sequence[Tokened]) -> Iterator[list[int]]:
    """Yield the places of the changes that one call can make: of one direction, a hundred."""
    for direction in Direction:
        places = [n for n, (one, _) in enumerate(changes) if rule_of(one).direction == direction]
        for begin in range(0, len(places), RULES_PER_CALL):
            yield places[begin : begin + RULES_PER_CALL]


def _add(
    ecs: EcsClient,
    group_id: str,
    there: Sequence[Rule],
    part: Mapping[int, Tokened],
    may_send: MaySend,
) -> dict[int, Result]:
    action = rule_change.action_of("Authorize", part)
    # 1. The call succeeds for rules that are there already: those are not sent.
    rules = {n: rule_of(change) for n, (change, _) in part.items()}
    exists = ConflictError(PROVIDER, action, detail="the group has this rule already")
    results: dict[int, Result] = {
        n: exists for n, rule in rules.items() if any(is_same(one, rule) for one in there)
    }
    new = {n: rule for n, rule in rules.items() if n not in results}
    if not new:
        return results
    if not may_send():
        return results | dict.fromkeys(new, together.late())
    permissions = {
        f"Permissions.{place}.{name}": value
        for place, rule in enumerate(new.values(), start=1)
        for name, value in permission_of(rule).items()
    }
    try:
        token = rule_change.client_token(" ".join(part[n][1] for n in new))
        ecs.write(action, {"SecurityGroupId": group_id, **token, **permissions})
    except SgguardError as error:
        if not together.is_of_one(error):
            return results | dict.fromkeys(new, error)
        # 2. None was added, for the sake of one: each by itself shows which.
        alone = [partial(rule_change.add_rule, ecs, group_id, new[n], part[n][1]) for n in new]
        ended = [together.attempted(one, may_send) for one in alone]
        return results | dict(zip(new, ended, strict=True))
    # 3. Until each is listed.
    return results | _await_rules(ecs, action, group_id, new)


def _await_rules(
    ecs: EcsClient, action: str, group_id: str, new: Mapping[int, Rule]
) -> dict[int, Result]:
    def look(_: Sequence[int]) -> Callable[[int], bool]:
        rules = rule_change.rules_of(ecs, group_id)
        return lambda n: rule_change.is_added(rules, action, new[n])

    return _until_each(ecs, f"{len(new)} rules in {group_id}", [*new], look, ConflictError)


def _revoke(
    ecs: EcsClient,
    group_id: str,
    there: Sequence[Rule],
    part: Mapping[int, Tokened],
    may_send: MaySend,
) -> dict[int, Result]:
    action = rule_change.action_of("Revoke", part)
    # 1. Each by its id and content; those of a server without rule ids by themselves.
    results: dict[int, Result] = {}
    found: dict[int, Rule] = {}
    alone: dict[int, Callable[[], None]] = {}
    for n, (change, token) in part.items():
        rule = rule_of(change)
        remove = partial(rule_change.remove_rule, ecs, group_id, rule, token)
        try:
            one = rule_change.found_among(there, group_id, rule)
        except SgguardError as error:
            results[n] = error
            continue
        if rule_change.has_id(one) and one not in found.values():
            found[n] = one
        else:
            alone[n] = remove
    # 2. One call for all that have an id.
    if found and not may_send():
        return results | dict.fromkeys((*found, *alone), together.late())
    if found:
        ids = {f"SecurityGroupRuleId.{n}": r.rule_id for n, r in enumerate(found.values(), 1)}
        token = " ".join(part[n][1] for n in found)
        params = {"SecurityGroupId": group_id, **rule_change.client_token(token), **ids}
        try:
            ecs.write(action, params)
            results |= dict.fromkeys(found)
        except SgguardError as error:
            if not together.is_of_one(error):
                return results | dict.fromkeys((*found, *alone), error)
            for n in found:
                rule = rule_of(part[n][0])
                alone[n] = partial(rule_change.remove_rule, ecs, group_id, rule, part[n][1])
    ended = [together.attempted(one, may_send) for one in alone.values()]
    return results | dict(zip(alone, ended, strict=True))
