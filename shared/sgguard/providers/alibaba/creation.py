"""Creating a group like another one, without rules.

Members of a new basic group reach each other whatever its rules say. Where those of the original
group did not, that is set afterwards. If it cannot be set, the new group is deleted again: a group
that permits more than the original must not remain.

Source: CreateSecurityGroup and ModifySecurityGroupPolicy, alibabacloud.com/help/en/ecs, read
2026-11.
"""

from __future__ import annotations

import re
from functools import partial

from sgguard.errors import CloudError, NotFoundError
from sgguard.model.resource import Group
from sgguard.providers._shared import roll_back_creation
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.group import read_with_rules
from sgguard.providers.alibaba.response import ADVANCED, ISOLATED, KINDS, PROVIDER, required
from sgguard.providers.alibaba.rule_change import client_token, revoke
from sgguard.providers.alibaba.settle import until

_NAME_MAX = 128
_DESCRIPTION_MAX = 256
_TAGS_MAX = 20
_RESERVED_TAGS = ("aliyun", "acs:")
_TYPES = {kind: name for name, kind in KINDS.items()}
_ISOLATE = "ModifySecurityGroupPolicy"


def create_group(ecs: EcsClient, group: Group, token: str) -> str:
    """Create a group like this one, without any rule, and return its id.

    The documents name no rules that a new group is given; any there are, are revoked.

    Raises:
        LimitError: the region has as many groups as it may have.
        UnavailableError: it was created, could not be finished, and could not be deleted again.
        CloudError: the call was refused or failed.
    """
    # 1. Create the group; the token makes a repeated call return the same group.
    response = ecs.write("CreateSecurityGroup", _described(group) | client_token(token))
    group_id = required(response, response.fields, "SecurityGroupId")
    # 2. Wait until it is listed, and has no rule.
    until(ecs.wire, f"the new group {group_id}", lambda: _is_empty(ecs, group_id))
    # 3. Isolate its members where those of the original were. An advanced group isolates them by
    #    itself, and refuses the call.
    if group.kind != ADVANCED and ISOLATED in group.native:
        _isolate(ecs, group_id, token)
    return group_id


def _is_empty(ecs: EcsClient, group_id: str) -> bool:
    """Return whether the group is there and has no rule; revoke those it has."""
    try:
        rules = read_with_rules(ecs, group_id).rules or ()
    except NotFoundError:
        return False
    for rule in rules:
        revoke(ecs, group_id, rule, "")
    return not rules


def _isolate(ecs: EcsClient, group_id: str, token: str) -> None:
    """Keep the group's members from reaching each other without a rule, and wait until they do not.

    After a failure the group is deleted, and the error is raised as final: with the same token the
    cloud would return the id of the deleted group. When only the time is used up the group stays:
    the next creation with this token resumes with it.
    """
    name, value = ISOLATED
    own = client_token(f"{token}/{name}" if token else "")  # a token is valid for one call only
    try:
        ecs.write(_ISOLATE, {"SecurityGroupId": group_id, name: value, **own})
        until(
            ecs.wire,
            f"that members of {group_id} do not reach each other",
            lambda: ISOLATED in read_with_rules(ecs, group_id).native,
        )
    except CloudError as error:
        delete = partial(ecs.write, "DeleteSecurityGroup", {"SecurityGroupId": group_id})
        roll_back_creation(delete, group_id, error, _ISOLATE, PROVIDER)
        raise CloudError(
            PROVIDER,
            _ISOLATE,
            code=error.code,
            detail=f"group {group_id} was created, and deleted again: {error.detail or error}",
            status=error.status,
            request_id=error.request_id,
        ) from error


def _described(group: Group) -> dict[str, str]:
    """Return the group as the cloud takes it today; it may have accepted more in the past."""
    tags = [tag for tag in group.tags or () if not tag[0].startswith(_RESERVED_TAGS)][:_TAGS_MAX]
    all_params = {
        "SecurityGroupName": _name(group.name or ""),
        "Description": _description(group.description),
        "VpcId": group.network,
        "SecurityGroupType": _TYPES.get(group.kind or "", group.kind or ""),
        "ResourceGroupId": group.project,
    }
    params = {name: value for name, value in all_params.items() if value}
    for number, (key, value) in enumerate(tags, start=1):
        params |= {f"Tag.{number}.Key": key, f"Tag.{number}.Value": value}
    return params


def _name(name: str) -> str:
    """Return a name of 2 to 128 letters, digits and ``:_.-`` that begins with a letter."""
    fitting = re.sub(r"[^\w:.\-]", "-", name)
    if fitting.startswith(("http:", "https:")):
        fitting = fitting.replace(":", "-", 1)
    if fitting and (len(fitting) == 1 or not fitting[0].isalpha()):
        fitting = f"sg-{fitting}"
    return fitting[:_NAME_MAX]


def _description(text: str) -> str:
    is_taken = len(text) > 1 and not text.startswith(("http://", "https://"))
    return text[:_DESCRIPTION_MAX] if is_taken else ""
