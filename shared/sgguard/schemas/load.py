"""The schema files, and JSON pointers into what they describe."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

_KEY_MAX = 64


@lru_cache(maxsize=16)
def load(name: str) -> dict[str, Any]:
    """Return the schema ``<name>.schema.json``; it must not be changed."""
    text = files(__package__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def pointer(*parts: object) -> str:
    """Return a JSON pointer (RFC 6901) to the part of a document; long keys are cut."""
    return "".join(
        "/" + str(part)[:_KEY_MAX].replace("~", "~0").replace("/", "~1") for part in parts
    )
