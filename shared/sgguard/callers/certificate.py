"""Signatures that are checked with a certificate of the sender's cloud.

Where a certificate is comes with the request, unsigned. So the caller of this module compares the
whole address with what it must be, and at most one address that is new is asked in ten seconds:
the part of it that varies could else be varied for ever.
"""

from __future__ import annotations

import base64
import binascii
import threading
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sgguard.callers.base import RefusedError, Tools
from sgguard.callers.cache import Published
from sgguard.errors import KeysError

BITS_MIN = 2048

_NEW_S = 10.0
_KEPT_MAX = 32
_SOUND = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

_Key = tuple[rsa.RSAPublicKey, hashes.HashAlgorithm]


def as_bytes(signature: str) -> bytes:
    """Return the bytes of a signature in base64.

    Raises:
        RefusedError: it is none.
    """
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("the signature is not base64") from None


class Certificates:
    """The certificates of a process, by address; may be dropped at any time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[str, Published[_Key]] = {}
        self._new_s = float("-inf")

    def verify(self, url: str, signature: bytes, texts: tuple[bytes, ...], tools: Tools) -> bool:
        """Return whether the signature is one of the texts', by the key at this address.

        Raises:
            KeysError: the certificate cannot be read now, or is none that may be used.
        """
        public, digest = self._published(url, tools).get(lambda _: True)
        for text in texts:
            try:
                public.verify(signature, text, padding.PKCS1v15(), digest)
            except InvalidSignature:
                continue
            return True
        return False

    def _published(self, url: str, tools: Tools) -> Published[_Key]:
        with self._guard:
            if found := self._known.get(url):
                return found
            now_s = tools.clock()
            if now_s - self._new_s < _NEW_S:
                raise KeysError("another certificate was asked for just now")
            self._new_s = now_s
            # Addresses that gave nothing make room: a stranger may name as many as it likes.
            if len(self._known) >= _KEPT_MAX:
                self._known = {url: one for url, one in self._known.items() if one.is_there}
            while len(self._known) >= _KEPT_MAX:
                del self._known[next(iter(self._known))]
            made = Published(url, lambda: _load(url, tools), tools.clock)
            self._known[url] = made
            return made


CERTIFICATES = Certificates()


def _load(url: str, tools: Tools) -> _Key:
    """Read a certificate (or a bare public key) and return its key and digest."""
    body = tools.fetch(url, "", {}).body
    try:
        if b"BEGIN PUBLIC KEY" in body:
            public, digest = serialization.load_pem_public_key(body), hashes.SHA256()
            return _sound(public, digest)
        certificate = x509.load_pem_x509_certificate(body)
        now = datetime.fromtimestamp(tools.now(), UTC)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise KeysError("the certificate is not valid at this time")
        return _sound(certificate.public_key(), certificate.signature_hash_algorithm)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeysError("what is there is no certificate that can be used") from None


def _sound(public: object, digest: object) -> _Key:
    is_strong = isinstance(public, rsa.RSAPublicKey) and public.key_size >= BITS_MIN
    if not (is_strong and isinstance(public, rsa.RSAPublicKey) and isinstance(digest, _SOUND)):
        raise KeysError("the certificate has no RSA key of 2048 bits, or an old digest")
    return public, digest
