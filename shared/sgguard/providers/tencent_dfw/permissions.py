"""Least privilege on clouds with Tencent's API 2.0: a custom policy of CAM."""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.model.codes import DeleteRemedy
from sgguard.providers._permissions import CHANGE, RULES, Json, Permission, granted

HOW = "Create it as a custom policy in CAM, and attach it to the user of the function."

_MOVES = (DeleteRemedy.UNBIND, DeleteRemedy.MOVE, DeleteRemedy.FORCE)


def _of(action: str, brings: str, *needs: str) -> Permission:
    wanted = {"needs": needs} if needs else {}
    return Permission(action, (f"dfw:{action}",), brings, **wanted)


PERMISSIONS: Sequence[Permission] = (
    _of("DescribeSecurityGroups", "groups"),
    _of("DescribeAssociateSecurityGroups", "who references a group"),
    _of("DescribeSecurityGroupPolicy", "rules"),
    _of("DescribeInstancesOfSecurityGroup", "instances that carry a group"),
    _of("DescribeNetworkInterfacesOfSecurityGroup", "interfaces that carry a group"),
    _of(
        "DescribeSecurityGroupPolicys",
        "the version of rules, without which none is changed",
        CHANGE,
    ),
    _of("DeleteSecurityGroup", "deleting a group", CHANGE),
    _of("CreateSecurityGroup", "restoring a group", CHANGE),
    _of("CreateSecurityGroupPolicy", "restoring a rule", CHANGE),
    _of("DeleteSecurityGroupPolicy", "revoking a rule", *RULES),
    _of("ModifySecurityGroupsOfInstance", "binding and unbinding an instance", *_MOVES),
)


def document(permissions: Sequence[Permission]) -> Json:
    """Return a policy of CAM."""
    statement = {"effect": "allow", "action": granted(permissions), "resource": ["*"]}
    return {"version": "2.0", "statement": [statement]}
