"""The security token service of Tencent Cloud (STS 2018-08-13): ``AssumeRole``.

Source: https://www.tencentcloud.com/document/api/1150/49456 (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sgguard.emulator.faces.tencent.call import Call
from sgguard.emulator.faces.tencent.error import RefusedError
from sgguard.emulator.session import Asked, NotAssumedError, assume

_ARN = re.compile(r"qcs::cam::uin/(?P<account>\d+):roleName/(?P<role>[\w+=,.@-]+)")
_SESSION = re.compile(r"[\w+=,.@-]{2,128}")
_DURATION_MAX_S = 43200


def assume_role(call: Call) -> dict[str, Any]:
    """Return temporary credentials of the role."""
    arn = _ARN.fullmatch(str(call.params.get("RoleArn", "")))
    if arn is None:
        raise RefusedError("InvalidParameter.ParamError", "`RoleArn` is malformed.")
    if not _SESSION.fullmatch(str(call.params.get("RoleSessionName", ""))):
        raise RefusedError("InvalidParameter.ParamError", "`RoleSessionName` is malformed.")
    duration_s = call.params.get("DurationSeconds", 7200)
    if not (isinstance(duration_s, int) and 0 < duration_s <= _DURATION_MAX_S):
        raise RefusedError("InvalidParameter.OverTimeError", "`DurationSeconds` is out of range.")
    asked = Asked(arn["account"], arn["role"], str(call.params.get("ExternalId", "")), duration_s)
    try:
        session = assume(call.cloud, call.account, asked, call.now)
    except NotAssumedError as error:
        if error.is_unknown:
            raise RefusedError("ResourceNotFound.RoleNotFound", "role not exist") from None
        raise RefusedError(
            "UnauthorizedOperation", "you are not authorized to perform operation (sts:AssumeRole)"
        ) from None
    ends_at_s = int(session.ends_at_s)
    return {
        "Credentials": {
            "Token": session.token,
            "TmpSecretId": session.key_id,
            "TmpSecretKey": session.secret,
        },
        "ExpiredTime": ends_at_s,
        "Expiration": datetime.fromtimestamp(ends_at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


ACTIONS: Mapping[str, Any] = {
    "AssumeRole": (
        assume_role,
        frozenset(
            {"RoleArn", "RoleSessionName", "DurationSeconds", "Policy", "ExternalId", "Tags"}
        ),
    )
}
"""The function and the parameter names of each action."""
