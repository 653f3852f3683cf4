"""AES-256-CBC with PKCS#7, as Lark and WeCom encrypt their callbacks.

``cryptography`` comes with the extra ``chat``; it is imported only where a callback is encrypted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgguard import lazy
from sgguard.chat import proof
from sgguard.errors import SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import ciphers
    from cryptography.hazmat.primitives.ciphers import algorithms, modes
else:
    ciphers = lazy("cryptography.hazmat.primitives.ciphers")
    algorithms = lazy("cryptography.hazmat.primitives.ciphers.algorithms")
    modes = lazy("cryptography.hazmat.primitives.ciphers.modes")

_AES_BLOCK = 16


def decrypt(key: bytes, iv: bytes, secret: bytes, *, padding: int) -> bytes:
    """Return the plain bytes; ``padding`` is the block size of the padding, in bytes.

    Raises:
        EventError: 403 it was not encrypted with this key.
        SettingsError: ``cryptography`` is not installed.
    """
    if not secret or len(secret) % _AES_BLOCK:
        raise proof.forged()
    worker = _cipher(key, iv).decryptor()
    plain = worker.update(secret) + worker.finalize()
    count = plain[-1]
    if not 1 <= count <= padding or plain[-count:] != bytes([count]) * count:
        raise proof.forged()
    return plain[:-count]


def encrypt(key: bytes, iv: bytes, plain: bytes, *, padding: int) -> bytes:
    """Return the encrypted bytes of :func:`decrypt`.

    Raises:
        SettingsError: ``cryptography`` is not installed.
    """
    count = padding - len(plain) % padding
    worker = _cipher(key, iv).encryptor()
    return worker.update(plain + bytes([count]) * count) + worker.finalize()


def _cipher(key: bytes, iv: bytes) -> ciphers.Cipher[modes.CBC]:
    try:
        return ciphers.Cipher(algorithms.AES(key), modes.CBC(iv))
    except ImportError:
        raise SettingsError("encrypted callbacks need `pip install sgguard[chat]`") from None
