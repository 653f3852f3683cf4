"""Changing groups and their rules in Tencent's VPC service.

A rule has no id: it is found by its position among the rules of its direction, or by its content.
Positions start at 0 and shift with every rule that is added or removed before them. So the rules of
a group have a version, which grows by one with every call that changes them, however many rules it
is about: a caller names the version it has read, and a call with another version is refused.
ModifySecurityGroupPolicies with version 0 removes the rules of both directions, whatever rules it
has, as its page warns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sgguard.emulator import edit
from sgguard.emulator.faces.tencent.call import Call, RefusedError, require_group_ids
from sgguard.emulator.faces.tencent.rule import index_of, is_same, rule_of
from sgguard.emulator.state import Group, Rule, StateError

_NAME_MAX = 60
_DESCRIPTION_MAX = 100
_RULES_MAX = 100
_DIRECTIONS = {"Ingress": "ingress", "Egress": "egress"}

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """A group, the rules of the request by direction, and the version it names, if any."""

    group: Group
    rows: Mapping[str, Rows]
    version: str | None

    def one_direction(self) -> tuple[str, Rows]:
        """Return the direction and the rules of a call that takes one direction only.

        Raises:
            RefusedError: it has both, or none.
        """
        given = [(direction, rows) for direction, rows in self.rows.items() if rows]
        if len(given) != 1:
            raise RefusedError("InvalidParameter", "either `Ingress` or `Egress` is required.")
        return given[0]

    def existing(self, direction: str) -> list[Rule]:
        """Return the group's rules of a direction, by position."""
        return [rule for rule in self.group.rules if rule.direction == direction]

    def count_change(self, version: int) -> dict[str, Any]:
        """Set the version after a call that found ``version``; returns the empty response."""
        self.group.version = version + 1
        return {}


def _policy_request(call: Call, *, is_zero_special: bool = False) -> PolicyRequest:
    group_id = call.params.get("SecurityGroupId")
    policies = call.params.get("SecurityGroupPolicySet")
    if not isinstance(group_id, str) or not isinstance(policies, dict):
        raise RefusedError("MissingParameter", "SecurityGroupId, SecurityGroupPolicySet")
    require_group_ids([group_id], "InvalidParameterValue.Malformed")
    group = call.groups().get(group_id)
    if group is None:
        raise RefusedError("ResourceNotFound", f"The resource `{group_id}` does not exist.")
    rows: dict[str, Rows] = {}
    for key, direction in _DIRECTIONS.items():
        given = policies.get(key)
        if given is not None:
            if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
                raise RefusedError("InvalidParameter", f"`{key}` is not a list of objects.")
            rows[direction] = given
    stated = policies.get("Version")
    version = None if stated is None else str(stated)
    is_wipe = is_zero_special and version == "0"
    if version is not None and not is_wipe and version != str(group.version):
        raise RefusedError("UnsupportedOperation.VersionMismatch", "The version is outdated.")
    return PolicyRequest(group, rows, version)


def create_security_group(call: Call) -> dict[str, Any]:
    """Create a group without rules (quirk ``default_rules``: with these rules)."""
    name, description = call.params.get("GroupName"), call.params.get("GroupDescription")
    if not isinstance(name, str) or not name or not isinstance(description, str):
        raise RefusedError("MissingParameter", "`GroupName` and `GroupDescription` are required.")
    if len(name) > _NAME_MAX or len(description) > _DESCRIPTION_MAX:
        raise RefusedError("InvalidParameterValue.TooLong", "GroupName, GroupDescription")
    group = Group(
        id=f"sg-{uuid4().hex[:8]}",
        name=name,
        description=description,
        region=call.region,
        account=call.account.id,
        project=str(call.params.get("ProjectId") or "0"),
        tags=_tags(call),
    )
    try:
        edit.create_group(call.cloud, group)
    except StateError as error:
        raise RefusedError("LimitExceeded", "The project has too many groups.") from error
    for rule in call.cloud.quirks.get("default_rules", []):
        edit.add_rule(call.cloud, group.id, Rule(**rule), is_per_direction=True)
    return {
        "SecurityGroup": {
            "SecurityGroupId": group.id,
            "SecurityGroupName": group.name,
            "SecurityGroupDesc": group.description,
            "ProjectId": group.project,
            "IsDefault": False,
            "CreatedTime": group.created,
            "TagSet": [{"Key": key, "Value": value} for key, value in group.tags.items()],
        }
    }


def _tags(call: Call) -> dict[str, str]:
    given = call.params.get("Tags") or []
    if not isinstance(given, list) or not all(isinstance(tag, dict) for tag in given):
        raise RefusedError("InvalidParameter", "`Tags` is not a list of Tag.")
    return {str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in given}


def create_security_group_policies(call: Call) -> dict[str, Any]:
    """Insert rules of one direction before the one at ``PolicyIndex``, or last."""
    request = _policy_request(call)
    group, version = request.group, request.group.version
    direction, rows = request.one_direction()
    existing = request.existing(direction)
    positions = {index_of(row) for row in rows}
    position = positions.pop()
    if positions or (position is not None and position > len(existing)):
        raise RefusedError("InvalidParameterValue.Range", "`PolicyIndex` differs or is too large.")
    new = [rule_of(call, group, row, direction) for row in rows]
    for number, rule in enumerate(new):
        if any(is_same(rule, one) for one in [*existing, *new[:number]]):
            raise RefusedError("UnsupportedOperation.DuplicatePolicy", "The policy exists.")
    ceiling = call.cloud.limits.get("rules-per-group", _RULES_MAX)
    if len(existing) + len(new) > ceiling:
        raise RefusedError("LimitExceeded.SecurityGroupPolicySet", f"at most {ceiling} policies")
    # Each further rule follows the one before it, so the new rules keep their order.
    for number, rule in enumerate(new):
        place = None if position is None else position + number
        edit.add_rule(call.cloud, group.id, rule, place, is_per_direction=True)
    return request.count_change(version)


def delete_security_group_policies(call: Call) -> dict[str, Any]:
    """Remove rules of one direction, by their positions or by their content."""
    request = _policy_request(call)
    version = request.group.version
    direction, rows = request.one_direction()
    is_by_index = {index_of(row) is not None for row in rows}
    if len(is_by_index) > 1 or (True in is_by_index and any(row.get("Action") for row in rows)):
        raise RefusedError("InvalidParameter.Coexist", "PolicyIndex and policies coexist.")
    existing = request.existing(direction)
    # All positions are those of before the call: rules are looked up first and removed afterwards.
    removed: list[Rule] = []
    for row in rows:
        found = _found(call, request.group, row, existing)
        if found is None:
            raise RefusedError("ResourceNotFound", "The policy does not exist.")
        removed += [found] if not any(one is found for one in removed) else []
    for rule in removed:
        edit.remove_rule(call.cloud, request.group.id, rule)
    return request.count_change(version)


def _found(call: Call, group: Group, row: Mapping[str, Any], existing: list[Rule]) -> Rule | None:
    position = index_of(row)
    if position is not None:
        return existing[position] if position < len(existing) else None
    direction = existing[0].direction if existing else "ingress"
    wanted = rule_of(call, group, row, direction)
    return next((rule for rule in existing if is_same(rule, wanted)), None)


def replace_security_group_policies(call: Call) -> dict[str, Any]:
    """Put other rules in the place of those at these positions, all of them or none.

    ``OriginalSecurityGroupPolicySet`` is for the cloud's own log (215/88451).
    """
    if call.params.get("UpdateType", "Policy") != "Policy":
        raise RefusedError("UnsupportedOperation", "only UpdateType Policy is emulated.")
    request = _policy_request(call)
    group, version = request.group, request.group.version
    direction, rows = request.one_direction()
    existing = request.existing(direction)
    places = [index_of(row) for row in rows]
    if any(place is None or place >= len(existing) for place in places):
        raise RefusedError("InvalidParameterValue.Range", "`PolicyIndex` is missing or too large.")
    if len(set(places)) < len(places):
        raise RefusedError("InvalidParameterValue.Duplicate", "`PolicyIndex` is given twice.")
    new = [rule_of(call, group, row, direction) for row in rows]
    kept = [rule for place, rule in enumerate(existing) if place not in places]
    for number, rule in enumerate(new):
        if any(is_same(rule, one) for one in [*kept, *new[:number]]):
            raise RefusedError("UnsupportedOperation.DuplicatePolicy", "The policy exists.")
    for place, rule in zip(places, new, strict=True):
        at = next(n for n, one in enumerate(group.rules) if one is existing[place or 0])
        group.rules[at] = rule
    return request.count_change(version)


def modify_security_group_policies(call: Call) -> dict[str, Any]:
    """Replace the rules of both directions; version 0 removes them instead."""
    request = _policy_request(call, is_zero_special=True)
    group = request.group
    rules: list[Rule] = []
    if request.version != "0":
        if len(request.rows) != len(_DIRECTIONS):
            raise RefusedError("MissingParameter", "`Ingress` and `Egress` are required.")
        rules = [
            rule_of(call, group, row, direction)
            for direction, rows in request.rows.items()
            for row in rows
        ]
    group.rules[:] = rules
    return request.count_change(group.version)


_POLICIES = frozenset({"SecurityGroupId", "SecurityGroupPolicySet"})
ACTIONS: Mapping[str, tuple[Callable[[Call], dict[str, Any]], frozenset[str]]] = {
    "CreateSecurityGroup": (
        create_security_group,
        frozenset({"GroupName", "GroupDescription", "ProjectId", "Tags"}),
    ),
    "CreateSecurityGroupPolicies": (create_security_group_policies, _POLICIES),
    "DeleteSecurityGroupPolicies": (delete_security_group_policies, _POLICIES),
    "ReplaceSecurityGroupPolicies": (
        replace_security_group_policies,
        _POLICIES | {"OriginalSecurityGroupPolicySet", "UpdateType"},
    ),
    "ModifySecurityGroupPolicies": (
        modify_security_group_policies,
        _POLICIES | {"SortPolicys"},
    ),
}
"""The function and the parameter names of each action."""
