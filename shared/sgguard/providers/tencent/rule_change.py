"""Putting one rule into a group and taking one out, with the version that was read.

A position means something only together with the version of the rules it was read with: every
change shifts positions, and without a version the cloud changes whatever stands there now. Where
the version has moved, it refuses, and nothing is changed. ModifySecurityGroupPolicies is never
used: it replaces both directions, and with version 0 it wipes them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.errors import ConflictError, NotFoundError
from sgguard.model.change import content
from sgguard.model.resource import Rule
from sgguard.providers._tencent import locate, place_of
from sgguard.providers.tencent import reads
from sgguard.providers.tencent.api import DUPLICATE_POLICY, TencentApi
from sgguard.providers.tencent.rule_shape import KEYS, PolicySet, row_of

_ADD = "CreateSecurityGroupPolicies"
_REMOVE = "DeleteSecurityGroupPolicies"


def add_rule(api: TencentApi, group_id: str, rule: Rule) -> None:
    """Put the rule in front of the one at its place, or last.

    Raises:
        ConflictError: the rules changed meanwhile, or one that differs only in words is there.
        LimitError: the group holds as many rules as it may.
        NotFoundError: the group does not exist, or the one the rule names.
    """
    found = _versioned(api, group_id, _ADD)
    place = place_of(found.rules, rule)
    row = row_of(rule) | ({} if place is None else {"PolicyIndex": place})
    try:
        _write(api, _ADD, group_id, {"Version": found.version, KEYS[rule.direction]: [row]})
    except ConflictError as error:
        is_there = error.code == DUPLICATE_POLICY and any(
            content(one) == content(rule) for one in reads.rules(api, group_id)
        )
        if not is_there:
            raise


def remove_rule(api: TencentApi, group_id: str, rule: Rule) -> None:
    """Take the rule out, wherever it is by now.

    Raises:
        ConflictError: the rules changed meanwhile; none was taken out.
        NotFoundError: the group or the rule does not exist.
    """
    found = _versioned(api, group_id, _REMOVE)
    place = locate(found.rules, rule)
    if place is None:
        raise NotFoundError(
            api.wire.provider, _REMOVE, detail=f"{group_id} has no such rule as {rule.rule_id}"
        )
    rows = [{"PolicyIndex": place}]
    _write(api, _REMOVE, group_id, {"Version": found.version, KEYS[rule.direction]: rows})


def remove_all(api: TencentApi, group_id: str) -> None:
    """Take out whatever rules a new group was given, the last one of each direction first.

    Raises:
        ConflictError: somebody else changes them.
    """
    for rule in reversed(reads.rules(api, group_id)):
        remove_rule(api, group_id, rule)


def _versioned(api: TencentApi, group_id: str, action: str) -> PolicySet:
    """Return the rules with their version, without which no position can be relied on.

    Raises:
        ConflictError: the cloud told no version.
        NotFoundError: the group does not exist.
    """
    found = reads.policies(api, group_id)
    if not found.version:
        raise ConflictError(
            api.wire.provider, action, detail=f"not sent: {group_id} told no version of its rules"
        )
    return found


def _write(api: TencentApi, action: str, group_id: str, policies: Mapping[str, object]) -> None:
    api.write("vpc", action, {"SecurityGroupId": group_id, "SecurityGroupPolicySet": policies})
