"""Creating a group in the emulated Alibaba Cloud ECS, and isolating its members.

A new group has no rules of its own, unless the quirk ``new_group_rules`` gives it one. Members of a
new basic group reach each other, those of an advanced group never do without a rule.

Source: CreateSecurityGroup and ModifySecurityGroupPolicy, alibabacloud.com/help/en/ecs and
help.aliyun.com, up to 2026-01. The codes by which the latter refuses an unknown policy and
an advanced group are not documented there: those two are guesses.
"""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

from sgguard.emulator.faces.alibaba.call import Call, numbered, require_unmanaged
from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.state import Group, Rule

GROUPS_MAX = 100
TAGS_MAX = 20

_TYPES = {"": "", "normal": "", "enterprise": "advanced"}
_NAME = re.compile(r"[^\W\d_][\w:.\-]{1,127}")
_RESERVED = ("aliyun", "acs:")
_DESCRIPTION_LENGTHS = range(2, 257)


def create_group(call: Call) -> dict[str, Any]:
    """Create a group in a VPC, or in the classic network where none is named."""
    kind = call.params.get("SecurityGroupType", "")
    network = call.params.get("VpcId", "")
    if kind not in _TYPES:
        raise RefusedError(
            "InvalidParams.GroupType", "The specified security group type is not valid."
        )
    if kind == "enterprise" and not network:
        message = "Only VPC instance supports enterprise level security group."
        raise RefusedError("InvalidParams.VpcIdGroupType", message)
    group = Group(
        id=f"sg-bp1{uuid4().hex[:17]}",
        name=_name(call),
        description=_description(call),
        region=call.params["RegionId"],
        account=call.account.id,
        project=call.params.get("ResourceGroupId", ""),
        network=network,
        kind=_TYPES[kind],
        tags=_tags(call),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(call.now)),
    )
    if sum(call.sees(one) for one in call.cloud.groups) >= call.cloud.limits.get(
        "groups-per-project", GROUPS_MAX
    ):
        message = "The maximum number of security groups is reached."
        raise RefusedError("QuotaExceed.SecurityGroup", message, 403)
    if call.cloud.quirks.get("new_group_rules"):
        group.rules.append(Rule("egress", f"sgr-bp1{uuid4().hex[:17]}", "any", cidr="0.0.0.0/0"))
    call.cloud.groups.append(group)
    return {"SecurityGroupId": group.id}


def modify_policy(call: Call) -> dict[str, Any]:
    """Set whether members of a basic group reach each other without a rule."""
    group = call.group(call.required("SecurityGroupId"))
    policy = call.required("InnerAccessPolicy").lower()
    if policy not in ("accept", "drop"):
        raise RefusedError("InvalidParameter", "The specified InnerAccessPolicy is not valid.")
    require_unmanaged(group)
    if group.kind == "advanced":
        raise RefusedError(
            "OperationDenied", "The policy of an advanced security group cannot be modified.", 403
        )
    group.isolated = policy == "drop"
    return {}


def _name(call: Call) -> str:
    name = call.params.get("SecurityGroupName", "")
    if name and (not _NAME.fullmatch(name) or name.startswith(("http:", "https:"))):
        message = "The specified parameter SecurityGroupName is not valid."
        raise RefusedError("InvalidSecurityGroupName.Malformed", message)
    return name


def _description(call: Call) -> str:
    text = call.params.get("Description", "")
    is_web = text.startswith(("http://", "https://"))
    if text and (len(text) not in _DESCRIPTION_LENGTHS or is_web):
        raise RefusedError(
            "InvalidDescription.Malformed", 'The specified parameter "Description" is not valid.'
        )
    return text


def _tags(call: Call) -> dict[str, str]:
    keys = numbered(call, "Tag", ".Key")
    if len(keys) > TAGS_MAX:
        raise RefusedError("QuotaExceed.Tags", "Too many tags.", 403)
    if len(set(keys)) < len(keys):
        raise RefusedError("Duplicate.TagKey", "The Tag.N.Key contain duplicate key.")
    if any(one.startswith(_RESERVED) for one in keys):
        raise RefusedError("InvalidTagKey.Malformed", "Specified tag key is not valid.")
    values = numbered(call, "Tag", ".Value")
    return dict(zip(keys, (*values, *[""] * len(keys)), strict=False))
