"""JSON Web Tokens by an issuer whose keys are published: Kubernetes, Google, CI, gateways.

1. The token is looked at for what it claims: its issuer finds the callers it can be of.
2. The key comes from the issuer's set alone, by id and algorithm; whatever else a token says about
   keys (``jku``, ``jwk``, ``x5u``, ``x5c``) is not read.
3. PyJWT checks the signature with that key and that algorithm.
4. The claims are compared here: audience and sender both, for an audience alone proves nothing.

Source: RFC 7515, 7518, 7519, 8725 (read 2026-11).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt as pyjwt
import msgspec
from jwt.exceptions import PyJWTError

from sgguard import hiding
from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools, single
from sgguard.callers.jwks import ID_MAX, ISSUERS, PublicKey, fitting

LEEWAY_S = 60.0
AGE_MAX_S = 24 * 3600.0
LENGTH_MAX = 8192
BITS_MIN = 2048

_ALGORITHMS = ("RS256", "ES256")
_PARTS = 3
_SUBJECT_MAX = 512
_EPOCH_MAX = 1e12  # NaN is not less than it, either
_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


@hiding("text", "header", "claims")
class _Token(msgspec.Struct, frozen=True):
    text: str
    header: dict[str, Any]
    claims: dict[str, Any]


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check the token against the issuer's keys and the caller's claims."""
    text = _presented(proof, arrival)
    if text is None:
        return None
    token = _parsed(text)
    if token.claims.get("iss") != proof["issuer"]:
        raise RefusedError("the token's issuer is another one")
    # What can be refused without keys is: a stranger must not make us ask for them.
    algorithm, key_id = str(token.header.get("alg")), token.header.get("kid")
    if algorithm not in proof.get("algorithms", _ALGORITHMS):
        raise RefusedError("the token's algorithm is not accepted")
    if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= ID_MAX):
        raise RefusedError("the token's key id is no text")
    if not {"crit", "b64"}.isdisjoint(token.header):
        raise RefusedError("the token has extensions that are not known here")
    published = ISSUERS.published(proof, tools)
    keys = published.get(lambda keys: fitting(keys, key_id, algorithm) is not None)
    key = fitting(keys, key_id, algorithm)
    if key is None:
        raise RefusedError("the token's key is not one of the issuer's")
    if not _is_signed(token.text, key):
        raise RefusedError("the token's signature does not hold")
    return _claims(proof, token.claims, key_id or "", tools.now())


def _presented(proof: Mapping[str, Any], arrival: Arrival) -> str | None:
    """Return the token, None where there is none of this kind."""
    name = proof.get("header", "authorization").lower()
    value = arrival.header(name)
    if value is None or name != "authorization":
        return value
    scheme, _, text = value.partition(" ")
    return text if scheme.lower() == "bearer" and text.count(".") == _PARTS - 1 else None


def _parsed(text: str) -> _Token:
    """Return what the token says, strictly read; nothing of it is believed yet."""
    parts = text.split(".")
    if single(text) is None or len(text) > LENGTH_MAX or len(parts) != _PARTS:
        raise RefusedError("the token is no single token of three parts")
    if parts[-1] == _REMOVED:
        raise RefusedError(
            "Cloud Run removed the token's signature: behind its IAM, platform is the proof"
        )
    decoded = [_decoded(part) for part in parts]
    if any(one is None for one in decoded):
        raise RefusedError("the token is not base64url")
    try:
        header, claims = (json.loads(one or b"") for one in decoded[:2])
    except (ValueError, RecursionError):
        raise RefusedError("the token is not JSON") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise RefusedError("the token's parts are no objects")
    return _Token(text, header, claims)


def _decoded(part: str) -> bytes | None:
    """Return the bytes of a part that is written in the one canonical way."""
    try:
        found = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if base64.urlsafe_b64encode(found).rstrip(b"=").decode() == part else None


def _is_signed(text: str, key: PublicKey) -> bool:
    try:
        public = _key(key.algorithm, json.dumps(dict(key.jwk), sort_keys=True))
        pyjwt.PyJWS().decode_complete(text, public, algorithms=[key.algorithm])
    except (PyJWTError, ValueError, TypeError, KeyError):
        return False
    return True


@lru_cache(maxsize=64)
def _key(algorithm: str, jwk: str) -> Any:
    """Return the key object; making one costs more than a check with it."""
    public = pyjwt.get_algorithm_by_name(algorithm).from_jwk(jwk)
    if getattr(public, "key_size", BITS_MIN) < BITS_MIN and algorithm == "RS256":
        raise ValueError("the key is too short")
    return public


def _claims(
    proof: Mapping[str, Any], claims: Mapping[str, Any], key_id: str, now_s: float
) -> Found:
    """Compare everything that a token says with what is asked of it."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if proof["audience"] not in [one for one in audiences if isinstance(one, str)]:
        raise RefusedError("the token is for another audience")
    _require_now(claims, now_s)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_MAX:
        raise RefusedError("the token has no subject, or one that is too long")
    if not subject.isprintable():
        raise RefusedError("the token's subject has characters that no name has")
    if "subjects" in proof and subject not in proof["subjects"]:
        raise RefusedError("the token's subject is another one")
    if "emails" in proof:
        # An address that is not verified is whatever its owner typed.
        is_listed = claims.get("email") in proof["emails"]
        if not is_listed or claims.get("email_verified") is not True:
            raise RefusedError("the token's email is another one, or not verified")
        subject = claims["email"]
    for name, accepted in proof.get("claims", {}).items():
        value = claims.get(name)
        values = value if isinstance(value, list) else [value]
        if not any(isinstance(one, str) and one in accepted for one in values):
            raise RefusedError(f"the token's claim {name} is another one")
    return Held(key=key_id[:64], subject=subject)


def _require_now(claims: Mapping[str, Any], now_s: float) -> None:
    """Refuse a token that does not hold at this time."""
    times: dict[str, Any] = {"nbf": 0, **{name: claims.get(name) for name in ("exp", "iat")}}
    times |= {name: claims[name] for name in ("nbf",) if name in claims}
    if not all(_is_number(one) for one in times.values()):
        raise RefusedError("the token's times (exp, iat, nbf) are missing or no numbers")
    if now_s >= times["exp"] + LEEWAY_S:
        raise RefusedError("the token has expired", now_s - times["exp"])
    for name in ("iat", "nbf"):
        if times[name] - LEEWAY_S > now_s:
            raise RefusedError(f"the token's {name} is in the future", now_s - times[name])
    if now_s - times["iat"] > AGE_MAX_S + LEEWAY_S:
        raise RefusedError("the token was issued more than a day ago")


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and isinstance(value, int | float) and abs(value) < _EPOCH_MAX
