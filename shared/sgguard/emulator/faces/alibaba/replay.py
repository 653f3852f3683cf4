"""The ``ClientToken``: the same call again has the same answer and no further effect.

Only what succeeded is remembered. The same token with other parameters is refused.

Source: "How to ensure idempotence", alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sgguard.emulator.faces.alibaba.answers import RefusedError
from sgguard.emulator.faces.alibaba.call import Call

TOKEN_MAX = 64

_KNOWING = ("Authorize", "Revoke", "Create", "ModifySecurityGroupPolicy")
_EACH_TIME_ANOTHER = frozenset(
    {"Signature", "SignatureNonce", "Timestamp", "SecurityToken", "AccessKeyId"}
)


def once(call: Call, action: str, act: Callable[[Call], dict[str, Any]]) -> dict[str, Any]:
    """Act, or answer as the first time where the token was used for the same call before.

    Raises:
        RefusedError: the token is too long, or was used for another call.
    """
    token = call.params.get("ClientToken", "")
    if not token or not action.startswith(_KNOWING):
        return act(call)
    if len(token) > TOKEN_MAX or not token.isascii():
        raise RefusedError("InvalidParameter", "The specified ClientToken is not valid.")
    name = f"alibaba token {call.account.id} {token}"
    asked = (action, {k: v for k, v in call.params.items() if k not in _EACH_TIME_ANOTHER})
    if name in call.cloud.tokens:
        first, fields = call.cloud.tokens[name]
        if first != asked:
            why = "The request uses the same client token as a previous, but non-identical one."
            raise RefusedError("IdempotentParameterMismatch", why)
        return dict(fields)
    fields = act(call)
    call.cloud.tokens[name] = (asked, dict(fields))
    return fields
