"""Adding and removing one rule of a group, in Tencent's API 2.0.

The calls take positions, and a version by which the cloud refuses outdated positions. Each change
is these steps:

1. Read the rules with their version. The page of DescribeSecurityGroupPolicys has a version, its
   sample has none: without one a position may be that of another rule when the call arrives, so
   nothing is sent.
2. Find the position by the rule's content, as it may have shifted since the rule was read.
3. Send position and version.
4. After an addition, read the position of the new rule. ``index`` is documented only as "from which
   position to add"; a rule that the cloud put elsewhere is removed again.

Sources: https://cloud.tencent.com/document/api/213/10144 and /1364, and the page of
DeleteSecurityGroupPolicy (read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from sgguard.errors import (
    CloudError,
    ConflictError,
    NotFoundError,
    SettingsError,
    UnavailableError,
)
from sgguard.model.change import content
from sgguard.model.resource import Rule
from sgguard.providers._tencent import is_reached
from sgguard.providers._tencent_positions import insert_position, locate
from sgguard.providers.tencent_dfw.api import DfwApi, integer_of
from sgguard.providers.tencent_dfw.codes import may_be_reached
from sgguard.providers.tencent_dfw.response import ADDRESSES, policies
from sgguard.wire.shape import Json, Shape

_ADD = "CreateSecurityGroupPolicy"
REMOVE = "DeleteSecurityGroupPolicy"
# The only documented code for a refused change, also for a version that is not the latest.
_BACKEND_ERROR = "7000"


class Found(msgspec.Struct, frozen=True):
    """The rules of a group and their version, None where the cloud does not report it."""

    rules: tuple[Rule, ...]
    version: int | None


def add_rule(api: DfwApi, group_id: str, rule: Rule) -> None:
    """Insert the rule before the one at its position, or append it.

    Raises:
        ConflictError: the rules changed meanwhile, the cloud put it elsewhere, or the group has
            this rule already; it was not added.
        LimitError: the group holds as many rules as it may have.
        NotFoundError: the group does not exist, or the one the rule names.
        SettingsError: the cloud reports no version of its rules.
    """
    add_rules(api, group_id, [rule])


def add_rules(
    api: DfwApi, group_id: str, rules: Sequence[Rule], found: Found | None = None
) -> None:
    """Insert rules of one direction behind each other, before the one at the first's position.

    ``found`` are the rules of the group as they were just read, where they were.

    Raises:
        as :func:`add_rule`: none of them was added.
    """
    # 1. Read.
    found = found or read(api, group_id)
    # 2. Find the position to insert at.
    first = rules[0]
    held = sum(one.direction == first.direction for one in found.rules)
    place = insert_position(found.rules, first)
    wanted = held if place is None else place
    if found.rules:
        _require_version(api, found)
    if any(_count(found.rules, rule) for rule in rules):  # the cloud would add a second one
        raise _exists(api, group_id)
    # 3. Send, and 4. check the positions.
    change = _Change(api, _ADD, group_id, found, rules)
    try:
        _send(change, index=wanted if held else -1, policys=[_row(rule) for rule in rules])
    except CloudError as error:
        # Somebody else may have added them since the rules were read.
        if not (may_be_reached(error) and is_reached(lambda: _are_there(api, group_id, rules))):
            raise
        raise _exists(api, group_id, error.code) from error
    placed = [
        replace(rule, rule_id=f"{rule.direction}[{wanted + n}]") for n, rule in enumerate(rules)
    ]
    _require_places(api, group_id, found, placed)


def _exists(api: DfwApi, group_id: str, code: str = "") -> ConflictError:
    detail = f"{group_id} has this rule already; it was not added"
    return ConflictError(api.wire.provider, _ADD, code=code, detail=detail)


def remove_rule(api: DfwApi, group_id: str, rule: Rule) -> None:
    """Remove the rule, wherever its position is now.

    Raises:
        ConflictError: the rules changed meanwhile; none was removed.
        NotFoundError: the group or the rule does not exist.
        SettingsError: the cloud reports no version of its rules.
    """
    # Steps 1 to 3.
    found = read(api, group_id)
    place = locate(found.rules, rule)
    if place is None:
        raise NotFoundError(
            api.wire.provider, REMOVE, detail=f"{group_id} has no such rule as {rule.rule_id}"
        )
    remove_at(api, group_id, found, [rule], [place])


def remove_at(
    api: DfwApi, group_id: str, found: Found, rules: Sequence[Rule], places: Sequence[int]
) -> None:
    """Remove the rules of one direction that are at these places, as they were ``found``.

    Raises:
        as :func:`remove_rule`: none was removed.
    """
    _require_version(api, found)
    try:
        _send(_Change(api, REMOVE, group_id, found, rules), indexes=list(places))
    except CloudError as error:
        # Somebody else may have removed them since the rules were read.
        if not (may_be_reached(error) and is_reached(lambda: _are_gone(api, group_id, rules))):
            raise
        raise NotFoundError(
            api.wire.provider, REMOVE, code=error.code, detail=f"{group_id}: {error.detail}"
        ) from error


def _are_there(api: DfwApi, group_id: str, rules: Sequence[Rule]) -> bool:
    there = read(api, group_id).rules
    return all(_count(there, rule) > 0 for rule in rules)


def _are_gone(api: DfwApi, group_id: str, rules: Sequence[Rule]) -> bool:
    try:
        there = read(api, group_id).rules
    except NotFoundError:
        return True  # with its group
    return not any(_count(there, rule) for rule in rules)


def read(api: DfwApi, group_id: str) -> Found:
    """Return the rules of the group with their version."""
    action = "DescribeSecurityGroupPolicys"
    shape = api.shape(action)
    envelope = api.read(action, sgId=group_id)
    return Found(policies(shape, envelope), _version(shape, envelope))


def _version(shape: Shape, envelope: Json) -> int | None:
    """Read the version beside both lists, or the one that all rules have."""
    data = envelope.get("data")
    if not isinstance(data, dict):
        return None
    if data.get("version") is not None:
        return integer_of(shape, data, "version")
    rows = [row for key in ("ingress", "egress") for row in data.get(key) or []]
    versions = {integer_of(shape, row, "version") for row in rows if row.get("version") is not None}
    return versions.pop() if len(versions) == 1 else None


def _require_version(api: DfwApi, found: Found) -> None:
    if found.version is None:
        raise SettingsError(
            f"{api.wire.provider}: this cloud reports no version of its rules, so a rule could be "
            "taken for another: change rules through the provider tencent, or by hand"
        )


def _row(rule: Rule) -> dict[str, str]:
    """Return the rule as a request takes it, without members that match everything."""
    row: dict[str, str] = {"action": rule.action}
    if rule.protocol == "service-template":
        row["serviceModule"] = rule.ports
    elif rule.protocol != "any":
        row["ipProtocol"] = rule.protocol
        row |= {"portRange": rule.ports} if rule.ports != "any" else {}
    if rule.peer_group:
        row["sgId"] = rule.peer_group
    elif rule.peer:
        row[ADDRESSES if ADDRESSES in dict(rule.native) else "cidrIp"] = rule.peer
    return row | ({"desc": rule.description} if rule.description else {})


class _Change(msgspec.Struct, frozen=True):
    """One change of a group's rules, and the rules that it is based on.

    ``rules`` are those that it is about, all of one direction.
    """

    api: DfwApi
    action: str
    group_id: str
    found: Found
    rules: Sequence[Rule]


def _send(change: _Change, **params: object) -> None:
    """Send the change with the version it is based on.

    Raises:
        ConflictError: it was refused and not made, and the rules have another version now.
    """
    api, found, rules = change.api, change.found, change.rules
    try:
        api.write(
            change.action,
            sgId=change.group_id,
            version=found.version,
            direction=str(rules[0].direction),
            **params,
        )
    except UnavailableError as error:
        if error.code != _BACKEND_ERROR:
            raise
        now = read(api, change.group_id)
        is_alike = all(_count(now.rules, r) == _count(found.rules, r) for r in rules)
        # A rule that is gone although there are as many as before was edited concurrently.
        is_edited = change.action == REMOVE and len(now.rules) >= len(found.rules)
        if now.version != found.version and (is_alike or is_edited):
            raise ConflictError(
                api.wire.provider,
                change.action,
                code=error.code,
                detail="the rules changed meanwhile",
            ) from error
        raise


def _require_places(api: DfwApi, group_id: str, before: Found, wanted: Sequence[Rule]) -> None:
    """Remove new rules again that the cloud has put elsewhere (step 4).

    Rules that concurrent changes have shifted stay: then the version is not the next one.
    """
    now = read(api, group_id)
    places = {rule.rule_id: locate(now.rules, rule) for rule in wanted}
    is_right = all(
        places[rule.rule_id] in (None, int(rule.rule_id.partition("[")[2][:-1])) for rule in wanted
    )
    is_shifted = None not in (before.version, now.version) and now.version != _next(before)
    if is_right or is_shifted:
        return
    _require_version(api, now)
    there = sorted({place for place in places.values() if place is not None})
    _send(_Change(api, REMOVE, group_id, now, wanted), indexes=there)
    raise ConflictError(
        api.wire.provider,
        _ADD,
        detail=f"put at {there[0]} instead of {wanted[0].rule_id}, and removed again",
    )


def _next(found: Found) -> int:
    return (found.version or 0) + 1


def _count(rules: Sequence[Rule], rule: Rule) -> int:
    return sum(content(one) == content(rule) for one in rules)
