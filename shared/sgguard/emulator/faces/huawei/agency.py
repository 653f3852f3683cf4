"""Temporary access keys of an agency, as Huawei Cloud's IAM gives them.

Source: https://support.huaweicloud.com/en-us/api-iam/iam_04_0101.html (read 2026-11).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx

from sgguard.emulator.session import Asked, NotAssumedError, assume
from sgguard.emulator.state import Account, Cloud

_DURATION_MIN_S, _DURATION_MAX_S = 900, 86400


def security_token(
    request: httpx.Request, cloud: Cloud, caller: Account, now: float
) -> httpx.Response:
    """Return the temporary access key of the agency that the body names."""
    try:
        identity = json.loads(request.content)["auth"]["identity"]
        wanted = identity["assume_role"]
        duration_s = int(wanted.get("duration_seconds", _DURATION_MIN_S))
        agency = str(wanted["agency_name"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(400, "Request parameters are wrong.", "Bad Request")
    is_in_range = _DURATION_MIN_S <= duration_s <= _DURATION_MAX_S
    if identity.get("methods") != ["assume_role"] or not is_in_range:
        return _error(400, "Request parameters are wrong.", "Bad Request")
    owner = _owner(cloud, wanted)
    try:
        asked = Asked(owner.id if owner else "", agency, duration_s=duration_s)
        return _answer(assume(cloud, caller, asked, now))
    except NotAssumedError as error:
        if error.is_unknown:
            return _error(404, f"Could not find agency: {agency}.", "Not Found")
        text = "You are not authorized to perform the requested action."
        return _error(403, text, "Forbidden")


def _answer(session: Account) -> httpx.Response:
    ends_at = datetime.fromtimestamp(session.ends_at_s, UTC)
    credential = {
        "access": session.key_id,
        "secret": session.secret,
        "securitytoken": session.token,
        "expires_at": ends_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return httpx.Response(201, json={"credential": credential})


def _owner(cloud: Cloud, wanted: dict[str, object]) -> Account | None:
    if domain_id := wanted.get("domain_id"):
        return next((one for one in cloud.accounts if one.id == domain_id), None)
    name = wanted.get("domain_name")
    return next((one for one in cloud.accounts if name and one.domain == name), None)


def _error(status: int, message: str, title: str) -> httpx.Response:
    body = {"error": {"code": status, "message": message, "title": title}}
    return httpx.Response(status, json=body)
