"""The schema files, and JSON pointers into what they describe."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent  # importlib.resources would cost a start more than reading does
_KEY_MAX = 64
_SUFFIX = ".schema.json"


@lru_cache(maxsize=16)
def load(name: str) -> dict[str, Any]:
    """Return the schema ``<name>.schema.json``; it must not be changed."""
    text = (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def names() -> tuple[str, ...]:
    """Return the names of all schemas."""
    found = (one.name for one in _FOLDER.iterdir())
    return tuple(sorted(n.removesuffix(_SUFFIX) for n in found if n.endswith(_SUFFIX)))


def pointer(*parts: object) -> str:
    """Return a JSON pointer (RFC 6901) to the part of a document; long keys are cut."""
    return "".join(
        "/" + str(part)[:_KEY_MAX].replace("~", "~0").replace("/", "~1") for part in parts
    )
