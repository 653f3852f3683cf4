"""Assuming a role of another account (Sts 2015-04-01, AssumeRole).

Source: https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole
(read 2026-11).
"""

from __future__ import annotations

import re

import httpx

from sgguard.providers._roles import DURATION_S, SESSION, Role, Temporary
from sgguard.providers.access import Access
from sgguard.providers.alibaba.api import parse_response
from sgguard.providers.alibaba.endpoint import regions
from sgguard.providers.alibaba.response import PROVIDER
from sgguard.wire.acs3 import Acs3Auth, canonical_query
from sgguard.wire.shape import Shape

ACTION = "AssumeRole"
VERSION = "2015-04-01"

_ARN = re.compile(r"acs:ram::(?P<account>[0-9]+):role/[A-Za-z0-9./-]+")


def account_of(role: Role) -> str:
    """Return the number (AliUid) in the role's name.

    Raises:
        ValueError: it is no name of a role.
    """
    match = _ARN.fullmatch(role.name)
    if match is None or role.domain or role.domain_id:
        raise ValueError("acs:ram::1000000000000001:role/sgguard")
    return match["account"]


def assume(access: Access, role: Role) -> Temporary:
    """Assume the role; see :class:`~sgguard.providers._roles.Assuming`."""
    endpoint = access.endpoint("sts")
    regions(endpoint).check(access.region)
    auth = Acs3Auth(
        access.require_secret("ALIBABA_CLOUD_ACCESS_KEY_ID"),
        access.require_secret("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        access.secret("ALIBABA_CLOUD_SECURITY_TOKEN"),
        nonce=access.nonce,
        now=access.now,
    )
    asked = {
        "RoleArn": role.name,
        "RoleSessionName": SESSION,
        "DurationSeconds": str(DURATION_S),
        **({"ExternalId": role.external_id} if role.external_id else {}),
    }
    found: list[Temporary] = []

    def check(response: httpx.Response) -> None:
        found.append(_temporary(response))

    access.wire.read(
        "POST",
        f"{endpoint or 'https://sts.aliyuncs.com'}/?{canonical_query(asked.items())}",
        action=ACTION,
        check=check,
        auth=auth,
        headers={
            "accept": "application/json",
            "x-acs-action": ACTION,
            "x-acs-version": VERSION,
        },
    )
    return found[-1]


def _temporary(response: httpx.Response) -> Temporary:
    shape = Shape(PROVIDER, ACTION)
    body = parse_response(response, ACTION).fields
    key = shape.table(body.get("Credentials"), "Credentials")
    given = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": shape.text(key, "AccessKeyId", "Credentials"),
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": shape.text(key, "AccessKeySecret", "Credentials"),
        "ALIBABA_CLOUD_SECURITY_TOKEN": shape.text(key, "SecurityToken", "Credentials"),
    }
    return Temporary(given, shape.time_s(key, "Expiration", "Credentials"))
