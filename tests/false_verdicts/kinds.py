"""What each cloud has that others have not: ids, callers, kinds of holders, quirks.

Left out on purpose, because no API tells it and no reader can: deletion protection (Alibaba) and
locks (Tencent), products behind Alibaba Cloud and Tencent's API 2.0 (their APIs list instances
and interfaces only), references between regions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sgguard.emulator.state import Account, Cloud
from tests.false_verdicts.random_source import RandomSource

Quirks = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One cloud.

    ``caller`` returns the accounts, the one that asks first, and its environment. ``quirks``
    changes the finished cloud and says whether it now hides something from its readers.
    ``actions`` are those a permission can be missing for. ``has_foreign_rules``: rules of other
    accounts or projects can name a group.
    """

    provider: str
    regions: tuple[str, str]
    group_id: Callable[[RandomSource], str]
    instance_id: Callable[[RandomSource], str]
    interface_id: Callable[[RandomSource], str]
    caller: Callable[[RandomSource, str], tuple[list[Account], dict[str, str]]]
    quirks: Callable[[RandomSource, Cloud], bool]
    actions: tuple[str, ...]
    default_name: str = "default"
    products: tuple[str, ...] = ()
    interface_kinds: tuple[str, ...] = ("secondary",)
    has_deny: bool = True
    has_switch: bool = False
    has_foreign_rules: bool = False
    has_managed: bool = False


# -- Tencent ----------------------------------------------------------------------------------


def _tencent_caller(rng: RandomSource, region: str) -> tuple[list[Account], dict[str, str]]:
    del region
    own = Account("100000000001", f"AKID{rng.word(28)}", rng.word(32), projects=["0", "1100"])
    other = Account("100000000002", f"AKID{rng.word(28)}", rng.word(32), projects=["0"])
    env = {"TENCENTCLOUD_SECRET_ID": own.key_id, "TENCENTCLOUD_SECRET_KEY": own.secret}
    return [own, other], env


def _tencent_quirks(rng: RandomSource, cloud: Cloud) -> bool:
    switches: Quirks = {
        "content_type": "application/json; charset=utf-8",
        "limits_absent": True,
        "missing_group": "omitted",
        "references_include_self": True,
        "unset_fields": rng.choice(["empty", "null", "absent"]),
        "statistics_brief": True,
    }
    cloud.quirks = {key: switches[key] for key in rng.part(list(switches), 0.15)}
    if rng.chance(0.15):
        holders = [*(i.id for i in cloud.instances), *(i.id for i in cloud.interfaces)]
        cloud.quirks["lists_hide"] = rng.part(holders, 0.4)
    return _omits(rng, cloud, "references_omit", "statistics_omit")


def _omits(rng: RandomSource, cloud: Cloud, *names: str) -> bool:
    is_hiding = False
    for name in names:
        if rng.chance(0.04):
            cloud.quirks[name] = rng.part([group.id for group in cloud.groups], 0.5)
            is_hiding = True
    return is_hiding


def _dfw_quirks(rng: RandomSource, cloud: Cloud) -> bool:
    switches: Quirks = {
        "code_as_string": True,
        "code_desc": True,
        "references_empty": rng.choice(["list", "omit", "php"]),
        "references_shape": "string",
        "default_untold": True,
        "egress_absent": True,
        "total_zero": True,
        "interfaces_beside": True,
    }
    cloud.quirks = {key: switches[key] for key in rng.part(list(switches), 0.2)}
    if rng.chance(0.03):
        cloud.quirks["references_shape"] = "single-quoted"
        return True
    return _omits(rng, cloud, "references_omit")


TENCENT = Kind(
    provider="tencent",
    regions=("ap-guangzhou", "ap-singapore"),
    group_id=lambda rng: f"sg-{rng.word(8)}",
    instance_id=lambda rng: f"ins-{rng.word(8)}",
    interface_id=lambda rng: f"eni-{rng.word(8)}",
    caller=_tencent_caller,
    quirks=_tencent_quirks,
    actions=(
        "DescribeSecurityGroups",
        "DescribeSecurityGroupReferences",
        "DescribeSecurityGroupPolicies",
        "DescribeSecurityGroupAssociationStatistics",
        "DescribeInstances",
        "DescribeNetworkInterfaces",
    ),
    products=("load-balancer", "database", "redis", "mongodb", "NATGW", "LIGHTHOUSE"),
)

TENCENT_DFW = replace(
    TENCENT,
    provider="tencent-dfw",
    quirks=_dfw_quirks,
    actions=(
        "DescribeSecurityGroups",
        "DescribeAssociateSecurityGroups",
        "DescribeSecurityGroupPolicy",
        "DescribeInstancesOfSecurityGroup",
        "DescribeNetworkInterfacesOfSecurityGroup",
    ),
    products=(),
)


# -- Alibaba ----------------------------------------------------------------------------------


def _alibaba_caller(rng: RandomSource, region: str) -> tuple[list[Account], dict[str, str]]:
    del region
    own = Account("1000000000000001", f"LTAI{rng.word(16)}", rng.word(30))
    peer = Account("1000000000000002", f"LTAI{rng.word(16)}", rng.word(30))
    env = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": own.key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": own.secret,
    }
    if rng.chance(0.15):
        env["SGGUARD_ALIBABA_SIGNATURE"] = "rpc"
    if rng.chance(0.3):
        env["SGGUARD_ACCOUNT_ALIBABA"] = rng.choice([own.id, "main"])
    return [own, peer], env


def _alibaba_quirks(rng: RandomSource, cloud: Cloud) -> bool:
    cloud.quirks = {"references_shape": rng.choice(["real", "real", "documented", "hybrid"])}
    if rng.chance(0.4):
        cloud.quirks["page_max"] = rng.randint(1, 6)
    is_hiding = False
    if rng.chance(0.1):
        cloud.quirks["format"] = "xml"
        # An empty list of XML leaves no trace, and bare arrays have no names there.
        is_hiding = True
    if rng.chance(0.05):
        cloud.quirks["references_silent"] = True
        is_hiding = True
    if rng.chance(0.02):
        cloud.quirks["endless_pages"] = True
        is_hiding = True
    return is_hiding


ALIBABA = Kind(
    provider="alibaba",
    regions=("cn-hangzhou", "cn-beijing"),
    group_id=lambda rng: f"sg-bp1{rng.word(17)}",
    instance_id=lambda rng: f"i-bp1{rng.word(17)}",
    interface_id=lambda rng: f"eni-bp1{rng.word(17)}",
    caller=_alibaba_caller,
    quirks=_alibaba_quirks,
    actions=(
        "DescribeSecurityGroups",
        "DescribeSecurityGroupReferences",
        "DescribeSecurityGroupAttribute",
        "DescribeInstances",
        "DescribeNetworkInterfaces",
    ),
    default_name="",
    has_foreign_rules=True,
    has_managed=True,
)


# -- Huawei and OpenStack ---------------------------------------------------------------------


def _huawei_caller(rng: RandomSource, region: str) -> tuple[list[Account], dict[str, str]]:
    project, other = (rng.uuid().replace("-", "") for _ in range(2))
    own = Account(
        f"account-{rng.word(8)}",
        f"HW{rng.word(18)}",
        rng.word(40),
        user=f"guard-{rng.word(8)}",
        password=rng.word(20),
        domain=f"OTC-{rng.word(8)}",
        projects=[project],
        project_names={project: region},
    )
    peer = Account("account-peer", f"HW{rng.word(18)}", rng.word(40), projects=[other])
    env = {"HUAWEICLOUD_SDK_AK": own.key_id, "HUAWEICLOUD_SDK_SK": own.secret}
    if rng.chance(0.2):
        env = {
            "OS_USERNAME": own.user,
            "OS_PASSWORD": own.password,
            "OS_DOMAIN_NAME": own.domain,
        }
    elif rng.chance(0.8):
        env["HUAWEICLOUD_SDK_PROJECT_ID"] = project
    return [own, peer], env


def _huawei_quirks(rng: RandomSource, cloud: Cloud) -> bool:
    switches: Quirks = {
        "wrapped": True,
        "cascades": True,
        "page_max": rng.choice([1, 2, 3, 100]),
        "admin_down_ports": rng.part([i.id for i in cloud.interfaces], 0.3),
        "ignored_filters": rng.some(_FILTERS, 1, 3),
        "ignores_unknown_filters": True,
    }
    cloud.quirks = {key: switches[key] for key in rng.part(list(switches), 0.25)}
    if cloud.regions[0] == "eu-de":
        cloud.quirks["otc"] = True
        cloud.interfaces = [i for i in cloud.interfaces if i.kind != "supplementary"]
    elif rng.chance(0.1):
        cloud.quirks["v3_absent"] = True
        return True  # nothing lists supplementary interfaces then
    return False


_FILTERS = ("id", "security_groups", "remote_group_id", "object_id", "security_group_id")

HUAWEI = Kind(
    provider="huawei",
    regions=("cn-north-4", "cn-south-1"),
    group_id=RandomSource.uuid,
    instance_id=RandomSource.uuid,
    interface_id=RandomSource.uuid,
    caller=_huawei_caller,
    quirks=_huawei_quirks,
    actions=(
        "GET /v3/{project_id}/vpc/security-groups",
        "GET /v3/{project_id}/vpc/security-group-rules",
        "GET /v3/{project_id}/ports",
        "GET /v3/{project_id}/vpc/sub-network-interfaces",
        "GET /v2.0/*",
    ),
    products=("rds", "elb", "dcs", "nat"),
    interface_kinds=("secondary", "supplementary"),
    has_switch=True,
)


def _openstack_caller(rng: RandomSource, region: str) -> tuple[list[Account], dict[str, str]]:
    del region
    role = rng.choices(["member", "reader", "admin"], [55, 15, 30])[0]
    shop, other, admin = (rng.uuid().replace("-", "") for _ in range(3))
    home = admin if role == "admin" else shop
    own = Account(
        rng.word(32),
        user=f"user-{rng.word(8)}",
        password=rng.word(16),
        projects=[home],
        project_names={home: "home"},
        role=role,
        app_credentials={rng.word(32): rng.word(20)},
    )
    # What an administrator's own project is called does not matter: it sees all of them.
    others = [Account(rng.word(32), projects=[project]) for project in (shop, other)]
    env = {"OS_AUTH_URL": "http://cloud.example/identity"}
    if rng.chance(0.2):
        ((key, secret),) = own.app_credentials.items()
        env |= {
            "OS_APPLICATION_CREDENTIAL_ID": key,
            "OS_APPLICATION_CREDENTIAL_SECRET": secret,
        }
    else:
        env |= {
            "OS_USERNAME": own.user,
            "OS_PASSWORD": own.password,
            "OS_PROJECT_NAME": "home",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }
    return [own, *others], env


def _openstack_quirks(rng: RandomSource, cloud: Cloud) -> bool:
    switches: Quirks = {
        "page_max": rng.choice([1, 2, 3, 5]),
        "ignores_unknown_filters": True,
        "ignored_filters": rng.some(_FILTERS, 1, 3),
        "refused_filters": ["security_groups"],
        "unprotected_ports": rng.part([i.id for i in cloud.interfaces], 0.2),
    }
    cloud.quirks = {key: switches[key] for key in rng.part(list(switches), 0.25)}
    shared = [group for group in cloud.groups if group.shared_with]
    cloud.quirks["shared_by_admin"] = [group.id for group in shared if rng.chance(0.3)]
    by_policy = {group.id for group in shared} - set(cloud.quirks["shared_by_admin"])
    if not by_policy and rng.chance(0.1):
        cloud.quirks["rbac_absent"] = True
    return False


OPENSTACK = Kind(
    provider="openstack",
    regions=("RegionOne", "RegionTwo"),
    group_id=RandomSource.uuid,
    instance_id=RandomSource.uuid,
    interface_id=RandomSource.uuid,
    caller=_openstack_caller,
    quirks=_openstack_quirks,
    actions=(
        "GET /v2.0/security-groups",
        "GET /v2.0/security-group-rules",
        "GET /v2.0/ports",
        "GET /v2.0/rbac-policies",
    ),
    has_deny=False,
    has_foreign_rules=True,
)

KINDS = {kind.provider: kind for kind in (TENCENT, TENCENT_DFW, ALIBABA, HUAWEI, OPENSTACK)}
