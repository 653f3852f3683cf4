"""Reading the fields of a foreign event: only those that are asked for, each with its shape.

What is not asked for by name is never touched: that is how tokens, sessions, passwords and user
data stay outside. What is wrong is collected with its place, and never quoted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any

from sgguard.errors import EventError, Problem
from sgguard.events import moment
from sgguard.events.base import parse_json
from sgguard.model import person
from sgguard.model.sentence import Text, said
from sgguard.render.language.refusal import refusal
from sgguard.schemas import pointer

Json = dict[str, Any]

_NAME_MAX = 128
_ID = re.compile(r"(?:req-)?[0-9A-Fa-f]{8}[0-9A-Fa-f-]{8,64}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]{0,63}", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)
_IDS_MAX = 500

ANY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
"""An id of OpenStack or Huawei Cloud, which are UUIDs with or without hyphens, but for tests."""

ACCOUNT = re.compile(r"\d{5,20}", re.ASCII)
REGION = re.compile(r"[a-z]{2,6}(?:-[a-z0-9]{1,16}){1,4}", re.ASCII)


class Fields:
    """The fields of one object of an event, and what is wrong with those that were asked for."""

    def __init__(self, document: object, at: str) -> None:
        self._values: Json = document if isinstance(document, dict) else {}
        self._at = at
        self._problems: list[Problem] = []

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def missing(self, name: str, expected: Text) -> None:
        """Note that the field is not there, or is another thing than expected."""
        found = said("wrong.unusable" if self.has(name) else "wrong.missing")
        self._problems.append(Problem(self._at + pointer(name), found, expected))

    def word(self, name: str, expected: Text) -> str:
        """Return a text that must be there; it is compared with what is known, and never kept."""
        value = self._values.get(name)
        if isinstance(value, str) and value:
            return value
        self.missing(name, expected)
        return ""

    def shaped(self, name: str, shape: re.Pattern[str]) -> str:
        """Return a text or number of this shape; empty where it is absent or of another shape."""
        return text_of(self._values.get(name), shape)

    def at_s(self, name: str, zone: tzinfo = UTC) -> float | None:
        """Return the moment in a field that must be there; None and a problem where it is none."""
        found = moment.seconds(self._values.get(name), zone)
        if found is None:
            self.missing(name, said("right.moment"))
        return found

    def inner(self, name: str) -> Json:
        """Return an object, also one in a text of JSON; empty where it is absent or of no use."""
        value = self._values.get(name)
        if isinstance(value, str) and value.strip():
            try:
                value = parse_json(value.encode())
            except EventError:
                return {}
        return value if isinstance(value, dict) else {}

    def refuse(self, source: str) -> None:
        """Refuse the event if anything of it is missing.

        Raises:
            EventError: 422, with every problem.
        """
        if self._problems:
            message = said("unread.not-whole", source=source)
            raise refusal(EventError, message, status=422, problems=tuple(self._problems))


def text_of(value: object, shape: re.Pattern[str]) -> str:
    """Return a text or whole number of this shape; empty where it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**20 else ""
    return value if isinstance(value, str) and shape.fullmatch(value) else ""


def code_of(value: object) -> str:
    """Return an error code; one of a shape that no cloud uses is only said to be there."""
    return text_of(value, _CODE) or "unreadable"


def name_of(*candidates: object) -> str:
    """Return who asked: the first of the names that can be one.

    Where one is given and none can be shown it is its hash: a requester that is left out could
    approve what they asked for.
    """
    given = [str(one) for one in candidates if isinstance(one, str | int) and str(one).strip()]
    for one in given:
        if len(one) <= _NAME_MAX and one.isprintable() and not person.problem_of(one):
            return one
    return f"unreadable name {_digest(given[0])}" if given else ""


def operation_of(*ids: object) -> str:
    """Return the first id of an operation that is given; one that is no plain id is hashed."""
    for one in ids:
        text = str(one) if isinstance(one, str | int) and not isinstance(one, bool) else ""
        if text:
            return text if _ID.fullmatch(text) else f"sha256:{_digest(text)}"
    return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def ids(document: object, keys: Iterable[str], shape: re.Pattern[str]) -> tuple[str, ...]:
    """Return every id of this shape that stands under one of the keys, each once, in order.

    Keys are in lower case, without positions: ``networkinterface.securitygroupids`` is found as
    ``NetworkInterface.1.SecurityGroupIds.2``, as lists of objects, and as a list in a text.
    """
    wanted = frozenset(keys)
    found = dict.fromkeys(
        text
        for key, value in _leaves(document, ())
        if ".".join(key) in wanted and (text := text_of(value, shape))
    )
    return tuple(found)[:_IDS_MAX]


def _leaves(value: object, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every value with its key, without recursion: positions are no part of a key."""
    todo: list[tuple[object, tuple[str, ...]]] = [(value, key)]
    while todo:
        item, path = todo.pop()
        if isinstance(item, str) and item[:1] == "[" and path:
            item = _list_in(item)
        if isinstance(item, list):
            todo += ((one, path) for one in reversed(item))
        elif isinstance(item, Mapping):
            for name, one in reversed(list(item.items())):
                parts = (part for part in name.lower().split(".") if not _NUMBER.fullmatch(part))
                todo.append((one, (*path, *parts)))
        else:
            yield path, item


def _list_in(text: str) -> object:
    try:
        return parse_json(text.encode())
    except EventError:
        return text
