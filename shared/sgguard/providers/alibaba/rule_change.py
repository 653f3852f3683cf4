"""Adding and removing one rule of a group.

Authorising an existing rule succeeds and adds nothing; revoking a rule that is not there succeeds
and removes nothing. So the rules are read: after an addition, and before a removal. With the same
``ClientToken`` a repeated call has the response of the first one and no further effect.

Source: AuthorizeSecurityGroup, RevokeSecurityGroup, both for egress, and "How to ensure
idempotence", alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from msgspec.structs import replace

from sgguard.errors import ConflictError, NotFoundError
from sgguard.model.resource import Direction, Rule
from sgguard.model.sending import Tokened
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.group import read_with_rules
from sgguard.providers.alibaba.response import PROVIDER
from sgguard.providers.alibaba.rule_shape import is_same, permission_of
from sgguard.providers.alibaba.settle import until

_SUFFIX = {Direction.INGRESS: "", Direction.EGRESS: "Egress"}
"""Each direction has calls of its own, which know only the rule ids of that direction."""

_TOKEN_MAX = 64


def add_rule(ecs: EcsClient, group_id: str, rule: Rule, token: str) -> None:
    """Add a rule to the group, and wait until it is listed.

    The call succeeds where the rule is there already, so the group is read before it is sent.

    Raises:
        ConflictError: the same rule exists, maybe with another description; nothing was changed.
        LimitError: the group's rules, or the groups it may name, are used up.
        CloudError: the call was refused or failed.
    """
    permission = permission_of(rule)
    params = {f"Permissions.1.{name}": value for name, value in permission.items()}
    action = f"AuthorizeSecurityGroup{_SUFFIX[rule.direction]}"
    if any(is_same(one, rule) for one in rules_of(ecs, group_id)):
        raise ConflictError(PROVIDER, action, detail="the group has this rule already")
    ecs.write(action, {"SecurityGroupId": group_id, **client_token(token), **params})
    until(
        ecs.wire, f"the rule in {group_id}", lambda: is_added(rules_of(ecs, group_id), action, rule)
    )


def remove_rule(ecs: EcsClient, group_id: str, rule: Rule, token: str) -> None:
    """Remove exactly this rule: the one with its id and content, else the one with its content.

    Raises:
        NotFoundError: there is no such rule, or no such group.
        ConflictError: the rule with this id has another content now; nothing was changed.
        CloudError: the call was refused or failed.
    """
    found = found_among(rules_of(ecs, group_id), group_id, rule)
    revoke(ecs, group_id, found, token)
    if not has_id(found):
        until(
            ecs.wire,
            f"that {group_id} has lost the rule",
            lambda: not any(is_same(one, found) for one in rules_of(ecs, group_id)),
        )


def is_added(rules: Sequence[Rule], action: str, rule: Rule) -> bool:
    """Return whether a rule that was added is listed among the group's.

    Raises:
        ConflictError: the group had it already, with another description.
    """
    if any(is_same(one, rule) for one in rules):
        return True
    plain = replace(rule, description="")
    if any(is_same(replace(one, description=""), plain) for one in rules):
        raise ConflictError(
            PROVIDER, action, detail="the group has this rule already, with another description"
        )
    return False


def revoke(ecs: EcsClient, group_id: str, rule: Rule, token: str) -> None:
    """Revoke a rule by its id; on a server from before rule ids, by its whole content."""
    permission = permission_of(rule)
    named = {f"Permissions.1.{name}": value for name, value in permission.items()}
    if has_id(rule):
        named = {"SecurityGroupRuleId.1": rule.rule_id}
    action = f"RevokeSecurityGroup{_SUFFIX[rule.direction]}"
    ecs.write(action, {"SecurityGroupId": group_id, **client_token(token), **named})


def found_among(rules: Sequence[Rule], group_id: str, rule: Rule) -> Rule:
    """Return the rule of the group that the given one stands for."""
    same = [one for one in rules if is_same(one, rule)]
    named = next((one for one in rules if has_id(rule) and one.rule_id == rule.rule_id), None)
    if named is not None and named not in same:
        detail = f"{rule.rule_id} of {group_id} is another rule than it was"
        raise ConflictError(PROVIDER, "remove rule", detail=detail)
    if named is None and not same:
        raise NotFoundError(
            PROVIDER, "remove rule", detail=f"{group_id} has no such rule (any more)"
        )
    return named or same[0]


def has_id(rule: Rule) -> bool:
    """Return whether the rule has an id of the cloud, not a position in place of one."""
    return bool(rule.rule_id) and "[" not in rule.rule_id


def action_of(verb: str, changes: Mapping[int, Tokened]) -> str:
    """Return the action for changes of one direction: ``Authorize`` or ``Revoke``."""
    direction = next(rule.direction for change, _ in changes.values() if (rule := change.rule))
    return f"{verb}SecurityGroup{_SUFFIX[direction]}"


def rules_of(ecs: EcsClient, group_id: str) -> tuple[Rule, ...]:
    """Return all rules of the group."""
    return read_with_rules(ecs, group_id).rules or ()


def client_token(token: str) -> dict[str, str]:
    """Return the token as the cloud takes it: at most 64 ASCII characters."""
    fits = token.isascii() and token.isprintable() and len(token) <= _TOKEN_MAX
    return {"ClientToken": token if fits else sha256(token.encode()).hexdigest()} if token else {}
