"""The schema files, and JSON pointers into what they describe."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

_KEY_MAX = 64
_SUFFIX = ".schema.json"


@lru_cache(maxsize=16)
def load(name: str) -> dict[str, Any]:
    """Return the schema ``<name>.schema.json``; it must not be changed."""
    text = files(__package__).joinpath(f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def names() -> tuple[str, ...]:
    """Return the names of all schemas."""
    found = (one.name for one in files(__package__).iterdir())
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in found if n.endswith(_SUFFIX)))


def pointer(*parts: object) -> str:
    """Return a JSON pointer (RFC 6901) to the part of a document; long keys are cut."""
    return "".join(
        "/" + str(part)[:_KEY_MAX].replace("~", "~0").replace("/", "~1") for part in parts
    )
