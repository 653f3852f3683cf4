"""What a channel would be sent, without sending it: its JSON, and roughly the text of it.

Buttons carry secrets: a preview has a word in their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import astuple, replace

from sgguard.chat import token
from sgguard.chat.base import Channel, Setup, Tokens, variable_of
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import CloudError
from sgguard.render.language.message import of_document
from sgguard.restores.standing import seen

Json = dict[str, Any]

SECRET = "(secret)"  # noqa: S105 - it stands for one
_SHOWN = frozenset(
    {"text", "content", "title", "keyname", "value", "quote_text", "sub_title_text", "notice"}
)
_ONLY_IN = {"value": "keyname"}
"""Keys that are shown only beside another: elsewhere they are data."""


def body(document: Json, requester: str, channel: Channel, setup: Setup, context: Context) -> Json:
    """Return the JSON of the message of a decision, without the secrets of its buttons."""
    message = seen(of_document(document, requester), document, Executor.of(context).store)
    shown = token.shown(message, channel, setup, context)
    given = shown.tokens
    masked = Tokens(*(SECRET if one else "" for one in astuple(given)))
    return channel.render(replace(shown, tokens=masked), setup)


def text(value: object) -> tuple[str, ...]:
    """Return the lines that a reader would see, roughly and in order, each once in a row."""
    found: list[str] = []
    for one in _texts(value):
        for each in one.splitlines():
            if each.strip() and each != SECRET and found[-1:] != [each]:
                found.append(each)
    return tuple(found)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("inlines"), list):
        yield "".join(str(run.get("text", "")) for run in value["inlines"])
        return
    for key, one in value.items():
        if isinstance(one, str) and key in _SHOWN and _ONLY_IN.get(key, key) in value:
            yield one
        else:
            yield from _texts(one)


def hint(error: CloudError, channel: Channel, setup: Setup) -> str:
    """Return which credential, scope or chat is wrong; empty where the code does not tell."""
    known = channel.hints.get(error.code) or channel.hints.get(str(error.status or ""))
    if known is None:
        return ""
    part, what = known
    return f"{variable_of(setup.config.name, part)} {what}" if part else what
