"""Assuming a role of another account (STS 2018-08-13, AssumeRole).

Source: https://www.tencentcloud.com/document/api/1150/49456 (read 2026-11).
"""

from __future__ import annotations

import json
import re

import httpx

from sgguard.providers._roles import DURATION_S, SESSION, Role, Temporary
from sgguard.providers.access import Access
from sgguard.providers.tencent.address import address_of
from sgguard.providers.tencent.api import parse_response
from sgguard.wire.shape import Shape
from sgguard.wire.tc3 import Tc3Auth

ACTION = "AssumeRole"
VERSION = "2018-08-13"

_ARN = re.compile(r"qcs::cam::uin/(?P<account>[0-9]+):role(Name)?/[\w+=,.@/-]+", re.ASCII)


def account_of(role: Role) -> str:
    """Return the number (uin) in the role's name.

    Raises:
        ValueError: it is no name of a role.
    """
    match = _ARN.fullmatch(role.name)
    if match is None or role.domain or role.domain_id:
        raise ValueError("qcs::cam::uin/100000000001:roleName/sgguard")
    return match["account"]


def assume(access: Access, role: Role) -> Temporary:
    """Assume the role; see :class:`~sgguard.providers._roles.Assuming`."""
    key_id = access.require_secret("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID")
    auth = Tc3Auth(
        key_id=key_id,
        secret=access.require_secret("TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECRETKEY"),
        service="sts",
        now=access.now,
        token=access.secret("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SESSIONTOKEN"),
    )
    asked = {"RoleArn": role.name, "RoleSessionName": SESSION, "DurationSeconds": DURATION_S}
    if role.external_id:
        asked["ExternalId"] = role.external_id
    shape = Shape(access.wire.provider, ACTION)
    found: list[Temporary] = []

    def check(response: httpx.Response) -> None:
        body = parse_response(response, shape, access.region)
        key = shape.table(body.get("Credentials"), "Credentials")
        given = {
            "TENCENTCLOUD_SECRET_ID": shape.text(key, "TmpSecretId", "Credentials"),
            "TENCENTCLOUD_SECRET_KEY": shape.text(key, "TmpSecretKey", "Credentials"),
            "TENCENTCLOUD_TOKEN": shape.text(key, "Token", "Credentials"),
        }
        found.append(Temporary(given, float(shape.integer(body, "ExpiredTime", "Response"))))

    access.wire.read(
        "POST",
        f"{address_of(access, 'sts')}/",
        action=ACTION,
        check=check,
        auth=auth,
        headers={
            "Content-Type": "application/json",
            "X-TC-Action": ACTION,
            "X-TC-Version": VERSION,
            "X-TC-Region": access.region,
            "X-TC-Language": "en-US",
        },
        content=json.dumps(asked).encode("ascii"),
    )
    return found[-1]
