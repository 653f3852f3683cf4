"""Adding and removing one rule of a group, with the version of the rules.

A position is valid only together with the version of the rules it was read with: every change
shifts positions. Each change is three steps:

1. Read the rules with their version.
2. Find the position by the rule's content, as it may have shifted since the rule was read.
3. Send position and version. Where the version has changed, the cloud refuses, and nothing is
   changed; without a version it would change whatever rule is at the position now.

ModifySecurityGroupPolicies is never used: it replaces both directions, and with version 0 it
deletes all rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sgguard.errors import CloudError, ConflictError, NotFoundError
from sgguard.model.change import content
from sgguard.model.resource import Rule
from sgguard.providers._tencent import is_reached
from sgguard.providers._tencent_positions import insert_position, locate
from sgguard.providers.tencent import reads
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.codes import may_be_reached
from sgguard.providers.tencent.rule_shape import KEYS, PolicySet, row_of

_ADD = "CreateSecurityGroupPolicies"
_REMOVE = "DeleteSecurityGroupPolicies"


def add_rule(api: TencentApi, group_id: str, rule: Rule) -> None:
    """Insert the rule before the one at its position, or append it.

    Raises:
        ConflictError: the rules changed meanwhile, or the group has this rule already, maybe with
            another description; nothing was changed.
        LimitError: the group holds as many rules as it may have.
        NotFoundError: the group does not exist, or the one the rule names.
    """
    # Steps 1 to 3; the cloud refuses a rule that is there, and one of the same effect.
    found = versioned(api, group_id, _ADD)
    place = insert_position(found.rules, rule)
    row = row_of(rule) | ({} if place is None else {"PolicyIndex": place})
    try:
        send(api, _ADD, group_id, {"Version": found.version, KEYS[rule.direction]: [row]})
    except CloudError as error:
        is_there = partial(_is_there, api, group_id, rule)
        if not (may_be_reached(error) and is_reached(is_there)):
            raise
        raise ConflictError(
            api.wire.provider, _ADD, code=error.code, detail=f"{group_id}: {error.detail}"
        ) from error


def remove_rule(api: TencentApi, group_id: str, rule: Rule) -> None:
    """Remove the rule, wherever its position is now.

    Raises:
        ConflictError: the rules changed meanwhile; none was removed.
        NotFoundError: the group or the rule does not exist.
    """
    # Steps 1 to 3.
    found = versioned(api, group_id, _REMOVE)
    place = locate(found.rules, rule)
    if place is None:
        raise NotFoundError(
            api.wire.provider, _REMOVE, detail=f"{group_id} has no such rule as {rule.rule_id}"
        )
    rows = [{"PolicyIndex": place}]
    try:
        send(api, _REMOVE, group_id, {"Version": found.version, KEYS[rule.direction]: rows})
    except CloudError as error:
        # Somebody else may have removed it since it was read.
        is_gone = partial(_is_gone, api, group_id, rule)
        if not (may_be_reached(error) and is_reached(is_gone)):
            raise
        raise NotFoundError(
            api.wire.provider, _REMOVE, code=error.code, detail=f"{group_id}: {error.detail}"
        ) from error


def _is_there(api: TencentApi, group_id: str, rule: Rule) -> bool:
    return any(content(one) == content(rule) for one in reads.rules(api, group_id))


def _is_gone(api: TencentApi, group_id: str, rule: Rule) -> bool:
    try:
        return not _is_there(api, group_id, rule)
    except NotFoundError:
        return True  # with its group


def remove_all(api: TencentApi, group_id: str) -> None:
    """Remove the rules that a new group was given, the last one of each direction first.

    Raises:
        ConflictError: they are changed concurrently.
    """
    for rule in reversed(reads.rules(api, group_id)):
        remove_rule(api, group_id, rule)


def versioned(api: TencentApi, group_id: str, action: str) -> PolicySet:
    """Return the rules with their version.

    Raises:
        ConflictError: the cloud reported no version, so no position is reliable.
        NotFoundError: the group does not exist.
    """
    found = reads.policies(api, group_id)
    if not found.version:
        raise ConflictError(
            api.wire.provider,
            action,
            detail=f"not sent: no version of the rules of {group_id} was reported",
        )
    return found


def send(api: TencentApi, action: str, group_id: str, policies: Mapping[str, object]) -> None:
    """Send a change of the group's rules."""
    api.write("vpc", action, {"SecurityGroupId": group_id, "SecurityGroupPolicySet": policies})
