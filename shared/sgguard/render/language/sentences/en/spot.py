"""What no call of a cloud tells."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "spot.tencent-templates": (
        "Launch templates and scaling configurations that name the group are not counted by "
        "Tencent Cloud and not read: look there too, a later launch from them needs the group."
    ),
    "spot.tencent-locked": (
        "Whether a group is locked or its delete needs an approval is only shown by the delete "
        "itself (UnsupportedOperation.LockedResources, MemberApprovalApplication)."
    ),
    "spot.tencent-cam": (
        "A CAM policy by tag or resource may show a part of a list without an error: holders "
        "and references are compared with the group's counts, but no call shows that those "
        "count the whole account."
    ),
    "spot.dfw-products": (
        "API 2.0 lists instances and network interfaces only: load balancers, databases and "
        "other products that carry the group are not seen (the provider tencent counts them)."
    ),
    "spot.dfw-templates": (
        "No call of API 2.0 lists the launch templates and scaling configurations that name "
        "the group."
    ),
    "spot.dfw-cam": (
        "A CAM policy by tag or resource may show a part of a list without an error, and API "
        "2.0 has no counts of holders to compare the lists with."
    ),
    "spot.huawei-templates": (
        "AS configurations and launch templates keep group ids that no interface shows."
    ),
    "spot.huawei-products": ("Databases and other products show as ports only while they run."),
    "spot.huawei-eps": (
        "Rules of hidden enterprise projects do not appear without v1 quotas, or over 4000 rules."
    ),
    "spot.huawei-iam": ("Interfaces that an identity policy with conditions hides do not appear."),
    "spot.huawei-shared": ("What other accounts do with a shared VPC or group does not appear."),
    "spot.huawei-fresh": ("What was made in the last seconds may not appear yet."),
    "spot.openstack-projects": (
        "A project's token shows no rules or ports of other projects, and often no sign of them."
    ),
    "spot.openstack-policy": (
        "A cloud's own policy file may hide sharing policies from a token that it shows groups."
    ),
    "spot.openstack-building": (
        "A server that is just being built carries its groups only once its ports exist."
    ),
    "spot.openstack-services": (
        "Heat, Magnum, Senlin and Trove keep group ids or names in templates that no port shows."
    ),
    "spot.openstack-defaults": (
        "Default rules for new groups (default-security-group-rules) may name the group."
    ),
    "spot.alibaba-protection": (
        "Deletion protection (of an ACK cluster's group) is not readable: such a delete is "
        "refused with InvalidOperation.DeletionProtection."
    ),
    "spot.alibaba-templates": (
        "Launch templates, scaling configurations and node pools name groups without carrying "
        "them; ECS does not report which ones do, and what they launch afterwards fails."
    ),
    "spot.alibaba-whitelists": (
        "Whitelists of RDS, Redis, PolarDB and other services may name a group; only those "
        "services show it."
    ),
    "spot.alibaba-ram": (
        "A RAM policy by tag or resource group shows its user only a part. A group with no "
        "visible holder is compared with its own count of addresses; single holders missing "
        "beside visible ones, or where the server does not count, are not noticed: "
        "DeleteSecurityGroup refuses then."
    ),
    "spot.launch-interfaces": (
        "Each planned instance is counted with one interface; further ones need room as well."
    ),
    "spot.launch-templates": (
        "Groups that a launch template adds are judged only where the request names them."
    ),
}
