"""The last net under every text that leaves the process: configured secrets are taken out.

Texts of clouds and libraries may quote what we sent. They are not used where that is known; this
module is for where it is not. The values of secrets are remembered as they are read (the settings,
the credentials of an event, a token of Keystone), in the spellings in which a text may hold them,
and are replaced in every error, log line, document and stored row. Texts of clouds also lose what
stands in the headers and parameters that carry credentials, whatever its value.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
CHARACTERS_MIN = 8
"""A shorter secret is not taken out: it would be found inside of ordinary words."""

_KEPT_MAX = 256
_CHAT = "SGGUARD_CHAT_"
SECRET_VARIABLES = (
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "HUAWEICLOUD_SDK_SK",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_AUTH_TOKEN",
    "OS_PASSWORD",
    "OS_TOKEN",
    "TENCENTCLOUD_SECRETKEY",
    "TENCENTCLOUD_SECRET_KEY",
    "TENCENTCLOUD_SESSIONTOKEN",
    "TENCENTCLOUD_TOKEN",
)
"""Every variable that holds a secret of a cloud; a test compares them with those that are read."""

_CARRIERS = re.compile(
    r"""(?ix)
    \b(authorization | x-auth-token | x-subject-token | x-security-token | x-sdk-security-token
      | x-tc-token | x-acs-security-token | x-acs-signature | securitytoken | signature | cookie)
    (["']? \s* [:=] \s* ["']?)
    ((?: (?:TC3|ACS3|SDK|ACS|HMAC)-? [\w-]* \s+ | bearer \s+ | basic \s+ )? [^"'\r\n&]+)
    """
)

_guard = threading.Lock()
_spellings: dict[str, bool] = {}
"""Whether each is a secret as it is; its other spellings follow it, and are forgotten after it."""


def remember(*secrets: str) -> None:
    """Take these values out of every text from now on; the oldest of very many are forgotten."""
    new = [one for one in secrets if len(one) >= CHARACTERS_MIN and not _spellings.get(one)]
    if not new:
        return
    with _guard:
        for secret in new:
            for spelt in _spelt(secret):
                _spellings.setdefault(spelt, False)
            _spellings[secret] = True
        while len(_spellings) > _KEPT_MAX:
            del _spellings[next(iter(_spellings))]


def remember_environment(env: Mapping[str, str]) -> None:
    """Remember the secrets among these variables: of clouds, approvals, chats, the store."""
    remember(*(env[name].strip() for name in SECRET_VARIABLES if name in env))
    remember(*(key.strip() for key in env.get("SGGUARD_APPROVAL_KEY", "").split(",")))
    chat = [value for name, value in env.items() if name.startswith(_CHAT)]
    remember(*(one.strip() for value in chat for one in (value, *value.split(","))))
    collector = env.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",")
    remember(*(unquote(one.partition("=")[2].strip()) for one in collector))
    try:
        remember(urlsplit(env.get("SGGUARD_STORE", "")).password or "")
    except ValueError:
        return  # the setting is refused where it is read


def redacted(text: str) -> str:
    """Return the text without any remembered secret."""
    for spelt in tuple(_spellings):
        if spelt in text:
            text = text.replace(spelt, MASK)
    return text


def redacted_outside(text: str) -> str:
    """Return a text of a cloud without secrets, on one line, and safe to print.

    Control characters, escapes and marks that turn the direction of writing become spaces.
    """
    plain = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return _CARRIERS.sub(rf"\1\2{MASK}", redacted(plain))


def _spelt(secret: str) -> Iterator[str]:
    """Yield the secret as it is, and as JSON, addresses and base64 write it."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield html.escape(secret)
    yield base64.b64encode(secret.encode(errors="replace")).decode()
