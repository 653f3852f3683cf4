"""JSON in pieces: a document of many entries is never one text beside itself.

The pieces joined are exactly what ``json.dumps`` returns. Lists and objects are divided between
their entries only, and only those with many values in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

VALUES_MAX = 200
"""What has fewer values in it, counted through all levels, is one piece."""

BLOCK = 65_536
"""Characters that :func:`blocks` puts together."""


def pieces(value: Any, indent: int | None = None, level: int = 0) -> Iterator[str]:
    """Yield the text of a value, as ``json.dumps(value, indent=…, ensure_ascii=False)`` has it.

    Raises:
        ValueError: a number is not finite.
    """
    if _left(value, VALUES_MAX) > 0:
        text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
        yield text.replace("\n", "\n" + " " * ((indent or 0) * level)) if indent else text
        return
    begin, end = "{}" if isinstance(value, dict) else "[]"
    inner = "\n" + " " * ((indent or 0) * (level + 1)) if indent else ""
    outer = "\n" + " " * ((indent or 0) * level) if indent else ""
    between = "," if indent else ", "
    lead = begin
    items = value.items() if isinstance(value, dict) else ((None, one) for one in value)
    for name, one in items:
        first = f"{lead}{inner}" + ("" if name is None else f"{_name(name)}: ")
        for piece in pieces(one, indent, level + 1):
            yield first + piece
            first = ""
        lead = between
    yield f"{outer}{end}"


def _left(value: Any, most: int) -> int:
    """Return how many values ``most`` are left after those in this one; none where it has more."""
    most -= 1
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            if most <= 0:
                break
            most = _left(one, most)
    return most


def _name(name: object) -> str:
    return json.dumps(name if isinstance(name, str) else json.dumps(name), ensure_ascii=False)


def blocks(texts: Iterable[str], size: int = BLOCK) -> Iterator[str]:
    """Yield the same text in blocks of about ``size`` characters."""
    block: list[str] = []
    length = 0
    for text in texts:
        block.append(text)
        length += len(text)
        if length >= size:
            yield "".join(block)
            block, length = [], 0
    yield "".join(block)
