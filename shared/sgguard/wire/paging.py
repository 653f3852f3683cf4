"""Asking about many ids in as few calls as an API takes, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from sgguard.errors import NotFoundError
from sgguard.wire.parallel import parallel

T = TypeVar("T")


def chunks(ids: Iterable[str], size: int) -> list[list[str]]:
    """Return the ids, each once and in order, in lists of at most ``size``."""
    distinct = list(dict.fromkeys(ids))
    return [distinct[start : start + size] for start in range(0, len(distinct), size)]


def in_chunks(
    ids: Iterable[str], size: int, ask: Callable[[Sequence[str]], dict[str, T]]
) -> dict[str, T]:
    """Ask for at most ``size`` ids a call, side by side, and merge the answers.

    One unknown id makes some clouds refuse a whole call; its ids are then asked one by one, and
    those the cloud does not know are missing from the result.

    Raises:
        CloudError: any other error of any call.
    """
    merged: dict[str, T] = {}
    for answer in parallel([partial(_one_by_one, chunk, ask) for chunk in chunks(ids, size)]):
        merged.update(answer)
    return merged


def _one_by_one(chunk: Sequence[str], ask: Callable[[Sequence[str]], dict[str, T]]) -> dict[str, T]:
    try:
        return ask(chunk)
    except NotFoundError:
        if len(chunk) == 1:
            return {}
    return in_chunks(chunk, 1, ask)
