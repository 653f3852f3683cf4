"""The channels of the policy: where messages go, in which language, and who a chat user is.

``[[channel]]`` names a chat and maps its users to people; ``[[route]]`` says which decisions go to
which channels. Secrets are never here: they are in the environment.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from sgguard import lazy
from sgguard.errors import Problem
from sgguard.model import person

if TYPE_CHECKING:
    import zoneinfo
else:
    zoneinfo = lazy("zoneinfo")  # only a policy with channels has zones

_MATCHED = ("provider", "account", "region", "name", "tag")
_FOLDER = Path(__file__).parents[1] / "chat" / "channels"


@lru_cache(maxsize=1)
def kinds() -> tuple[str, ...]:
    """Return the kinds of channel there are, without importing any.

    None where no channel's code is, as in the artifact of a function that sends nothing itself:
    there any kind may be named, and whoever packages the policy or sends has looked.
    """
    found = (one.name for one in pkgutil.iter_modules([str(_FOLDER)]))
    return tuple(sorted(name for name in found if not name.startswith("_")))


class ChannelPolicy(msgspec.Struct, frozen=True):
    """One chat. ``users`` maps the channel's own user ids to names of people.

    ``way`` is ``app`` (a bot, with buttons where the channel has them) or ``webhook`` (messages
    out only). ``tenant`` is the workspace, tenant or company whose users count. ``reader`` is the
    one person who reads a chat without buttons: only then a link to decide is sent there.
    ``link`` is where the whole of a decision can be read, with ``{decision_id}`` in it.

    ``per_minute`` and ``per_month`` (31 days) are the most messages; 0: what the vendor documents.
    Of messages that ask nothing, more than ``digest_over`` that wait, and those that waited longer
    than ``stale_s`` seconds, become one.
    """

    name: str
    kind: str
    way: str = "webhook"
    language: str = "en"
    zone: str = "UTC"
    chat: str = ""
    tenant: str = ""
    app: str = ""
    template: str = ""
    reader: str = ""
    link: str = ""
    commands: str = "users"
    per_minute: int = 0
    per_month: int = 0
    digest_over: int = 10
    stale_s: int = 3600
    users: Mapping[str, str] = msgspec.field(default_factory=dict)

    def person(self, user: str) -> str:
        """Return the name of the person behind a user of the channel; empty: nobody."""
        return self.users.get(user, "") if user else ""


class Route(msgspec.Struct, frozen=True):
    """Which decisions go to ``channels``: every pattern must fit, an empty list fits all.

    ``is_default``: it takes what no other route took. A question that nobody answered for
    ``escalate_after_s`` seconds goes to the channels of ``escalate`` as well.
    """

    channels: tuple[str, ...]
    provider: str = "*"
    account: str = "*"
    region: str = "*"
    name: str = "*"
    tag: str = "*"
    verdict: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    is_default: bool = False
    escalate: tuple[str, ...] = ()
    escalate_after_s: int = 3600


def channels_of(document: Mapping[str, Any]) -> tuple[ChannelPolicy, ...]:
    """Return the channels of a policy file that keeps the schema."""
    return tuple(
        ChannelPolicy(**{**one, "users": MappingProxyType(dict(one.get("users", {})))})
        for one in document.get("channel", ())
    )


def routes_of(document: Mapping[str, Any]) -> tuple[Route, ...]:
    """Return the routes of a policy file that keeps the schema."""
    return tuple(Route(**_route(one)) for one in document.get("route", ()))


def _route(entry: Mapping[str, Any]) -> dict[str, Any]:
    lists = ("channels", "verdict", "outcome", "escalate")
    return {
        "is_default" if key == "default" else key: tuple(value) if key in lists else value
        for key, value in entry.items()
    }


def routed(routes: Sequence[Route], document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the channels that a decision goes to, each once, in the order written.

    The default routes count where no other fits.
    """
    return tuple(dict.fromkeys(name for one in fitting(routes, document) for name in one.channels))


def fitting(routes: Sequence[Route], document: Mapping[str, Any]) -> list[Route]:
    """Return the routes that a decision takes; the default ones where no other fits."""
    found = [one for one in routes if not one.is_default and _fits(one, document)]
    return found or [one for one in routes if one.is_default and _fits(one, document)]


def escalated(routes: Sequence[Route], document: Mapping[str, Any]) -> dict[str, int]:
    """Return the channels that get a question nobody answers, and after how many seconds."""
    found: dict[str, int] = {}
    for one in fitting(routes, document):
        for name in one.escalate:
            found[name] = min(one.escalate_after_s, found.get(name, one.escalate_after_s))
    return found


def _fits(route: Route, document: Mapping[str, Any]) -> bool:
    if route.verdict and document["verdict"] not in route.verdict:
        return False
    if route.outcome and document["outcome"] not in route.outcome:
        return False
    # One group that fits is enough: a message too many is better than one that is missing.
    parts = [target.split(":") for target in document["target"]]
    is_place = any(
        fnmatchcase(one[0], route.provider)
        and fnmatchcase(one[1], route.account)
        and fnmatchcase(one[2], route.region)
        for one in parts
    )
    return is_place and _fits_group(route, document["facts"]["groups"])


def _fits_group(route: Route, groups: Sequence[Mapping[str, Any]]) -> bool:
    if route.name == route.tag == "*":
        return True
    return any(
        # What is not told may be anything.
        (one["name"] is None or fnmatchcase(one["name"], route.name))
        and (
            route.tag == "*"
            or one["tags"] is None
            or any(fnmatchcase(f"{t['key']}={t['value']}", route.tag) for t in one["tags"])
        )
        for one in groups
    )


def channel_mistakes(
    channels: Sequence[ChannelPolicy], routes: Sequence[Route]
) -> Iterator[Problem]:
    """Yield what keeps the schema and cannot be meant."""
    names = [one.name for one in channels]
    variables = [name.replace("-", "_") for name in names]
    for number, one in enumerate(channels):
        where = f"/channel/{number}"
        if variables[number] in variables[:number]:
            yield Problem(f"{where}/name", f"{one.name} is named before", "a name of its own")
        yield from _of_channel(where, one)
    for number, route in enumerate(routes):
        for key, given in (("channels", route.channels), ("escalate", route.escalate)):
            for name in given:
                if name not in names:
                    right = f"one of {', '.join(names)}" if names else "a [[channel]] of this name"
                    yield Problem(f"/route/{number}/{key}", f"has no channel {name}", right)


def _of_channel(where: str, one: ChannelPolicy) -> Iterator[Problem]:
    if kinds() and one.kind not in kinds():
        yield Problem(f"{where}/kind", "is no kind of channel", f"one of {', '.join(kinds())}")
    if one.users and not one.tenant:
        right = "the workspace, tenant or company whose users these are"
        yield Problem(f"{where}/tenant", "is missing beside users", right)
    if not _is_zone(one.zone):
        yield Problem(f"{where}/zone", "is no time zone", "a zone such as Asia/Shanghai")
    for user, name in one.users.items():
        if found := person.problem_of(name):
            yield Problem(f"{where}/users/{user}", found, "a name that can be read")


def channel_words(channels: Sequence[ChannelPolicy], routes: Sequence[Route]) -> Iterator[str]:
    """Yield what the channels are, one sentence a line."""
    for one in channels:
        people = ", ".join(dict.fromkeys(one.users.values())) or "nobody"
        yield f"Channel {one.name} ({one.kind}, {one.way}, {one.language}): {people} may act there."
    for route in routes:
        patterns = (
            f"{key} {getattr(route, key)}" for key in _MATCHED if getattr(route, key) != "*"
        )
        only = [*patterns, *route.verdict, *route.outcome] or ["every decision"]
        other = "what no other route takes: " if route.is_default else ""
        yield f"Route to {', '.join(route.channels)}: {other}{', '.join(only)}."
        if route.escalate:
            to, after_s = ", ".join(route.escalate), route.escalate_after_s
            yield f"A question of it that nobody answers in {after_s} s goes to {to} as well."


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True
