"""Changing groups and their rules, in the words of Tencent's VPC service.

Rules have positions, which shift, and a version, which grows by one with every call that changes
them; a call that names another version is refused. ModifySecurityGroupPolicies with version 0
wipes both directions, whatever else it says, as its page warns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sgguard.emulator import edit
from sgguard.emulator.faces.tencent.call import Call, TencentError, require_group_ids
from sgguard.emulator.faces.tencent.rule import index_of, rule_of, same
from sgguard.emulator.state import Group, Rule, StateError

_NAME_MAX = 60
_DESCRIPTION_MAX = 100
_RULES_MAX = 100
_DIRECTIONS = {"Ingress": "ingress", "Egress": "egress"}

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A group, the rules a call is about by direction, and the version it names, if any."""

    group: Group
    rows: Mapping[str, Rows]
    version: str | None

    def one_direction(self) -> tuple[str, Rows]:
        """Return the direction and the rules of a call that takes one direction only.

        Raises:
            TencentError: it names both, or none.
        """
        given = [(direction, rows) for direction, rows in self.rows.items() if rows]
        if len(given) != 1:
            raise TencentError("InvalidParameter", "either `Ingress` or `Egress` is required.")
        return given[0]

    def held(self, direction: str) -> list[Rule]:
        """Return the rules of a direction that are there."""
        return [rule for rule in self.group.rules if rule.direction == direction]

    def changed(self, version: int) -> dict[str, Any]:
        """Count the call as one change, however many rules it is about."""
        self.group.version = version + 1
        return {}


def _asked(call: Call, *, is_zero_special: bool = False) -> Asked:
    group_id = call.params.get("SecurityGroupId")
    policies = call.params.get("SecurityGroupPolicySet")
    if not isinstance(group_id, str) or not isinstance(policies, dict):
        raise TencentError("MissingParameter", "SecurityGroupId, SecurityGroupPolicySet")
    require_group_ids([group_id], "InvalidParameterValue.Malformed")
    group = call.groups().get(group_id)
    if group is None:
        raise TencentError("ResourceNotFound", f"The resource `{group_id}` does not exist.")
    rows: dict[str, Rows] = {}
    for key, direction in _DIRECTIONS.items():
        given = policies.get(key)
        if given is not None:
            if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
                raise TencentError("InvalidParameter", f"`{key}` is not a list of objects.")
            rows[direction] = given
    told = policies.get("Version")
    version = None if told is None else str(told)
    is_wipe = is_zero_special and version == "0"
    if version is not None and not is_wipe and version != str(group.version):
        raise TencentError("UnsupportedOperation.VersionMismatch", "The version is outdated.")
    return Asked(group, rows, version)


def create_security_group(call: Call) -> dict[str, Any]:
    """Create a group without rules (quirk ``default_rules``: with these)."""
    name, description = call.params.get("GroupName"), call.params.get("GroupDescription")
    if not isinstance(name, str) or not name or not isinstance(description, str):
        raise TencentError("MissingParameter", "`GroupName` and `GroupDescription` are required.")
    if len(name) > _NAME_MAX or len(description) > _DESCRIPTION_MAX:
        raise TencentError("InvalidParameterValue.TooLong", "GroupName, GroupDescription")
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
        raise TencentError("LimitExceeded", "The project has too many groups.") from error
    for rule in call.cloud.quirks.get("default_rules", []):
        edit.add_rule(call.cloud, group.id, Rule(**rule))
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
        raise TencentError("InvalidParameter", "`Tags` is not a list of Tag.")
    return {str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in given}


def create_security_group_policies(call: Call) -> dict[str, Any]:
    """Put rules of one direction before the one at ``PolicyIndex``, or last."""
    asked = _asked(call)
    group, version = asked.group, asked.group.version
    direction, rows = asked.one_direction()
    held = asked.held(direction)
    places = {index_of(row) for row in rows}
    place = places.pop()
    if places or (place is not None and place > len(held)):
        raise TencentError("InvalidParameterValue.Range", "`PolicyIndex` differs or is too large.")
    new = [rule_of(call, group, row, direction) for row in rows]
    for number, rule in enumerate(new):
        if any(same(rule, one) for one in [*held, *new[:number]]):
            raise TencentError("UnsupportedOperation.DuplicatePolicy", "The policy exists.")
    ceiling = call.cloud.limits.get("rules-per-group", _RULES_MAX)
    # The page counts each direction for itself; a scenario's own ceiling counts both.
    counted = len(group.rules) if "rules-per-group" in call.cloud.limits else len(held)
    if counted + len(new) > ceiling:
        raise TencentError("LimitExceeded.SecurityGroupPolicySet", f"at most {ceiling} policies")
    for number, rule in enumerate(new):
        edit.add_rule(call.cloud, group.id, rule, None if place is None else place + number)
    return asked.changed(version)


def delete_security_group_policies(call: Call) -> dict[str, Any]:
    """Take out rules of one direction, by their positions or by what they say."""
    asked = _asked(call)
    version = asked.group.version
    direction, rows = asked.one_direction()
    is_by_index = {index_of(row) is not None for row in rows}
    if len(is_by_index) > 1 or (True in is_by_index and any(row.get("Action") for row in rows)):
        raise TencentError("InvalidParameter.Coexist", "PolicyIndex and policies coexist.")
    held = asked.held(direction)
    gone: list[Rule] = []
    for row in rows:
        found = _found(call, asked.group, row, held)
        if found is None:
            raise TencentError("ResourceNotFound", "The policy does not exist.")
        gone += [found] if not any(one is found for one in gone) else []
    for rule in gone:
        edit.remove_rule(call.cloud, asked.group.id, rule)
    return asked.changed(version)


def _found(call: Call, group: Group, row: Mapping[str, Any], held: list[Rule]) -> Rule | None:
    place = index_of(row)
    if place is not None:
        return held[place] if place < len(held) else None
    direction = held[0].direction if held else "ingress"
    wanted = rule_of(call, group, row, direction)
    return next((rule for rule in held if same(rule, wanted)), None)


def modify_security_group_policies(call: Call) -> dict[str, Any]:
    """Replace the rules of both directions; version 0 wipes them instead."""
    asked = _asked(call, is_zero_special=True)
    group = asked.group
    rules: list[Rule] = []
    if asked.version != "0":
        if len(asked.rows) != len(_DIRECTIONS):
            raise TencentError("MissingParameter", "`Ingress` and `Egress` are required.")
        rules = [
            rule_of(call, group, row, direction)
            for direction, rows in asked.rows.items()
            for row in rows
        ]
    call.cloud.index = None
    group.rules[:] = rules
    return asked.changed(group.version)


_POLICIES = frozenset({"SecurityGroupId", "SecurityGroupPolicySet"})
ACTIONS: Mapping[str, tuple[Callable[[Call], dict[str, Any]], frozenset[str]]] = {
    "CreateSecurityGroup": (
        create_security_group,
        frozenset({"GroupName", "GroupDescription", "ProjectId", "Tags"}),
    ),
    "CreateSecurityGroupPolicies": (create_security_group_policies, _POLICIES),
    "DeleteSecurityGroupPolicies": (delete_security_group_policies, _POLICIES),
    "ModifySecurityGroupPolicies": (
        modify_security_group_policies,
        _POLICIES | {"SortPolicys"},
    ),
}
"""What each action does and which parameters it knows."""
