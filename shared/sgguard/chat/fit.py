"""Bodies within the limits of a channel: the fullest form that fits, measured as it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sgguard.chat.base import Reply, Setup, Shown
from sgguard.errors import EventError
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal
from sgguard.render.language.text import DETAILS, DROPPED, Text, compose, without

Json = dict[str, Any]


def fit(
    shown: Shown, setup: Setup, build: Callable[[Text], Json], fits: Callable[[Json], bool]
) -> Json:
    """Return the fullest form of a message that keeps the limits.

    Raises:
        EventError: even the shortest does not, which no message does.
    """
    words = setup.words
    has_button = bool(shown.tokens.approve or shown.tokens.link)
    for detail in DETAILS:
        text = compose(shown.message, words, detail, shown.whole, has_button=has_button)
        if fits(built := build(text)):
            return built
    # Names as long and wide as clouds permit: whole lines go, and their number is said.
    for number in range(1, len(DROPPED) + 1):
        if fits(built := build(without(text, DROPPED[:number], words))):
            return built
    raise refusal(EventError, said("chat.too-wide"), status=413)


def size(body: object) -> int:
    """Return the bytes of a body as it is sent."""
    return len(encoded(body))


def encoded(body: object) -> bytes:
    """Return a body as JSON in UTF-8; half a surrogate pair becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def reply(body: object) -> Reply:
    """Return a JSON response."""
    return Reply(encoded(body))


def cut(text: str, characters: int) -> str:
    """Return at most so many characters of a text; one that is cut ends with an ellipsis."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def joined(lines: Sequence[str]) -> str:
    """Return lines as one text."""
    return "\n".join(lines)
