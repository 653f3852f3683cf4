"""The security token service of Alibaba Cloud (Sts 2015-04-01): ``AssumeRole``.

Source: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
(read 2026-11).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sgguard.emulator.faces.alibaba.auth import forbidden, is_denied
from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.session import Asked, NotAssumedError, assume
from sgguard.emulator.state import Account, Cloud

VERSION = "2015-04-01"
ACTION = "AssumeRole"

_ARN = re.compile(r"acs:ram::(?P<account>\d+):role/(?P<role>[A-Za-z0-9.-]+)")
_SESSION = re.compile(r"[A-Za-z0-9.@_-]{2,64}")
_DURATION_MIN_S, _DURATION_MAX_S = 900, 3600


def assume_role(
    cloud: Cloud, account: Account, params: dict[str, str], now: float
) -> dict[str, Any]:
    """Return temporary credentials of the role.

    Raises:
        RefusedError: the role is not there, or does not trust the caller.
    """
    if is_denied(account, ACTION):
        raise forbidden()
    arn = _ARN.fullmatch(params.get("RoleArn", ""))
    if arn is None:
        raise RefusedError("InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
    if not _SESSION.fullmatch(params.get("RoleSessionName", "")):
        text = "The parameter RoleSessionName is wrongly formed."
        raise RefusedError("InvalidParameter.RoleSessionName", text)
    text = params.get("DurationSeconds", "3600")
    if not (text.isdecimal() and _DURATION_MIN_S <= int(text) <= _DURATION_MAX_S):
        text = "The Min/Max value of DurationSeconds is 15min/1hr."
        raise RefusedError("InvalidParameter.DurationSeconds", text)
    asked = Asked(arn["account"], arn["role"], params.get("ExternalId", ""), int(text))
    try:
        session = assume(cloud, account, asked, now)
    except NotAssumedError as error:
        if error.is_unknown:
            text = f"The role not exists: {params['RoleArn']}."
            raise RefusedError("EntityNotExist.Role", text, 404) from None
        text = "You are not authorized to do this action. You should be authorized by RAM."
        raise RefusedError("NoPermission", text, 403) from None
    return {
        "AssumedRoleUser": {
            "Arn": f"{params['RoleArn']}/{params['RoleSessionName']}",
            "AssumedRoleId": f"{session.key_id}:{params['RoleSessionName']}",
        },
        "Credentials": {
            "AccessKeyId": session.key_id,
            "AccessKeySecret": session.secret,
            "SecurityToken": session.token,
            "Expiration": datetime.fromtimestamp(int(session.ends_at_s), UTC).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
        },
    }
