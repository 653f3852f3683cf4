"""What a function answers beside events, as data: for its OpenAPI document, not for the answer.

A function with pages (:class:`sgguard.web.endpoint.Pages`) describes here the links, forms and
callbacks that it takes, beside the code that takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

Json = dict[str, Any]


class Body(msgspec.Struct, frozen=True):
    """One body of a request or response: its media type, its JSON Schema and an example of it."""

    media: str
    schema: Json = msgspec.field(default_factory=lambda: {"type": "string"})
    example: Any = ""
    name: str = "page"
    """The name of the example; two bodies of one media type need two."""


class Surface(msgspec.Struct, frozen=True):
    """What people and vendors may send to a function, and what they get.

    ``looks`` are the query parameters of a GET, with what each is; ``shown`` what such a GET is
    answered with, by status. ``submits`` are bodies of a POST that are no events, ``answered``
    what they are answered with. ``problems`` are kinds of problem that events alone do not have.
    """

    looks: Mapping[str, str] = msgspec.field(default_factory=dict)
    shown: tuple[tuple[int, Body], ...] = ()
    submits: tuple[Body, ...] = ()
    answered: tuple[tuple[int, Body], ...] = ()
    problems: frozenset[str] = frozenset()


NOTHING = Surface()
"""Of a function that takes events only."""
