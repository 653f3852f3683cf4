"""Where decisions may be sent to, and which keys sign them: the policy's table ``[callbacks]``.

The keys themselves are never here: the policy says where they are. The grammar of a host's name is
here, because the policy and an address that a request names must mean the same by it.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from sgguard import hiding
from sgguard.errors import Problem
from sgguard.model.sentence import Sentence, Text, listed, said

HTTPS = 443
WILDCARD = "*."

_NAME_MAX = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LAST = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LABELS_MIN = 2
_HERE = ("localhost", "localdomain", "local", "internal", "home.arpa", "in-addr.arpa", "ip6.arpa")
_METADATA = ("metadata.google.internal", "metadata.tencentyun.com", "metadata.goog")
_NEVER = (*_HERE, *_METADATA)


@hiding("keys")
class CallbackPolicy(msgspec.Struct, frozen=True):
    """Which hosts may be sent a decision, and with which keys it is signed.

    ``hosts`` are names, or ``*.`` and a name for every name below it. ``ports`` are permitted
    beside 443. ``keys`` say where keys are (``env`` or ``file``), the newest first; every one of
    them signs. ``refuse`` are networks that are never called, beside those that nobody may call.
    ``loopback`` permits http to this machine, for tests.
    """

    hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    keys: tuple[Mapping[str, str], ...] = ()
    refuse: tuple[str, ...] = ()
    loopback: bool = False

    def permits(self, host: str) -> bool:
        """Return whether a name in lower case is one of the hosts, or below one of them."""
        return any(
            host.endswith(one[1:]) if one.startswith(WILDCARD) else host == one
            for one in self.hosts
        )

    def permitted(self) -> Sentence:
        """Return what is permitted, as the answer to a refused request names it."""
        local = [said("right.localhost")] if self.loopback else []
        return listed([*self.hosts, *local]) if self.hosts or local else said("right.no-host")


def callbacks_of(document: Mapping[str, Any]) -> CallbackPolicy:
    """Return the table of a policy file that keeps the schema."""
    table = document.get("callbacks", {})
    return CallbackPolicy(
        hosts=tuple(one.lower() for one in table.get("hosts", ())),
        ports=tuple(map(int, table.get("ports", ()))),
        keys=tuple(MappingProxyType(dict(one)) for one in table.get("keys", ())),
        refuse=tuple(table.get("refuse", ())),
        loopback=table.get("loopback", False),
    )


def callback_mistakes(callbacks: CallbackPolicy) -> Iterator[Problem]:
    """Yield what keeps the schema and cannot be meant."""
    for number, host in enumerate(callbacks.hosts):
        name = host.removeprefix(WILDCARD)
        if why := problem_of_name(name):
            right = "a name such as hooks.example.com or *.example.com"
            yield Problem(f"/callbacks/hosts/{number}", why, right)
    for number, text in enumerate(callbacks.refuse):
        if network_of(text) is None:
            right = "a network such as 9.0.0.0/8"
            yield Problem(f"/callbacks/refuse/{number}", "is no network", right)
    if (callbacks.hosts or callbacks.loopback) and not callbacks.keys:
        right = 'where they are, such as keys = [{ env = "SGG_CALLBACK_KEY" }]'
        yield Problem(
            "/callbacks/keys", "is missing: no callback is sent without a signature", right
        )


def callback_words(callbacks: CallbackPolicy) -> Iterator[str]:
    """Yield what is permitted, one sentence a line."""
    if callbacks.hosts:
        ports = ", ".join(map(str, (HTTPS, *callbacks.ports)))
        yield f"Callbacks may go to {', '.join(callbacks.hosts)} (port {ports})."
    if callbacks.loopback:
        yield "Callbacks may go to this machine, without TLS: for tests alone."


def network_of(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return a network as the policy writes it; None where it is none."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def problem_of_name(name: str) -> Text:
    """Return why a host's name cannot be called, whatever it resolves to; empty where it can.

    The name is in lower case. It has two labels or more, and the last begins with a letter: what
    ends in a number is an IPv4 address in one of its many spellings (WHATWG URL, 3.5).
    """
    labels = name.split(".")
    if len(name) > _NAME_MAX or not all(map(_LABEL.fullmatch, labels[:-1])):
        return said("wrong.host-name")
    if not _LAST.fullmatch(labels[-1]):
        return said("wrong.host-end" if name.isascii() else "wrong.not-ascii")
    if any(name == one or name.endswith(f".{one}") for one in _NEVER):
        return said("wrong.host-inside")
    if len(labels) < _LABELS_MIN:
        return said("wrong.host-dotless")
    found: Iterator[Text] = filter(None, map(_problem_of_label, labels))
    return next(found, "")


def _problem_of_label(label: str) -> Text:
    """Return why a label that looks like an encoded one is refused (RFC 5890, 2.3.1)."""
    if label[2:4] != "--":
        return ""
    try:
        decoded = label[4:].encode().decode("punycode")
        again = decoded.encode("punycode").decode()
    except (ValueError, OverflowError):
        return said("wrong.host-label")
    # What other software would fold into another name is refused: it may ask for that one.
    is_plain = decoded == unicodedata.normalize("NFKC", decoded).lower() and decoded.isprintable()
    if label[:2] != "xn" or again != label[4:] or decoded.isascii() or not is_plain:
        return said("wrong.host-label")
    return ""


def refused_networks(
    callbacks: CallbackPolicy,
) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the networks that this policy refuses beside the usual ones."""
    return [one for text in callbacks.refuse if (one := network_of(text)) is not None]
