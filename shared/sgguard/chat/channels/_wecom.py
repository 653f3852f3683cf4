"""The envelope of WeCom's callbacks: XML around AES, and XML inside.

Source: developer.work.weixin.qq.com path/90968 (encryption), 90241 (answers), 2026-11-28.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import struct
from collections.abc import Mapping
from xml.parsers import expat
from xml.sax.saxutils import escape

from sgguard.chat import base, cipher, proof
from sgguard.chat.base import Reply, Setup
from sgguard.errors import EventError, SettingsError
from sgguard.wire.clock import EpochClock

_PADDING = 32
_RANDOM_BYTES, _LENGTH_BYTES, _AES_KEY = 16, 4, 32
_DEPTH_MAX = 8


def signature(token: str, timestamp: str, nonce: str, secret: str) -> str:
    """Return hex SHA-1 of the parts, sorted and put together."""
    text = "".join(sorted((token, timestamp, nonce, secret)))
    # WeCom's own scheme; what authorises is the token in the button.
    return hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


def _keys(setup: Setup) -> list[bytes]:
    found = []
    for one in setup.every("KEY"):
        try:
            key = base64.b64decode(one + "=", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _AES_KEY:
            variable = base.variable_of(setup.config.name, "KEY")
            raise SettingsError(f"{variable}: expected the 43 characters of an EncodingAESKey")
        found.append(key)
    return found


def decrypted(text: str, setup: Setup) -> bytes:
    """Return the message: 16 random bytes, its length, itself, and the company it is for."""
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise proof.forged() from None
    for key in _keys(setup):
        try:
            plain = cipher.decrypt(key, key[:16], secret, padding=_PADDING)
        except EventError:
            continue
        head = _RANDOM_BYTES + _LENGTH_BYTES
        if len(plain) < head:
            continue
        (length,) = struct.unpack(">I", plain[_RANDOM_BYTES:head])
        message, company = plain[head : head + length], plain[head + length :]
        is_ours = bool(setup.config.tenant) and company == setup.config.tenant.encode()
        if len(message) == length and is_ours:
            return message
    raise proof.forged()


def reply(kind: str, inner: str, user: str, setup: Setup, now: EpochClock) -> Reply:
    """Return a passive answer of a kind, encrypted and signed."""
    timestamp, nonce = str(int(now())), os.urandom(8).hex()
    content = element(
        "xml",
        element("ToUserName", text_of(user))
        + element("FromUserName", text_of(setup.config.tenant))
        + element("CreateTime", timestamp)
        + element("MsgType", text_of(kind))
        + inner,
    ).encode(errors="replace")
    key = _keys(setup)[0]
    length = struct.pack(">I", len(content))
    plain = os.urandom(_RANDOM_BYTES) + length + content + setup.config.tenant.encode()
    sealed = base64.b64encode(cipher.encrypt(key, key[:16], plain, padding=_PADDING)).decode()
    made = signature(setup.one("TOKEN"), timestamp, nonce, sealed)
    envelope = element(
        "xml",
        element("Encrypt", text_of(sealed))
        + element("MsgSignature", text_of(made))
        + element("TimeStamp", timestamp)
        + element("Nonce", text_of(nonce)),
    )
    return Reply(envelope.encode(), "application/xml; charset=utf-8")


def element(name: str, content: str) -> str:
    """Return an element; its content is XML already."""
    return f"<{name}>{content}</{name}>"


def text_of(text: str) -> str:
    """Return a text as XML: escaped, which no text can leave, unlike a section of CDATA."""
    return escape(text)


def encrypted(body: bytes) -> str:
    """Return what an envelope encloses; empty where it has none."""
    return fields_of(body).get("Encrypt", "")


def key_of(fields: Mapping[str, str]) -> str:
    """Return what names a callback, also when WeCom sends it again; empty where nothing does."""
    if "MsgId" in fields:
        return fields["MsgId"]
    if "CreateTime" not in fields:
        return ""
    parts = [fields.get(one, "") for one in ("FromUserName", "CreateTime", "TaskId", "EventKey")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def fields_of(body: bytes) -> dict[str, str]:
    """Return the elements below the root, by name; a document with a DOCTYPE is refused."""
    parser, found, path = expat.ParserCreate("UTF-8"), {}, []
    texts: list[str] = []

    def start(name: str, _: object) -> None:
        path.append(name)
        texts.clear()
        if len(path) > _DEPTH_MAX:
            raise proof.unreadable()

    def end(name: str) -> None:
        if len(path) == 2:  # noqa: PLR2004 - the root and one below it
            if name in found:
                raise proof.unreadable()
            found[name] = "".join(texts)
        path.pop()

    def refuse(*_: object) -> None:
        raise proof.unreadable()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = texts.append
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError:
        raise proof.unreadable() from None
    return found
