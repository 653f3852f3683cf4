"""The kinds of proof as security schemes, and what products get in place of our statuses."""

from __future__ import annotations

from typing import Any

from sgguard.callers.senders import SENDERS

Json = dict[str, Any]


def _header(name: str, description: str) -> Json:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


PROOFS: dict[str, Json] = {
    "bearer": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "a token that `sgguard callers new` printed; its hash is in the policy",
        }
    },
    "basic": {
        "basic": {"type": "http", "scheme": "basic", "description": "a user and its password"}
    },
    "header": {
        "header": _header("X-Api-Key", "a token in a header that the policy names, such as this")
    },
    "jwt": {
        "jwt": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "RS256 or ES256, of an issuer and for an audience that the policy names",
        }
    },
    "hmac": {
        "hmac-standard-webhooks": _header(
            "webhook-signature", "Standard Webhooks, with webhook-id and webhook-timestamp"
        ),
        "hmac-github": _header("X-Hub-Signature-256", "HMAC-SHA256 of the body"),
        "hmac-terraform": _header("X-TFC-Task-Signature", "HMAC-SHA512 of the body"),
    },
    "alibaba": {
        "alibaba": _header("X-EventBridge-Signature-V2", "EventBridge's signature V2 and its token")
    },
    "smn": {
        "smn": _header(
            "X-SMN-MESSAGE-TYPE", "the signature of Huawei SMN stands in the message, not here"
        )
    },
    "apig": {"apig": _header("Authorization", "SDK-HMAC-SHA256 of Huawei APIG, with X-Sdk-Date")},
    "xfcc": {
        "xfcc": _header("X-Forwarded-Client-Cert", "a client certificate, told by a trusted proxy")
    },
    "subject": {
        "subject": _header("X-Client-Subject", "a certificate's name, in a header of the policy")
    },
    "platform": {},
}
"""The security schemes of each kind of proof; a platform that lets nobody else in has none."""


def schemes() -> Json:
    """Return every security scheme by name."""
    return {name: scheme for some in PROOFS.values() for name, scheme in some.items()}


def required() -> list[Json]:
    """Return what an event must have: any one of the proofs.

    The empty one stands for a platform that proves the caller, and for a function on a loopback
    address that only observes.
    """
    return [{}, *({name: []} for name in schemes())]


def senders() -> Json:
    """Return for each product what it does with statuses."""
    return {
        name: {
            "repeats": sorted(one.repeats),
            "instead-of-again": one.again,
            "instead-of-never": one.never,
            "source": one.why,
        }
        for name, one in SENDERS.items()
    }
