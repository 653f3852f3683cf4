"""The OpenAPI 3.1 document of the functions, made of the tables that they themselves work with.

Nothing is written down twice: bodies are the JSON Schemas of ``schemas/``, errors the table of
``web/problem.py``, statuses those that ``callers/senders.py`` makes of them, security schemes the
kinds of proof, and what is no event comes from each function's own :class:`~.surface.Surface`.

The document has nothing of the settings, the policy or its callers in it, and it is the same for
everybody. So a function shows it to whoever asks, as it does the answer to a GET.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sgguard
from sgguard.events.base import Kind
from sgguard.web.openapi import body, components, path, security
from sgguard.web.surface import Surface

Json = dict[str, Any]

VERSION = "3.1.0"

_LICENCE = {"name": "Apache 2.0", "identifier": "Apache-2.0"}
_ABOUT = """\
Functions that judge whether cloud security groups may be deleted or bound.

Every function receives events by POST: our own CloudEvents in each of their modes, a bare JSON
object, and the clouds' own events. Each event is answered by itself, with a decision and its
evidence or with a problem (RFC 9457).

The status that a product gets may differ from the one in the problem, because products repeat
and drop events by status: `x-sender-statuses` says how. A server or gateway in front of a
function may refuse by itself what is no HTTP: that is the 400 with a page of HTML."""


def document(kind: Kind, surface: Surface, prefix: str = "") -> Json:
    """Return the document of one function, served at ``prefix``; it must not be changed."""
    return _document(kind, _Held(surface), prefix)


class _Held:
    """A surface by its identity: it has examples in it, which cannot be hashed."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.surface is self.surface

    def __hash__(self) -> int:
        return id(self.surface)


@lru_cache(maxsize=16)
def _document(kind: Kind, held: _Held, prefix: str) -> Json:
    return {
        **_head(prefix),
        "tags": [{"name": kind.name, "description": body.about(kind)}],
        "paths": path.of_function(kind, held.surface),
        "components": {
            "schemas": components.schemas(kind),
            "responses": components.responses(kind, held.surface),
            "securitySchemes": security.schemes(),
        },
    }


def merged(documents: Mapping[str, Json]) -> Json:
    """Return the document of a server that has each function under its name.

    ``documents`` are those of the functions by name; what they share is in the result once.
    """
    found: Json = {**_head(""), "tags": [], "paths": path.of_server(tuple(documents))}
    parts: dict[str, Json] = {"schemas": {}, "responses": {}, "securitySchemes": {}}
    for name, one in documents.items():
        found["tags"] += one["tags"]
        for where, operations in one["paths"].items():
            found["paths"][f"/{name}{where}".removesuffix("/")] = operations
        for part, entries in one["components"].items():
            parts[part] |= entries
    return {**found, "components": parts}


def _head(prefix: str) -> Json:
    return {
        "openapi": VERSION,
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "sgguard",
            "version": sgguard.__version__,
            "summary": "May this security group be deleted, may this instance be launched, and why",
            "description": _ABOUT,
            "license": _LICENCE,
        },
        "servers": [{"url": prefix or "/"}],
        "x-sender-statuses": security.senders(),
    }
