"""Credentials of the role of a machine, from its cloud's metadata service.

Whoever reaches that service has them, so it is asked only where a setting names the role
(``SGGUARD_INSTANCE_ROLE_<PROVIDER>``), and never where an operator set credentials by hand. They
are read again before they end; while that fails the ones at hand are used to their end.

Sources: Tencent CVM "CAM role" (213/4934), Alibaba ECS "instance metadata" with a token (hardened
mode), Huawei ECS "securitykey" of the OpenStack API, with a token where the service knows them
(as ``huaweicloudsdkcore`` asks); read 2026-11-29.
"""

from __future__ import annotations

import http.client
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import quote, urlsplit

from sgguard.runtimes import credentials
from sgguard.runtimes.credentials import NAMES, Given
from sgguard.telemetry import logs
from sgguard.wire.clock import utc_s

Json = dict[str, Any]

SETTING = "SGGUARD_INSTANCE_ROLE_"
ADDRESSES = {
    "tencent": "http://metadata.tencentyun.com",
    "alibaba": "http://100.100.100.200",
    "huawei": "http://169.254.169.254",
}

_RENEWED_BEFORE_S = 600.0
_ASKED_AGAIN_S = 5.0
_TIMEOUT_S = 2.0
_MAX_BYTES = 65536
_TTL_S = "300"


class _UnusableError(Exception):
    """The service answered nothing that can be used."""


class _AbsentError(_UnusableError):
    """The service does not know the path or the method."""


_ABSENT = (http.client.NOT_FOUND, http.client.METHOD_NOT_ALLOWED)
_FAILURES = (
    *(OSError, http.client.HTTPException),
    *(ValueError, TypeError, LookupError, OverflowError, _UnusableError),
)


class Role:
    """The role of this machine at one cloud; safe for threads."""

    def __init__(
        self, cloud: str, name: str, address: str = "", now: Callable[[], float] = time.time
    ) -> None:
        self._cloud, self._name = cloud, name
        self._address = address or ADDRESSES[cloud]
        self._now = now
        self._lock = Lock()
        self._given: Given | None = None
        self._ends_at = 0.0
        self._asked_at = 0.0

    def current(self) -> Given | None:
        """Return credentials that hold now, None where there are none."""
        with self._lock:
            now = self._now()
            is_due = now >= self._ends_at - _RENEWED_BEFORE_S
            if is_due and now >= self._asked_at + _ASKED_AGAIN_S:
                self._asked_at = now
                self._renew()
            return self._given if now < self._ends_at else None

    def _renew(self) -> None:
        try:
            given, ends_at = _READERS[self._cloud](self._address, quote(self._name, safe=""))
            if not math.isfinite(ends_at):
                raise _UnusableError
        except _FAILURES as error:
            # The text may quote what was answered, which is what must not be told.
            kind = type(error).__name__
            logs.log(logging.WARNING, "no metadata", provider=self._cloud, error=kind)
        else:
            self._given, self._ends_at = given, ends_at


def with_roles(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the credentials of the roles that its settings name."""
    found = dict(env)
    for cloud, names in NAMES.items():
        role = env.get(f"{SETTING}{cloud.upper()}", "").strip()
        is_set_by_hand = any(
            env.get(name, "").strip() for name in (*names.by_hand, *names.of_runtime)
        )
        if role and not is_set_by_hand:
            found = credentials.environment(found, cloud, _role(cloud, role).current())
    return found


@lru_cache(maxsize=8)
def _role(cloud: str, name: str) -> Role:
    return Role(cloud, name)


def _tencent(address: str, role: str) -> tuple[Given, float]:
    path = f"/latest/meta-data/cam/security-credentials/{role}"
    found = _document(_ask(address, "GET", path))
    given = _whole(found, "TmpSecretId", "TmpSecretKey", "Token")
    return given, float(found["ExpiredTime"])


def _alibaba(address: str, role: str) -> tuple[Given, float]:
    asked_for = {"X-aliyun-ecs-metadata-token-ttl-seconds": _TTL_S}
    token = _ask(address, "PUT", "/latest/api/token", asked_for).decode().strip()
    path = f"/latest/meta-data/ram/security-credentials/{role}"
    found = _document(_ask(address, "GET", path, {"X-aliyun-ecs-metadata-token": token}))
    given = _whole(found, "AccessKeyId", "AccessKeySecret", "SecurityToken")
    return given, utc_s(found["Expiration"])


def _huawei(address: str, role: str) -> tuple[Given, float]:
    del role  # a machine has one agency, and the service names none
    token = _huawei_token(address)
    headers = {"X-Metadata-Token": token} if token else None
    found = _document(_ask(address, "GET", "/openstack/latest/securitykey", headers))["credential"]
    given = _whole(found, "access", "secret", "securitytoken")
    return given, utc_s(found["expires_at"])


def _huawei_token(address: str) -> str:
    """Return a token of the service; empty where it is of the first version, which has none."""
    asked_for = {"X-Metadata-Token-Ttl-Seconds": _TTL_S}
    try:
        return _ask(address, "PUT", "/meta-data/latest/api/token", asked_for).decode().strip()
    except _AbsentError:
        return ""


_READERS = {"tencent": _tencent, "alibaba": _alibaba, "huawei": _huawei}


def _whole(found: Json, *names: str) -> Given:
    parts = [found[name] for name in names]
    if not all(isinstance(one, str) and one for one in parts):
        raise _UnusableError
    return Given(*parts)


def _document(content: bytes) -> Json:
    found = json.loads(content)
    if not isinstance(found, dict) or found.get("Code", "Success") != "Success":
        raise _UnusableError
    return found


def _ask(address: str, method: str, path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Ask the service itself: no proxy, no redirect, little time."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        content = response.read(_MAX_BYTES + 1)
    finally:
        connection.close()
    if response.status in _ABSENT:
        raise _AbsentError
    if response.status != http.client.OK or len(content) > _MAX_BYTES:
        raise _UnusableError
    return content
