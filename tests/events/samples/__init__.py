"""Events as the clouds send them, made for a group or an instance: one module per source.

``tests/events/samples/<source module>.py`` defines ``SAMPLES``: by what happened, a function of
ids and a time that returns the document; ``NEEDED``: the pointers without which it is refused;
``IRRELEVANT``: documents that concern nobody; ``KEPT``: the pointers of what is kept on purpose.
A source without one fails the suite.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from sgguard import events
from sgguard.events import request
from sgguard.events.base import Delivery, Kind
from sgguard.model.occurrence import Happened, Occurrence

EVERYTHING = Kind("cloud_event", "", "sgguard.cloud_event.v1", frozenset(Happened))
JSON_HEADERS = {"content-type": "application/json"}
OPERATION = "11111111-2222-4333-8444-555555555555"
AT_S = 1790000000


@dataclass(frozen=True)
class About:
    """What a sample is made about; ids of the shape of its cloud."""

    group: str
    instance: str
    region: str
    at_s: int = AT_S
    operation: str = OPERATION
    code: str = ""


@dataclass(frozen=True)
class Samples:
    """The samples of one source."""

    made: dict[Happened, Any]
    example: About
    needed: tuple[str, ...] = ()
    irrelevant: tuple[Any, ...] = ()
    kept: tuple[str, ...] = field(default=())


def samples(name: str) -> Samples:
    """Return the samples of a source, by the name of its module."""
    found: Samples = import_module(f"{__name__}.{name}").SAMPLES
    return found


def source_modules() -> list[str]:
    return [one.__name__.rpartition(".")[2] for one in events.cloud_sources()]


def cases() -> Iterator[tuple[str, Happened]]:
    for name in source_modules():
        for happened in samples(name).made:
            yield name, happened


def made(name: str, happened: Happened, about: About | None = None) -> Any:
    of = samples(name)
    return of.made[happened](about or of.example)


def read(document: Any, headers: dict[str, str] | None = None) -> Delivery:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return events.read(headers or JSON_HEADERS, body, EVERYTHING)


def told(document: Any) -> Occurrence:
    """Return what the only event of a delivery tells."""
    (event,) = read(document).items
    if isinstance(event, Exception):
        raise event
    return request.occurrence(event.data)


def without(document: Any, pointer: str) -> Any:
    """Return a copy without the member at a JSON pointer."""
    changed = copy.deepcopy(document)
    *before, last = pointer.split("/")[1:]
    parent = changed
    for part in before:
        parent = parent[int(part)] if isinstance(parent, list) else parent[part]
    del parent[last]
    return changed
