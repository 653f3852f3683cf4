"""The public keys of an issuer (RFC 7517), read from its address or from a file."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from sgguard import hiding
from sgguard.callers.base import Tools
from sgguard.callers.cache import Published
from sgguard.errors import KeysError

KEYS_MAX = 100
ID_MAX = 200
_TOKEN_MAX = 16 * 1024
_FITTING = {"RS256": ("RSA", None), "ES256": ("EC", "P-256")}


@hiding("jwk")
class PublicKey(msgspec.Struct, frozen=True):
    """One key that may sign: its id (empty without one), its algorithm, and what it is."""

    key_id: str
    algorithm: str
    jwk: Mapping[str, Any]


KeySet = tuple[PublicKey, ...]


def fitting(keys: KeySet, key_id: str | None, algorithm: str) -> PublicKey | None:
    """Return the key of that id and algorithm; without an id the only one of the algorithm."""
    found = [one for one in keys if one.algorithm == algorithm]
    if key_id is not None:
        found = [one for one in found if one.key_id == key_id]
    return found[0] if len(found) == 1 else None


class Issuers:
    """The key sets of a process, by where they are; may be dropped at any time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[tuple[str, ...], Published[KeySet]] = {}

    def published(self, proof: Mapping[str, Any], tools: Tools) -> Published[KeySet]:
        """Return the set of the caller's issuer, which is read at its first use."""
        names = ("jwks", "jwks_file", "ca_file", "jwks_token_file")
        place = tuple(str(proof.get(name, "")) for name in names)
        with self._guard:
            found = self._known.get(place)
            if found is None:
                found = Published(place[0] or place[1], lambda: load(proof, tools), tools.clock)
                self._known[place] = found
            # A place is the policy's, so there are as many as it names. What is fetched with are
            # the means of the request at hand: those of an earlier one may be gone.
            found.load = lambda: load(proof, tools)
            return found


ISSUERS = Issuers()


def load(proof: Mapping[str, Any], tools: Tools) -> KeySet:
    """Read the keys of an issuer.

    Raises:
        KeysError: they cannot be read, or there is none that can be used.
    """
    if "jwks_file" in proof:
        body = _file(proof["jwks_file"])
    else:
        headers = {"accept": "application/json"}
        if "jwks_token_file" in proof:
            token = _file(proof["jwks_token_file"])[:_TOKEN_MAX].decode("ascii", "replace").strip()
            headers["authorization"] = f"Bearer {token}"
        body = tools.fetch(proof["jwks"], proof.get("ca_file", ""), headers).body
    return parse(body)


def parse(body: bytes) -> KeySet:
    """Return the keys of a set that can be used; others in it are left out.

    Raises:
        KeysError: it is no key set, or has no key that can be used.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysError("what is there is not JSON") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > KEYS_MAX:
        raise KeysError("what is there is no key set")
    keys = tuple(one for entry in entries if (one := _key(entry)))
    if not keys:
        raise KeysError("the key set has no key that signs with RS256 or ES256")
    return keys


def _key(entry: object) -> PublicKey | None:
    """Return a key whose type, curve, use and algorithm agree; a shared secret is none."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    key_id = entry.get("kid", "")
    for algorithm, (kind, curve) in _FITTING.items():
        is_it = entry.get("kty") == kind and (curve is None or entry.get("crv") == curve)
        if is_it and entry.get("alg", algorithm) == algorithm:
            public = {name: entry[name] for name in _PARTS if isinstance(entry.get(name), str)}
            is_named = isinstance(key_id, str) and len(key_id) <= ID_MAX
            return PublicKey(key_id, algorithm, public) if is_named else None
    return None


_PARTS = ("kty", "crv", "n", "e", "x", "y")


def _file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise KeysError(f"the file {path} cannot be read: {error.strerror}") from None
