"""Temporary keys of another account's agency (IAM, ``OS-CREDENTIAL/securitytokens``).

Source: https://support.huaweicloud.com/en-us/api-iam/iam_04_0101.html (read 2026-11). The page of
the same call for users has ``Authorization`` (a signature) beside ``X-Auth-Token``.
"""

from __future__ import annotations

import json
import re

import httpx

from sgguard.providers._roles import DURATION_S, SESSION, Role, Temporary
from sgguard.providers.access import Access
from sgguard.providers.huawei.env import caller_of, iam_setting
from sgguard.providers.huawei.error import checker
from sgguard.providers.huawei.region import addresses_of, region_of
from sgguard.wire.client import parse_json
from sgguard.wire.shape import Shape

ACTION = "POST /v3.0/OS-CREDENTIAL/securitytokens"

_AGENCY = re.compile(r"[\w.-]{1,64}", re.ASCII)


def account_of(role: Role) -> str:
    """Return the id of the agency's account, where the settings tell it.

    Raises:
        ValueError: it is no name of an agency, or its account is not named once.
    """
    if not _AGENCY.fullmatch(role.name):
        raise ValueError("the name of an agency, such as sgguard")
    if bool(role.domain) == bool(role.domain_id):
        raise ValueError("an agency's name, and its account's as domain (or its id as domain_id)")
    if role.external_id:
        raise ValueError("an agency without external_id, which is a word of other clouds' roles")
    return role.domain_id


def assume(access: Access, role: Role) -> Temporary:
    """Assume the agency; see :class:`~sgguard.providers._roles.Assuming`."""
    region = region_of(access.region, addresses_of(access, iam_setting(access.secret)))
    caller = caller_of(access.secret, region, access.wire, access.now)
    auth = caller.auth("") if callable(caller.auth) else caller.auth
    whose = {"domain_id": role.domain_id} if role.domain_id else {"domain_name": role.domain}
    wanted = {
        **whose,
        "agency_name": role.name,
        "duration_seconds": DURATION_S,
        "session_user": {"name": SESSION},
    }
    body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": wanted}}}
    require_success = checker(access.wire.provider, ACTION)
    found: list[Temporary] = []

    def check(response: httpx.Response) -> None:
        require_success(response)
        found.append(_temporary(response, access.wire.provider))

    access.wire.read(
        "POST",
        f"{region.iam.removesuffix('/v3')}/v3.0/OS-CREDENTIAL/securitytokens",
        action=ACTION,
        check=check,
        auth=auth,
        headers={"Content-Type": "application/json;charset=utf8"},
        content=json.dumps(body).encode("ascii"),
    )
    return found[-1]


def _temporary(response: httpx.Response, provider: str) -> Temporary:
    shape = Shape(provider, ACTION)
    body = shape.table(parse_json(response, provider=provider, action=ACTION), "answer")
    key = shape.table(body.get("credential"), "credential")
    given = {
        "HUAWEICLOUD_SDK_AK": shape.text(key, "access", "credential"),
        "HUAWEICLOUD_SDK_SK": shape.text(key, "secret", "credential"),
        "HUAWEICLOUD_SDK_SECURITY_TOKEN": shape.text(key, "securitytoken", "credential"),
    }
    return Temporary(given, shape.time_s(key, "expires_at", "credential"))
