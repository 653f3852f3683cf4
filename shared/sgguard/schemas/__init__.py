"""The JSON Schemas (2020-12) of every event, the policy and the decision, and what breaks them.

Most documents are valid, and a cold start that sees only those need not import jsonschema (30 ms
of it): ``plain.py`` reads the same schema and says what is certainly valid. jsonschema decides
about everything else, and ``broken.py`` puts into words what it finds.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sgguard.errors import Problem
from sgguard.schemas.plain import is_plainly_valid

__all__ = ["load", "pointer", "problems"]

_KEY_MAX = 64


@lru_cache(maxsize=16)
def load(name: str) -> dict[str, Any]:
    """Return the schema ``<name>.schema.json``; it must not be changed."""
    text = files(__name__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def problems(name: str, document: object) -> tuple[Problem, ...]:
    """Return what breaks the schema, sorted by path, at most 20; empty: the document is valid.

    Paths are JSON pointers into the document. Keys and types are named, but never a value: what
    came in an event does not come back in an error.
    """
    schema = load(name)
    if is_plainly_valid(schema, document, schema):
        return ()
    from sgguard.schemas.broken import problems_of  # noqa: PLC0415 - it imports jsonschema

    return problems_of(name, document)


def pointer(*parts: object) -> str:
    """Return a JSON pointer (RFC 6901) to the part of a document; long keys are cut."""
    return "".join(
        "/" + str(part)[:_KEY_MAX].replace("~", "~0").replace("/", "~1") for part in parts
    )
