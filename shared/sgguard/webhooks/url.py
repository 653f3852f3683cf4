"""What an address says by itself: judged letter by letter, before any name is looked up.

The grammar is small on purpose. Whatever two readers of URLs could understand differently
(backslashes, userinfo, other spellings of numbers, letters beyond ASCII, dots at the end) is
refused and not repaired, so that what was judged is what is called.
"""

from __future__ import annotations

import re

import msgspec

from sgguard import hiding
from sgguard.model.sentence import Text, listed, said
from sgguard.policy.callback import HTTPS, CallbackPolicy, problem_of_name

URL_MAX = 2048

_URL = re.compile(r"(https?)://([^/?#]*)((?:[/?][^#]*)?)", re.ASCII)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(.*))?", re.ASCII)
_PRINTABLE = re.compile(r"[!-~]*", re.ASCII)
_NEVER = re.compile(r"[\\\"<>^`{|}]")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_PORTS = 65536
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_USUAL = {"https": HTTPS, "http": 80}


@hiding("target")
class Endpoint(msgspec.Struct, frozen=True):
    """An address that may be called if all that its name resolves to may be.

    ``target`` is path and query, which may hold a secret. ``is_local`` is this machine, which the
    policy permits for tests.
    """

    scheme: str
    host: str
    port: int
    target: str
    is_local: bool = False

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them."""
        return self.host if self.port == _USUAL[self.scheme] else f"{self.host}:{self.port}"


class Refusal(msgspec.Struct, frozen=True):
    """Why an address is not called; ``expected`` is what would be right.

    ``is_final``: so it will be as long as the policy stays as it is. What a name resolves to may
    be another thing the next time.
    """

    why: Text
    expected: Text = ""
    is_final: bool = True


def judged(url: str, callbacks: CallbackPolicy) -> Endpoint | Refusal:
    """Return the address, or why it is refused; nothing of it is repeated but its host."""
    right = said("right.url", example="https://hooks.example.com/sgguard")
    if len(url) > URL_MAX:
        return Refusal(said("wrong.longer", most=URL_MAX), right)
    if not _PRINTABLE.fullmatch(url) or _NEVER.search(url):
        return Refusal(said("wrong.url-characters"), right)
    found = _URL.fullmatch(url)
    if found is None:
        return Refusal(said("wrong.url"), right)
    scheme, authority, rest = found.groups()
    if _PERCENT.search(rest):
        return Refusal(said("wrong.url-percent"), right)
    return _of_authority(scheme, authority, rest, callbacks)


def _of_authority(
    scheme: str, authority: str, rest: str, callbacks: CallbackPolicy
) -> Endpoint | Refusal:
    if "@" in authority:
        return Refusal(said("wrong.url-user"), said("right.host-alone"))
    found = _AUTHORITY.fullmatch(authority.lower())
    host, port = found.groups() if found else ("", None)
    number = _USUAL[scheme] if port is None else int(port) if _PORT.fullmatch(port) else 0
    if not 0 < number < _PORTS:
        return Refusal(said("wrong.url-port"), said("right.url-port"))
    target = rest if rest.startswith("/") else f"/{rest}"
    if callbacks.loopback and host in _LOCAL:
        return Endpoint(scheme, host, number, target, is_local=True)
    refused = _refused(scheme, host, number, callbacks)
    return refused or Endpoint(scheme, host, number, target)


def _refused(scheme: str, host: str, port: int, callbacks: CallbackPolicy) -> Refusal | None:
    """Return what the policy says against host, scheme and port; None where it permits them."""
    if why := problem_of_name(host):
        wrong = said("wrong.host", why=why)
        return Refusal(wrong, said("right.host", hosts=callbacks.permitted()))
    if not callbacks.permits(host):
        wrong = said("wrong.host-forbidden", host=host)
        return Refusal(wrong, said("right.permitted-host", hosts=callbacks.permitted()))
    if scheme != "https":
        return Refusal(said("wrong.not-https"), "https")
    if port not in (HTTPS, *callbacks.ports):
        wrong = said("wrong.port-forbidden", port=port)
        return Refusal(wrong, said("right.permitted-port", ports=listed((HTTPS, *callbacks.ports))))
    return None
