"""Least privilege on Alibaba Cloud: a custom policy of RAM.

Syntax: https://www.alibabacloud.com/help/en/ram/user-guide/policy-structure-and-syntax (2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.model.codes import DeleteRemedy, LaunchRemedy
from sgguard.providers._permissions import CHANGE, RULES, Json, Permission, granted

HOW = "Create it as a custom policy in RAM, and attach it to the user or role of the function."

_JOINS = (
    DeleteRemedy.UNBIND,
    DeleteRemedy.MOVE,
    LaunchRemedy.BIND,
    LaunchRemedy.QUARANTINE,
)


def _of(action: str, brings: str, *needs: str) -> Permission:
    wanted = {"needs": needs} if needs else {}
    return Permission(action, (f"ecs:{action}",), brings, **wanted)


PERMISSIONS: Sequence[Permission] = (
    _of("DescribeSecurityGroups", "groups"),
    _of("DescribeSecurityGroupReferences", "who references a group"),
    _of("DescribeSecurityGroupAttribute", "rules"),
    _of("DescribeInstances", "instances"),
    _of("DescribeNetworkInterfaces", "network interfaces"),
    _of("DeleteSecurityGroup", "deleting a group", CHANGE),
    _of("CreateSecurityGroup", "restoring a deleted group", CHANGE),
    _of("AuthorizeSecurityGroup", "restoring an ingress rule", CHANGE),
    _of("AuthorizeSecurityGroupEgress", "restoring an egress rule", CHANGE),
    _of(
        "ModifySecurityGroupPolicy",
        "restoring a group whose members do not reach each other",
        CHANGE,
    ),
    _of("RevokeSecurityGroup", "revoking an ingress rule", *RULES),
    _of("RevokeSecurityGroupEgress", "revoking an egress rule", *RULES),
    _of("JoinSecurityGroup", "binding an instance or interface", *_JOINS),
    _of("LeaveSecurityGroup", "unbinding an instance or interface", *_JOINS),
    _of(
        "ModifyInstanceAttribute",
        "moving an instance to other groups",
        DeleteRemedy.MOVE,
        LaunchRemedy.QUARANTINE,
    ),
    _of(
        "ModifyNetworkInterfaceAttribute",
        "moving an interface to other groups",
        DeleteRemedy.UNBIND,
        DeleteRemedy.MOVE,
        LaunchRemedy.QUARANTINE,
    ),
)


def document(permissions: Sequence[Permission]) -> Json:
    """Return a policy of RAM."""
    statement = {"Effect": "Allow", "Action": granted(permissions), "Resource": "*"}
    return {"Version": "1", "Statement": [statement]}
