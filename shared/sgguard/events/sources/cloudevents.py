"""CloudEvents 1.0 over HTTP: binary, structured and batched, read to the letter.

Both generations of the official SDK accept events this module refuses (a missing id, an undecoded
header, broken JSON as bytes), and neither reads batches. An id that is made up here would make a
repeated delivery look new, so a missing one is an error.

Source: https://github.com/cloudevents/spec (spec.md, bindings/http-protocol-binding.md,
formats/json-format.md, 1.0.2), read 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from sgguard.errors import EventError, Problem
from sgguard.events.base import (
    Confidence,
    Delivery,
    Kind,
    is_json,
    media_type,
    parse_json,
    unknown_format,
)
from sgguard.model.event import Event
from sgguard.schemas import pointer

MAX_BATCH = 100
MAX_PROBLEMS = 20

_STRUCTURED = "application/cloudevents"
_BATCHED = "application/cloudevents-batch"
_REQUIRED = ("id", "source", "specversion", "type")
_DATA = ("data", "data_base64")

_NAME = re.compile(r"[a-z0-9]+")
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
# Forbidden in attribute values (spec.md, "String"); half surrogates are refused with the JSON.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
# Possessive: many quotes that are not closed would else be tried from each of them to the end.
_BALANCED = re.compile(r'(?:[^"]|"(?:[^"\\]|\\.)*+")*+')
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_INT32 = range(-(2**31), 2**31)


def claims(headers: Mapping[str, str]) -> Confidence:
    """Claim what the content type or a ``ce-`` header says is a CloudEvent."""
    is_event = media_type(headers.get("content-type", "")).startswith(_STRUCTURED)
    return (
        Confidence.OWN if is_event or any(n.startswith("ce-") for n in headers) else Confidence.NONE
    )


def read(headers: Mapping[str, str], body: bytes, kind: Kind) -> Delivery:
    """Turn the delivery into events; the content type alone decides how it is encoded.

    Raises:
        EventError: 400 not a CloudEvent, 413 too many in a batch, 415 not in JSON, 422 of
            another type than this function's.
    """
    content_type = headers.get("content-type", "")
    media = media_type(content_type)
    if media.startswith(_BATCHED):  # before its own prefix
        _require_json(content_type, f"{_BATCHED}+json")
        return _batched(parse_json(body), kind)
    if media.startswith(_STRUCTURED):
        _require_json(content_type, f"{_STRUCTURED}+json")
        return Delivery("structured", (_structured(parse_json(body), kind, ""),))
    return Delivery("binary", (_binary(headers, body, kind),))


def _batched(document: Any, kind: Kind) -> Delivery:
    if not isinstance(document, list):
        raise EventError("a batch is a JSON list", problems=(Problem("", "is no list"),))
    if len(document) > MAX_BATCH:
        raise EventError(
            f"a batch of {len(document)} events is too large: send at most {MAX_BATCH}", status=413
        )
    items: list[Event | EventError] = []
    for n, item in enumerate(document):
        try:
            items.append(_structured(item, kind, f"/{n}"))
        except EventError as error:
            items.append(error)
    return Delivery("batched", tuple(items))


def _structured(document: Any, kind: Kind, at: str) -> Event:
    if not isinstance(document, dict):
        raise _invalid([Problem(at, "is no object", "a CloudEvent")])
    # A member that is null is one that is not there (json-format.md, 2.2).
    members = {name: value for name, value in document.items() if value is not None}
    attributes = {name: value for name, value in members.items() if name not in _DATA}
    _check(attributes, lambda name: at + pointer(name), kind)
    data, where = _data(members, at)
    at_s = _at_s(attributes)
    return Event(str(attributes["id"]), data, str(attributes["source"]), where, at_s)


def _data(members: Mapping[str, Any], at: str) -> tuple[object, str]:
    given = [name for name in _DATA if name in members]
    if len(given) != 1:
        found = "are given both" if given else "is missing"
        raise _invalid([Problem(f"{at}/data", found, "the request, as JSON in data")])
    if given == ["data"]:
        return members["data"], f"{at}/data"
    try:
        decoded = base64.b64decode(members["data_base64"], validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _invalid([Problem(f"{at}/data_base64", "is not base64", "base64 of JSON")]) from None
    return parse_json(decoded), f"{at}/data_base64"


def _binary(headers: Mapping[str, str], body: bytes, kind: Kind) -> Event:
    content_type = headers.get("content-type", "")
    if content_type:
        _require_json(content_type, "application/json")
    attributes: dict[str, Any] = {}
    problems: list[Problem] = []
    for header, value in headers.items():
        if not header.startswith("ce-"):
            continue
        name = header.removeprefix("ce-")
        try:
            attributes[name] = decode_header(value)
        except ValueError as error:
            problems.append(Problem(header, str(error), "percent-encoded UTF-8"))
    if "datacontenttype" in attributes:
        problems.append(Problem("ce-datacontenttype", "is not allowed", "content-type says it"))
    if problems:
        raise _invalid(problems)
    _check(attributes, lambda name: f"ce-{name}", kind)
    data = parse_json(body)
    return Event(attributes["id"], data, attributes["source"], at_s=_at_s(attributes))


def _require_json(content_type: str, expected: str) -> None:
    if not is_json(content_type):
        raise unknown_format("content-type", expected)


def _check(attributes: Mapping[str, Any], path: Callable[[str], str], kind: Kind) -> None:
    """Refuse what is no CloudEvent, naming everything wrong, and then what is of another type."""
    missing = [
        Problem(path(name), "is missing", _EXPECTED[name])
        for name in _REQUIRED
        if name not in attributes
    ]
    wrong = [
        Problem(path(name), problem, _EXPECTED.get(name, "a CloudEvents attribute"))
        for name, value in attributes.items()
        for problem in _attribute_problems(name, value)
    ]
    if missing or wrong:
        raise _invalid([*missing, *wrong])
    if not is_json(str(attributes.get("datacontenttype", "application/json"))):
        raise unknown_format(path("datacontenttype"), "application/json")
    if attributes["type"] != kind.event_type:
        raise EventError(
            f"events of this type are not judged here: expected {kind.event_type}",
            status=422,
            problems=(Problem(path("type"), "is another type", kind.event_type),),
        )


def _attribute_problems(name: str, value: object) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield "is no attribute name: only a-z and 0-9"
    if not isinstance(value, str):
        if name in _EXPECTED or not isinstance(value, int) or value not in _INT32:
            yield "is not a text"
        return
    if _CONTROL.search(value):
        yield "has control characters"
    elif name in _EXPECTED and not _FITS[name](value):
        yield "is not usable"


def _at_s(attributes: Mapping[str, Any]) -> float | None:
    """Return when an event that was checked happened."""
    return _moment(attributes["time"]).timestamp() if "time" in attributes else None


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        _moment(text).timestamp()
    except (ValueError, OverflowError):
        return False
    return True


def _moment(text: str) -> datetime:
    if text[17:19] == "60":  # a leap second, which RFC 3339 has and datetime has not
        text = f"{text[:17]}59{text[19:]}"
    return datetime.fromisoformat(text.upper())


_FITS: dict[str, Callable[[str], object]] = {
    "id": bool,
    "source": _URI.fullmatch,
    "specversion": "1.0".__eq__,
    "type": bool,
    "datacontenttype": bool,
    "dataschema": _URI.fullmatch,
    "subject": bool,
    "time": _is_time,
}

_EXPECTED: dict[str, str] = {
    "id": "the event's id, unique for its source",
    "source": "a URI reference",
    "specversion": "1.0",
    "type": "the event's type",
    "datacontenttype": "a media type",
    "dataschema": "a URI",
    "subject": "a text that is not empty",
    "time": "a time as in RFC 3339, such as 2026-11-01T12:00:00Z",
}


def _invalid(problems: list[Problem]) -> EventError:
    reported = tuple(problems[:MAX_PROBLEMS])
    return EventError("this is not a CloudEvent that can be read", problems=reported)


def decode_header(value: str) -> str:
    """Return the attribute in a header value: unquoted first, then percent-decoded once.

    Raises:
        ValueError: characters a header cannot have, an open quote, a broken percent sequence,
            or bytes that are not UTF-8 (overlong forms among them).
    """
    value = value.strip(" \t")
    if not value.isascii() or not value.isprintable():
        raise ValueError("has characters that must be percent-encoded")
    if not _BALANCED.fullmatch(value):
        raise ValueError("has a quote that is not closed")
    unquoted = _QUOTED.sub(lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), value)
    if _BROKEN_PERCENT.search(unquoted):
        raise ValueError("has a percent sign without two hexadecimal digits")
    try:
        return unquote_to_bytes(unquoted).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not percent-encoded UTF-8") from None


def encode_header(value: str) -> str:
    """Return a text as a header value: space, ``"``, ``%`` and all but U+0021-7E encoded."""
    return "".join(
        char
        if "!" <= char <= "~" and char not in '"%'
        else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in value
    )
