"""The tokens of a Kubernetes cluster: who signs them, and with which keys they are proven."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.deploy.platforms import state

ISSUER = "https://kubernetes.default.svc"
OF_SERVICE_ACCOUNT = "token-of-the-service-account"
_KID = "k-1"


def _key() -> rsa.RSAPrivateKey:
    place = state.STATE / "cluster.pem"
    if not place.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        place.write_bytes(made.private_bytes(*form, serialization.NoEncryption()))
    found = serialization.load_pem_private_key(place.read_bytes(), None)
    assert isinstance(found, rsa.RSAPrivateKey)
    return found


def keys() -> dict[str, Any]:
    """Return the public keys as a JWK set."""
    one = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_key().public_key()))
    return {"keys": [{**one, "kid": _KID, "use": "sig", "alg": "RS256"}]}


def token(account: str, audience: str) -> str:
    """Return a token of a service account (``namespace:name``) for one audience."""
    now_s = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": [audience],
        "sub": f"system:serviceaccount:{account}",
        "iat": now_s,
        "exp": now_s + 3600,
    }
    return jwt.encode(claims, _key(), algorithm="RS256", headers={"kid": _KID})


def subject(text: str, audience: str) -> str:
    """Return whose token it is; an error where it is for another audience."""
    claims = jwt.decode(text, _key().public_key(), algorithms=["RS256"], audience=audience)
    return str(claims["sub"])
