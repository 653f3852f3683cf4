"""Least privilege on Tencent Cloud: a custom policy of CAM.

Syntax: https://cloud.tencent.com/document/product/598/10604 (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.model.codes import DeleteRemedy, LaunchRemedy
from sgguard.providers._permissions import CHANGE, RULES, Json, Permission, granted

HOW = "Create it as a custom policy in CAM, and attach it to the user or role of the function."

_BINDINGS = (DeleteRemedy.UNBIND, DeleteRemedy.MOVE)
_BINDS = (*_BINDINGS, LaunchRemedy.BIND)
_QUARANTINE = LaunchRemedy.QUARANTINE
_MOVES = (*_BINDINGS, _QUARANTINE)


def _of(service: str, action: str, brings: str, *needs: str) -> Permission:
    wanted = {"needs": needs} if needs else {}
    return Permission(action, (f"{service}:{action}",), brings, **wanted)


PERMISSIONS: Sequence[Permission] = (
    _of("vpc", "DescribeSecurityGroups", "groups"),
    _of("vpc", "DescribeSecurityGroupReferences", "who references a group"),
    _of("vpc", "DescribeSecurityGroupAssociationStatistics", "what carries a group"),
    _of("vpc", "DescribeSecurityGroupPolicies", "rules"),
    _of("cvm", "DescribeInstances", "instances"),
    _of("vpc", "DescribeNetworkInterfaces", "network interfaces"),
    _of("vpc", "DescribeSecurityGroupLimits", "limits"),
    _of("vpc", "DeleteSecurityGroup", "deleting a group", CHANGE),
    _of("vpc", "CreateSecurityGroup", "restoring a group", CHANGE),
    _of("vpc", "CreateSecurityGroupPolicies", "restoring a rule", CHANGE),
    _of("vpc", "DeleteSecurityGroupPolicies", "revoking a rule", CHANGE, *RULES),
    _of("vpc", "ReplaceSecurityGroupPolicies", "rewriting a rule", DeleteRemedy.REWRITE),
    _of("cvm", "AssociateSecurityGroups", "binding an instance", *_BINDS),
    _of("cvm", "DisassociateSecurityGroups", "unbinding an instance", *_BINDS, _QUARANTINE),
    _of("cvm", "ModifyInstancesAttribute", "replacing the groups of an instance", *_MOVES),
    _of("vpc", "AssociateNetworkInterfaceSecurityGroups", "binding an interface", *_BINDINGS),
    _of("vpc", "DisassociateNetworkInterfaceSecurityGroups", "unbinding an interface", *_MOVES),
    _of("vpc", "ModifyNetworkInterfaceAttribute", "replacing the groups of an interface", *_MOVES),
)


def document(permissions: Sequence[Permission]) -> Json:
    """Return a policy of CAM."""
    statement = {"effect": "allow", "action": granted(permissions), "resource": ["*"]}
    return {"version": "2.0", "statement": [statement]}
