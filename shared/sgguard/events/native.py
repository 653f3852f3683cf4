"""Events in the clouds' own formats: taken out of their wrappings, and read by their source.

A source of a cloud's events is one module in ``sources/`` with the members of
:class:`CloudSource`. Exactly one source must claim an event. What leaves this module is an
:class:`~sgguard.model.occurrence.Occurrence`, built from the fields that its source asks for by
name; the rest of the delivery goes no further, so it cannot be logged, hashed or kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, TypeGuard

import msgspec

from sgguard.errors import EventError, Problem
from sgguard.events.base import Delivery, Kind, media_type, parse_json
from sgguard.events.sources.cloudevents import decode_header
from sgguard.model import sentence
from sgguard.model.event import Event
from sgguard.model.occurrence import Occurrence, Told, irrelevant
from sgguard.model.sentence import Text, said
from sgguard.render.language.refusal import refusal

MAX_BATCH = 100

FOREIGN = "cloudevents"
"""The source of CloudEvents that no source of a cloud claims."""

_WRAPPINGS_MAX = 6
_OWN_TYPES = "sgguard."
_OF_KNATIVE = ("dev.knative.kafka.event", "dev.knative.rabbitmq.event")
_LABELS = ("", "application/octet-stream", "text/plain")
"""What runtimes and buses write on a JSON body beside the types of JSON."""


class Part(msgspec.Struct, frozen=True):
    """One document of a delivery: where it stood, and what its wrapping said about it."""

    document: Any
    at: str = ""
    region: str = ""


class CloudSource(Protocol):
    """A module that reads the events of one cloud, as one of its services sends them."""

    NAME: str
    """The name of the source in answers, claims and ``sgguard replay --source``."""

    def unwrapped(self, part: Part) -> Sequence[Part] | None:
        """Return the documents in a wrapping of this cloud's; None where it is none of them.

        Raises:
            EventError: it is one, and what it holds cannot be read.
        """
        ...

    def claims(self, document: Mapping[str, Any]) -> bool:
        """Say whether this is an event of the source's, or would be one if it were whole."""
        ...

    def occurrences(self, part: Part) -> Sequence[Occurrence]:
        """Return what happened; what concerns nobody is told as well, with the reason.

        Raises:
            EventError: 422, something is missing; every problem is named with its place.
        """
        ...


def is_cloud_source(module: object) -> TypeGuard[CloudSource]:
    """Whether a module of ``sources/`` reads a cloud's own events."""
    return hasattr(module, "occurrences")


def read(
    headers: Mapping[str, str], body: bytes, kind: Kind, sources: Sequence[CloudSource]
) -> Delivery | None:
    """Read a delivery of a cloud's own events; None where it is none.

    A function with a type of its own leaves what no source claims to the other formats.

    Raises:
        EventError: the delivery as a whole cannot be read.
    """
    try:
        whole = Part(_document(headers, body))
        parts = list(islice(_parts(whole, sources, _WRAPPINGS_MAX), MAX_BATCH + 1))
    except EventError:
        if kind.event_type:
            return None
        raise
    if kind.event_type and not any(
        isinstance(one, Part) and _claims(one, sources) for one in parts
    ):
        return None
    if len(parts) > MAX_BATCH:
        raise refusal(EventError, said("unread.batch", most=MAX_BATCH), status=413)
    items = [item for one in parts for item in _items(one, sources)]
    is_single = len(items) == 1 and not isinstance(whole.document, list)
    if is_single and isinstance(items[0], EventError):
        raise items[0]
    return Delivery("bare" if is_single else "bus", tuple(items))


def _document(headers: Mapping[str, str], body: bytes) -> Any:
    """Return the body's document; attributes in headers make it the data of an envelope."""
    media = media_type(headers.get("content-type", ""))
    if not (media in _LABELS or media.endswith(("/json", "+json"))):
        problem = Problem("content-type", said("wrong.format"), "application/json")
        raise refusal(EventError, said("unread.content-type"), status=415, problems=(problem,))
    document = parse_json(body)
    attributes = _attributes(
        (n.removeprefix("ce-"), v) for n, v in headers.items() if n[:3] == "ce-"
    )
    return {**attributes, "data": document} if attributes else document


def _attributes(given: Iterator[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in given:
        try:
            found[name] = decode_header(value)
        except ValueError:
            continue  # an attribute that cannot be read is missing
    return found


def _parts(part: Part, sources: Sequence[CloudSource], left: int) -> Iterator[Part | EventError]:
    """Yield the documents in a delivery, or what is wrong with one of them."""
    try:
        inner = _unwrapped(part, sources)
    except EventError as error:
        yield error
        return
    if inner is None:
        yield part
    elif not left:
        wrapped = Problem(part.at, said("wrong.wrapped"), said("right.events"))
        yield refusal(EventError, said("unread.none"), problems=(wrapped,))
    else:
        for one in inner:
            yield from _parts(one, sources, left - 1)


def _unwrapped(part: Part, sources: Sequence[CloudSource]) -> Sequence[Part] | None:
    """Return what stands in a list, or in what a broker's client hands over; None for an event."""
    document, at = part.document, part.at
    if isinstance(document, str):
        return (inner_part(part, document, at, said("right.event")),)
    if isinstance(document, list):
        return _each(part, document, at)
    if not isinstance(document, dict):
        return None
    found = (unwrap(part) for unwrap in (_of_client, *(one.unwrapped for one in sources)))
    return next((inner for inner in found if inner is not None), None)


def _of_client(part: Part) -> Sequence[Part] | None:
    """Return what a client of Kafka or RabbitMQ hands over, or a list under ``events``.

    Knative's sources put each record that is no CloudEvent into one of their own.
    """
    document, at = part.document, part.at
    if document.get("type") in _OF_KNATIVE and "data" in document:
        return (Part(document["data"], f"{at}/data", part.region),)
    if "value" in document and "topic" in document:
        return (Part(_of_broker(document), f"{at}/value", part.region),)
    if "body" in document and ("routing_key" in document or "exchange" in document):
        return (Part(document["body"], f"{at}/body", part.region),)
    return listed(part, "events")


def listed(part: Part, name: str) -> Sequence[Part] | None:
    """Return the documents of a list in a document; None where there is no such list."""
    found = part.document.get(name)
    if not isinstance(found, list):
        return None
    return _each(part, found, f"{part.at}/{name}")


def _each(part: Part, documents: Sequence[Any], at: str) -> Sequence[Part]:
    """Return the documents of a list at a place, as far as it takes to see that they are many."""
    some = documents[: MAX_BATCH + 1]
    return [Part(one, f"{at}/{n}", part.region) for n, one in enumerate(some)]


def _of_broker(document: Mapping[str, Any]) -> Any:
    """Return what a Kafka record holds: with ``ce_`` headers it is the data of an event."""
    value, given = document["value"], document.get("headers")
    pairs: list[list[str]] = [one for one in given if _is_pair(one)] if _is_list(given) else []
    attributes = _attributes((n[3:], v) for n, v in pairs if n[:3] == "ce_")
    return {**attributes, "data": value} if attributes else value


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_pair(value: object) -> bool:
    if not _is_list(value) or len(value) != 2:  # noqa: PLR2004 - name and value
        return False
    return all(isinstance(one, str) for one in value)


def inner_part(part: Part, text: str, at: str, expected: Text) -> Part:
    """Return the document that stands as JSON in a text.

    Raises:
        EventError: it is no JSON; the place is named, the text is not quoted.
    """
    try:
        return Part(parse_json(text.encode(errors="replace")), at, part.region)
    except EventError as error:
        (found,) = error.problems
        problem = Problem(at, found.problem, expected)
        raise refusal(EventError, said("unread.inner"), problems=(problem,)) from None


def _items(part: Part | EventError, sources: Sequence[CloudSource]) -> Iterator[Event | EventError]:
    if isinstance(part, EventError):
        yield part
        return
    try:
        yield from (_event(one, part.at) for one in _occurrences(part, sources))
    except EventError as error:
        yield error


def _claims(part: Part, sources: Sequence[CloudSource]) -> list[CloudSource]:
    document = part.document
    if not isinstance(document, dict) or str(document.get("type", "")).startswith(_OWN_TYPES):
        return []
    return [source for source in sources if source.claims(document)]


def _occurrences(part: Part, sources: Sequence[CloudSource]) -> Sequence[Occurrence]:
    claiming = _claims(part, sources)
    if len(claiming) == 1:
        return claiming[0].occurrences(part)
    if claiming:
        fits = said("wrong.fits", names=sentence.listed(source.NAME for source in claiming))
        problem = Problem(part.at, fits, said("right.one-source"))
        raise refusal(EventError, said("unread.two-sources"), status=422, problems=(problem,))
    if _is_foreign_envelope(part.document):
        return (irrelevant(FOREIGN, said("ignored.foreign")),)
    right = said("right.source", names=sentence.listed(source.NAME for source in sources))
    problem = Problem(part.at, said("wrong.unknown-event"), right)
    raise refusal(EventError, said("unread.no-source"), status=422, problems=(problem,))


def _is_foreign_envelope(document: object) -> bool:
    names = ("specversion", "id", "source", "type")
    if not isinstance(document, dict) or not all(document.get(name) for name in names):
        return False
    return not str(document["type"]).startswith(_OWN_TYPES)


def _event(one: Occurrence, at: str) -> Event:
    is_named = bool(one.operation)
    return Event(one.operation, Told(one), one.source, at, one.at_s, is_named=is_named)
