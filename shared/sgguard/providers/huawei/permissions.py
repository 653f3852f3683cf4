"""Least privilege on Huawei Cloud and Open Telekom Cloud: a custom policy of IAM.

The names of the permissions are those of the tables "Permissions and Supported Actions" of VPC and
ECS. A call of v2.0 and its successor in v3 have the same one. Identity policies (version 5.0) call
the reads of lists otherwise and are not written here.
https://support.huaweicloud.com/intl/en-us/api-vpc/vpc_permission_0000.html (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.model.codes import DeleteRemedy, LaunchRemedy
from sgguard.providers._permissions import CHANGE, RULES, Json, Permission, granted

HOW = (
    "Create it as a custom policy (JSON) in IAM, and grant it to the group or agency of the "
    "function for the whole project, not by enterprise project: else lists are cut in silence. "
    "Set HUAWEICLOUD_SDK_PROJECT_ID: to find the project by its region, iam:projects:listProjects "
    "is needed as well, in a policy of its own, because IAM is a global service."
)

_V3 = "/v3/{project_id}"
_GROUPS, _RULES = f"{_V3}/vpc/security-groups", f"{_V3}/vpc/security-group-rules"
_PORTS, _SUBS = f"{_V3}/ports", f"{_V3}/vpc/sub-network-interfaces"

_MOVES = (DeleteRemedy.UNBIND, DeleteRemedy.MOVE)
_HOLDERS = (*_MOVES, LaunchRemedy.BIND, LaunchRemedy.QUARANTINE)

PERMISSIONS: Sequence[Permission] = (
    Permission(f"GET {_GROUPS}", ("vpc:securityGroups:get",), "groups"),
    Permission(f"GET {_GROUPS}/{{id}}", ("vpc:securityGroups:get",), "one group"),
    Permission(f"GET {_RULES}", ("vpc:securityGroupRules:get",), "who references a group"),
    Permission(f"GET {_PORTS}", ("vpc:ports:get",), "what carries a group"),
    Permission(
        f"GET {_PORTS}/{{id}}",
        ("vpc:ports:get",),
        "one port, before it is changed and where no list by ids tells of it",
    ),
    Permission(f"GET {_SUBS}", ("vpc:subNetworkInterfaces:list",), "supplementary interfaces"),
    Permission(f"GET {_V3}/vpc/quotas", ("vpc:quotas:list",), "limits"),
    Permission("GET /v1/{project_id}/quotas", ("vpc:quotas:list",), "how much of them is used"),
    Permission(
        "GET /v2.1/{project_id}/servers/{id}/os-security-groups",
        ("ecs:securityGroups:use", "vpc:securityGroups:get"),
        "groups of a server",
    ),
    Permission(
        "GET /v1/{project_id}/cloudservers/{id}", ("ecs:cloudServers:showServer",), "a server"
    ),
    Permission(
        f"DELETE {_GROUPS}/{{id}}", ("vpc:securityGroups:delete",), "deleting a group", (CHANGE,)
    ),
    Permission(f"POST {_GROUPS}", ("vpc:securityGroups:create",), "restoring a group", (CHANGE,)),
    Permission(f"POST {_RULES}", ("vpc:securityGroupRules:create",), "restoring a rule", (CHANGE,)),
    Permission(
        f"DELETE {_RULES}/{{id}}",
        ("vpc:securityGroupRules:delete",),
        "revoking a rule, and those that the cloud gives to a restored group",
        (CHANGE, *RULES),
    ),
    Permission(
        f"POST {_GROUPS}/{{id}}/security-group-rules/batch-create",
        ("vpc:securityGroupRules:create",),
        "restoring several rules with one call",
        (CHANGE,),
    ),
    Permission(
        f"GET {_SUBS}/{{id}}",
        ("vpc:subNetworkInterfaces:get",),
        "one supplementary interface, before it is changed",
        _HOLDERS,
    ),
    Permission(
        f"PUT {_PORTS}/{{id}}/insert-security-groups",
        ("vpc:ports:update",),
        "binding an interface",
        _HOLDERS,
    ),
    Permission(
        f"PUT {_PORTS}/{{id}}/remove-security-groups",
        ("vpc:ports:update",),
        "unbinding an interface",
        _HOLDERS,
    ),
    Permission(
        "PUT /v2.0/ports/{id}",
        ("vpc:ports:update",),
        "moving an interface",
        (*_MOVES, LaunchRemedy.QUARANTINE),
    ),
    Permission(
        f"PUT {_SUBS}/{{id}}",
        ("vpc:subNetworkInterfaces:update",),
        "moving a supplementary interface",
        _MOVES,
    ),
)


def document(permissions: Sequence[Permission]) -> Json:
    """Return a custom policy of IAM."""
    statement = {"Effect": "Allow", "Action": granted(permissions)}
    return {"Version": "1.1", "Statement": [statement]}
