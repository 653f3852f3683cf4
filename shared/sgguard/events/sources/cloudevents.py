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
from sgguard.model.sentence import Sentence, Text, said
from sgguard.render.language.refusal import refusal, sentence_of
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
        problem = Problem("", said("wrong.no-list"))
        raise refusal(EventError, said("unread.no-list"), problems=(problem,))
    if len(document) > MAX_BATCH:
        found = said("unread.batch-of", events=len(document), most=MAX_BATCH)
        raise refusal(EventError, found, status=413)
    items: list[Event | EventError] = []
    for n, item in enumerate(document):
        try:
            items.append(_structured(item, kind, f"/{n}"))
        except EventError as error:
            items.append(error)
    return Delivery("batched", tuple(items))


def _structured(document: Any, kind: Kind, at: str) -> Event:
    if not isinstance(document, dict):
        raise _invalid([Problem(at, said("wrong.no-object"), said("right.cloudevent"))])
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
        found = said("wrong.both-given" if given else "wrong.missing")
        raise _invalid([Problem(f"{at}/data", found, said("right.data"))])
    if given == ["data"]:
        return members["data"], f"{at}/data"
    try:
        decoded = base64.b64decode(members["data_base64"], validate=True)
    except (TypeError, ValueError, binascii.Error):
        wrong = Problem(f"{at}/data_base64", said("wrong.base64"), said("right.base64"))
        raise _invalid([wrong]) from None
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
            found = sentence_of(error) or str(error)
            problems.append(Problem(header, found, said("right.percent")))
    if "datacontenttype" in attributes:
        right = said("right.content-type")
        problems.append(Problem("ce-datacontenttype", said("wrong.not-allowed"), right))
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
        Problem(path(name), said("wrong.missing"), _EXPECTED[name])
        for name in _REQUIRED
        if name not in attributes
    ]
    wrong = [
        Problem(path(name), problem, _EXPECTED.get(name, _AN_ATTRIBUTE))
        for name, value in attributes.items()
        for problem in _attribute_problems(name, value)
    ]
    if missing or wrong:
        raise _invalid([*missing, *wrong])
    if not is_json(str(attributes.get("datacontenttype", "application/json"))):
        raise unknown_format(path("datacontenttype"), "application/json")
    if attributes["type"] != kind.event_type:
        problem = Problem(path("type"), said("wrong.type"), kind.event_type)
        found = said("unread.other-type", type=kind.event_type)
        raise refusal(EventError, found, status=422, problems=(problem,))


def _attribute_problems(name: str, value: object) -> Iterator[Sentence]:
    if not _NAME.fullmatch(name):
        yield said("wrong.attribute-name")
    if not isinstance(value, str):
        if name in _EXPECTED or not isinstance(value, int) or value not in _INT32:
            yield said("wrong.no-text")
        return
    if _CONTROL.search(value):
        yield said("wrong.control")
    elif name in _EXPECTED and not _FITS[name](value):
        yield said("wrong.unusable")


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

_EXPECTED: dict[str, Text] = {
    "id": said("right.event-id"),
    "source": said("right.uri-reference"),
    "specversion": "1.0",
    "type": said("right.event-type"),
    "datacontenttype": said("right.media-type"),
    "dataschema": said("right.uri"),
    "subject": said("right.some-text"),
    "time": said("right.time"),
}
_AN_ATTRIBUTE = said("right.attribute")


def _invalid(problems: list[Problem]) -> EventError:
    reported = tuple(problems[:MAX_PROBLEMS])
    return refusal(EventError, said("unread.no-cloudevent"), problems=reported)


def decode_header(value: str) -> str:
    """Return the attribute in a header value: unquoted first, then percent-decoded once.

    Raises:
        ValueError: characters a header cannot have, an open quote, a broken percent sequence,
            or bytes that are not UTF-8 (overlong forms among them).
    """
    value = value.strip(" \t")
    if not value.isascii() or not value.isprintable():
        raise refusal(ValueError, said("wrong.unencoded"))
    if not _BALANCED.fullmatch(value):
        raise refusal(ValueError, said("wrong.open-quote"))
    unquoted = _QUOTED.sub(lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), value)
    if _BROKEN_PERCENT.search(unquoted):
        raise refusal(ValueError, said("wrong.percent"))
    try:
        return unquote_to_bytes(unquoted).decode("utf-8")
    except UnicodeDecodeError:
        raise refusal(ValueError, said("wrong.percent-utf8")) from None


def encode_header(value: str) -> str:
    """Return a text as a header value: space, ``"``, ``%`` and all but U+0021-7E encoded."""
    return "".join(
        char
        if "!" <= char <= "~" and char not in '"%'
        else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in value
    )
