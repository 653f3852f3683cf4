"""JSON in pieces: a document of many entries is never one text beside itself.

The pieces joined are exactly what ``json.dumps`` returns. Lists and objects are divided between
their entries only, and only those with many values in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

VALUES_MAX = 200
"""What has fewer values in it, counted through all levels, is one piece."""

_CONTAINERS = frozenset({dict, list})

BLOCK = 65_536
"""Characters that :func:`blocks` puts together."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def pieces(value: Any, indent: int | None = None, level: int = 0) -> Iterator[str]:
    """Yield the text of a value, as ``json.dumps(value, indent=…, ensure_ascii=False)`` has it.

    Raises:
        ValueError: a number is not finite.
    """
    if _count(value) < VALUES_MAX:
        yield _text(value, indent, level)
        return
    begin, end = "{}" if isinstance(value, dict) else "[]"
    inner = "\n" + " " * ((indent or 0) * (level + 1)) if indent else ""
    outer = "\n" + " " * ((indent or 0) * level) if indent else ""
    between = "," if indent else ", "
    lead = begin
    for name, one, is_run in _parts(value):
        if is_run:  # small entries of a list, in one piece
            text = _text(one, indent, level)
            yield lead + text[1 : len(text) - len(outer) - 1]
        else:
            first = f"{lead}{inner}" + ("" if name is None else f"{_name(name)}: ")
            for piece in pieces(one, indent, level + 1):
                yield first + piece
                first = ""
        lead = between
    yield f"{outer}{end}"


def _parts(value: Any) -> Iterator[tuple[object, Any, bool]]:
    """Yield the entries of an object with their names, or those of a list: small ones in runs."""
    if isinstance(value, dict):
        yield from ((name, one, False) for name, one in value.items())
        return
    run: list[Any] = []
    left = VALUES_MAX
    for one in value:
        count = _count(one)
        if run and count > left:
            yield None, run, True
            run, left = [], VALUES_MAX
        if count < VALUES_MAX:
            run.append(one)
            left -= count
        else:
            yield None, one, False
    if run:
        yield None, run, True


def _count(value: Any) -> int:
    """Return how many values a value is, with those in it; VALUES_MAX or more where it has more."""
    count = 1
    inner = [value] if type(value) in _CONTAINERS else []
    while inner and count < VALUES_MAX:
        one = inner.pop()
        count += len(one)
        if count < VALUES_MAX:
            every = one.values() if isinstance(one, dict) else one
            inner += [each for each in every if type(each) in _CONTAINERS]
    return count


def _text(value: Any, indent: int | None, level: int) -> str:
    """Return what ``json.dumps`` returns, inside ``level`` others.

    The standard library indents in Python alone, five times as slow as it writes without.
    """
    text = _ENCODER.encode(value)
    if not indent:
        return text
    try:
        text = msgspec.json.format(text, indent=indent)
    except UnicodeEncodeError:  # half of a surrogate pair, which is no text but is written
        text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return text.replace("\n", "\n" + " " * (indent * level))


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
