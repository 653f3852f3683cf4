"""What every event source turns bytes into, and the strict JSON they share."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Literal, Protocol

import msgspec

from sgguard.errors import EventError, Problem
from sgguard.model.event import Event
from sgguard.model.occurrence import Happened
from sgguard.model.sentence import Item, Sentence, said
from sgguard.render.language.refusal import refusal

DeliveryMode = Literal["binary", "structured", "batched", "bare", "bus"]

MAX_DEPTH = 32


class Kind(msgspec.Struct, frozen=True):
    """What one function is asked about: its name (also of its schema) and its CloudEvent type.

    ``answer_type`` is that of the events it answers with. ``takes`` is what it is told of by the
    clouds' own events; a function that knows no other events has no type of its own.
    """

    name: str
    event_type: str
    answer_type: str = "sgguard.decision.v1"
    takes: frozenset[Happened] = frozenset()


class Delivery(msgspec.Struct, frozen=True):
    """What one HTTP request brought, in order; an event that cannot be read is its error.

    Mode ``bus`` is a batch of a cloud's own events: it is delivered again as a whole.
    """

    mode: DeliveryMode
    items: tuple[Event | EventError, ...]


class Confidence(IntEnum):
    """How sure a source is that a delivery is its own; the surest reads it."""

    NONE = 0
    FALLBACK = 1
    """It reads what no other source claims."""
    OWN = 2


class Source(Protocol):
    """A module of this package that reads one kind of delivery. Header names are lower case."""

    def claims(self, headers: Mapping[str, str]) -> Confidence:
        """Say from the headers alone whether the delivery is this source's."""
        ...

    def read(self, headers: Mapping[str, str], body: bytes, kind: Kind) -> Delivery:
        """Turn the delivery into events.

        Raises:
            EventError: nothing of it can be read.
        """
        ...


def media_type(content_type: str) -> str:
    """Return the media type in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Return whether a content type is JSON in UTF-8, the only JSON there is (RFC 8259)."""
    media = media_type(content_type)
    parameters = content_type.partition(";")[2].lower().replace('"', "").replace(" ", "")
    charset = next((p[8:] for p in parameters.split(";") if p.startswith("charset=")), "utf-8")
    is_utf8 = charset in ("utf-8", "utf8", "us-ascii")
    return is_utf8 and (media == "application/json" or media.endswith("+json"))


def unknown_format(path: str, expected: Item) -> EventError:
    """Return the error for a body that no source reads; ``path`` is what says its format.

    Its value is not repeated: it is a header, and headers are never sent back.
    """
    return refusal(
        EventError,
        said("unread.format", right=expected),
        status=415,
        problems=(Problem(path, said("wrong.format-or-utf8"), expected),),
    )


def parse_json(body: bytes) -> Any:
    """Return the JSON value of a body, strictly.

    Refused besides bad syntax: an empty body, bytes that are not UTF-8, a key that comes twice,
    NaN and infinities, half surrogates and more than 32 levels. Python's own parser takes all of
    them; another reader of the same event could understand something else.

    Raises:
        EventError: status 400; says what and where, never quoting the body.
    """
    if not body.strip():
        raise _not_json(said("wrong.empty"))
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise _not_json(said("wrong.not-utf8", byte=error.start)) from None
    except json.JSONDecodeError as error:
        found = said("wrong.not-json", line=error.lineno, column=error.colno)
        raise _not_json(found) from None
    except RecursionError:
        raise _not_json(said("wrong.nested")) from None
    except ValueError:
        # a number of more than 4,300 digits
        raise _not_json(said("wrong.number-too-large")) from None
    _check_value(value)
    return value


def _not_json(found: Sentence) -> EventError:
    problem = Problem("", found, said("right.json"))
    return refusal(EventError, said("unread.body", problem=found), problems=(problem,))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _not_json(said("wrong.key-twice"))
    return found


def _refuse_constant(_: str) -> None:
    raise _not_json(said("wrong.not-finite"))


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _not_json(said("wrong.not-finite"))
    return value


def _check_value(value: Any) -> None:
    """Refuse too many levels and texts that no UTF-8 answer could repeat, without recursion."""
    todo: list[tuple[Any, int]] = [(value, 1)]
    while todo:
        item, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise _not_json(said("wrong.nested-deeper", levels=MAX_DEPTH))
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, list):
            todo += ((child, depth + 1) for child in item)
        elif isinstance(item, dict):
            todo += ((key, depth) for key in item)
            todo += ((child, depth + 1) for child in item.values())


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _not_json(said("wrong.half-pair")) from None
