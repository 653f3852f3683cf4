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
from dataclasses import dataclass, replace

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
_REMOVE = "DeleteSecurityGroupPolicy"
# The only documented code for a refused change, also for a version that is not the latest.
_BACKEND_ERROR = "7000"


@dataclass(frozen=True, slots=True)
class Found:
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
    # 1. Read.
    found = _read(api, group_id)
    # 2. Find the position to insert at.
    held = sum(one.direction == rule.direction for one in found.rules)
    place = insert_position(found.rules, rule)
    wanted = held if place is None else place
    if found.rules:
        _require_version(api, found)
    if _count(found.rules, rule):  # the cloud would add a second one
        raise _exists(api, group_id)
    # 3. Send, and 4. check the position.
    change = _Change(api, _ADD, group_id, found, rule)
    try:
        _send(change, index=wanted if held else -1, policys=[_row(rule)])
    except CloudError as error:
        # Somebody else may have added it since the rules were read.
        if not (may_be_reached(error) and is_reached(lambda: _is_there(api, group_id, rule))):
            raise
        raise _exists(api, group_id, error.code) from error
    _require_place(api, group_id, found, replace(rule, rule_id=f"{rule.direction}[{wanted}]"))


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
    found = _read(api, group_id)
    place = locate(found.rules, rule)
    if place is None:
        raise NotFoundError(
            api.wire.provider, _REMOVE, detail=f"{group_id} has no such rule as {rule.rule_id}"
        )
    _require_version(api, found)
    try:
        _send(_Change(api, _REMOVE, group_id, found, rule), indexes=[place])
    except CloudError as error:
        # Somebody else may have removed it since the rules were read.
        if not (may_be_reached(error) and is_reached(lambda: _is_gone(api, group_id, rule))):
            raise
        raise NotFoundError(
            api.wire.provider, _REMOVE, code=error.code, detail=f"{group_id}: {error.detail}"
        ) from error


def _is_there(api: DfwApi, group_id: str, rule: Rule) -> bool:
    return _count(_read(api, group_id).rules, rule) > 0


def _is_gone(api: DfwApi, group_id: str, rule: Rule) -> bool:
    try:
        return not _is_there(api, group_id, rule)
    except NotFoundError:
        return True  # with its group


def _read(api: DfwApi, group_id: str) -> Found:
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


@dataclass(frozen=True, slots=True)
class _Change:
    """One change of a group's rules, and the rules that it is based on."""

    api: DfwApi
    action: str
    group_id: str
    found: Found
    rule: Rule


def _send(change: _Change, **params: object) -> None:
    """Send the change with the version it is based on.

    Raises:
        ConflictError: it was refused and not made, and the rules have another version now.
    """
    api, found, rule = change.api, change.found, change.rule
    try:
        api.write(
            change.action,
            sgId=change.group_id,
            version=found.version,
            direction=str(rule.direction),
            **params,
        )
    except UnavailableError as error:
        if error.code != _BACKEND_ERROR:
            raise
        now = _read(api, change.group_id)
        is_alike = _count(now.rules, rule) == _count(found.rules, rule)
        # A rule that is gone although there are as many as before was edited concurrently.
        is_edited = change.action == _REMOVE and len(now.rules) >= len(found.rules)
        if now.version != found.version and (is_alike or is_edited):
            raise ConflictError(
                api.wire.provider,
                change.action,
                code=error.code,
                detail="the rules changed meanwhile",
            ) from error
        raise


def _require_place(api: DfwApi, group_id: str, before: Found, wanted: Rule) -> None:
    """Remove a new rule again that the cloud has put elsewhere (step 4).

    A rule that concurrent changes have shifted stays: then the version is not the next one.
    """
    now = _read(api, group_id)
    place = locate(now.rules, wanted)
    is_shifted = None not in (before.version, now.version) and now.version != _next(before)
    if place is None or wanted.rule_id == f"{wanted.direction}[{place}]" or is_shifted:
        return
    _require_version(api, now)
    _send(_Change(api, _REMOVE, group_id, now, wanted), indexes=[place])
    raise ConflictError(
        api.wire.provider,
        _ADD,
        detail=f"put at {place} instead of {wanted.rule_id}, and removed again",
    )


def _next(found: Found) -> int:
    return (found.version or 0) + 1


def _count(rules: Sequence[Rule], rule: Rule) -> int:
    return sum(content(one) == content(rule) for one in rules)
