"""Sentences in words: the template of a code from a language's catalogue, with its arguments.

A placeholder says after a colon how its argument is shown, in words that may be combined:

- ``48``: at most so many columns; ``short``: with shortened UUIDs
- ``of=rule``: a number with its unit; ``kind``: the language's word for a kind of thing;
  ``field``: its words for what an event has, by their English
- ``room=80``: a list within so many columns; ``rest``: within what the sentence leaves
- ``apart``: a list of whole sentences, which have commas of their own
- ``silent``: not at all, where a language has no use for it

A template whose list would get too little room is replaced by the one of the code and ``.short``,
where there is one.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.model import sentence as sentences
from sgguard.model.decision import Reason
from sgguard.model.sentence import Item, Sentence, Text, Value
from sgguard.render.language.words import Entry, Words, entries, isolated, within
from sgguard.render.wording import MESSAGE_MAX, columns, label, one_line, short_ids

_NAME_MAX = 60
_TEXT_MAX = 400
_KIND_MAX = 30
_ROOM_FOR_NAMES = 16
_SHORTEST_ITEM = 8
_ENGLISH = Words("en", UTC)
_OF_THEIR_OWN = (sentences.THING, sentences.COUNT, sentences.LIST, sentences.MOMENT)
"""Codes that need no words."""

WHOLE = 20_000
"""Columns of a text that is never cut."""


def in_english(text: Text, width: int = MESSAGE_MAX) -> str:
    """Return a sentence in English, as documents have it beside its code; a text as it is."""
    return text if isinstance(text, str) else in_words(text, _ENGLISH, width, is_isolated=False)


def whole_english(text: Text) -> str:
    """Return a sentence in English, however long it is."""
    return in_english(text, WHOLE)


def message_of(reason: Reason) -> str:
    """Return a reason in English."""
    return in_english(reason.sentence)


def knows(sentence: Sentence, words: Words) -> bool:
    """Return whether the language has words for it: another version of sgguard may have kept it."""
    try:
        in_words(sentence, words)
    except (KeyError, AttributeError, TypeError, ValueError):
        return False
    return True


def in_words(
    sentence: Sentence, words: Words, width: int = MESSAGE_MAX, *, is_isolated: bool = True
) -> str:
    """Return the sentence in a language, on one line of at most ``width`` columns.

    ``is_isolated`` keeps names that are written from right to left apart from what is around them.

    Raises:
        KeyError: the language has no such sentence, or an argument of it is missing: another
            version of sgguard wrote it.
    """
    voice = _Voice(words, is_isolated=is_isolated)
    return within(voice.whole(sentence, width), width)


class _How(msgspec.Struct, frozen=True):
    """How an argument is shown: what stands after the colon of its placeholder."""

    width: int = 0
    is_short: bool = False
    is_kind: bool = False
    is_field: bool = False
    is_silent: bool = False
    unit: str = ""
    room: int = 0
    takes_rest: bool = False
    is_apart: bool = False


_PLAIN = _How()


@lru_cache(maxsize=1024)
def _parsed(template: str) -> tuple[tuple[str, str, _How], ...]:
    """Return the template as literal texts, each with the placeholder behind it (or none)."""
    parts = string.Formatter().parse(template)
    return tuple(
        (literal, name or "", _how(spec) if spec else _PLAIN) for literal, name, spec, _ in parts
    )


def _how(spec: str) -> _How:
    found: dict[str, int | bool | str] = {}
    for word in spec.split():
        key, _, value = word.partition("=")
        match key:
            case "short" | "kind" | "field" | "silent" | "apart":
                found[f"is_{key}"] = True
            case "of":
                found["unit"] = value
            case "room":
                found["room"] = int(value)
            case "rest":
                found["takes_rest"] = True
            case _:
                found["width"] = int(key)
    return _How(**found)  # type: ignore[arg-type]  # each key has the type of its field


def _template(entry: Entry, args: Mapping[str, Value]) -> str:
    if isinstance(entry, str):
        return entry
    return entry["one"] if args["n"] == 1 and "one" in entry else entry["other"]


class _Voice(msgspec.Struct, frozen=True):
    """Words of a language, and whether what is put between them is isolated."""

    words: Words
    is_isolated: bool

    def whole(self, sentence: Sentence, width: int) -> str:
        """Return the sentence; only its list is made to fit the width."""
        args, catalogue = dict(sentence.args), entries(self.words.language)
        shorter = catalogue.get(f"{sentence.code}.short")
        entry = catalogue[sentence.code]
        text = self._filled(_template(entry, args), args, width, shorter is not None)
        if text is None and shorter is not None:
            text = self._filled(_template(shorter, args), args, width)
        return text or ""

    def _filled(
        self,
        template: str,
        args: Mapping[str, Value],
        width: int,
        is_optional: bool = False,  # noqa: FBT001, FBT002 - private
    ) -> str | None:
        """Return the template with its arguments; None: its list may be left out, and has no room.

        What takes the rest is put in last: what it may take is what everything else leaves.
        """
        parts: list[str] = []
        waiting: tuple[int, Value, _How] | None = None
        for literal, name, how in _parsed(template):
            if not name:
                parts.append(literal)
                continue
            value = args[name]
            if how is _PLAIN and isinstance(value, str):  # nearly every argument
                parts += (literal, self._apart(one_line(value, _TEXT_MAX)))
            elif how.takes_rest:
                waiting = (len(parts) + 1, value, how)
                parts += [literal, ""]
            else:
                parts += [literal, "" if how.is_silent else self._shown(value, how)]
        if waiting is not None:
            place, value, how = waiting
            room = width - sum(map(columns, parts))
            if is_optional and room <= _ROOM_FOR_NAMES:
                return None
            parts[place] = self._shown(value, replace(how, room=max(room, 1)))
        return "".join(parts)

    def _shown(self, value: Value, how: _How) -> str:
        if isinstance(value, Sentence):
            return self._said(value, how)
        if isinstance(value, int):
            return self._units(value, how.unit) if how.unit else str(value)
        return self._text(str(value), how)

    def _said(self, sentence: Sentence, how: _How) -> str:
        if sentence.code not in _OF_THEIR_OWN:
            width = how.width or how.room
            text = self.whole(sentence, width or MESSAGE_MAX)
            return within(text, width) if width else text
        args: dict[str, Any] = dict(sentence.args)
        match sentence.code:
            case sentences.THING:
                return self._thing(args["id"], args["called"], how)
            case sentences.COUNT:
                return self._units(args["number"], one_line(args["unit"], 30))
            case sentences.LIST:
                return self._listed(args["shown"], args["total"], how)
            case _:
                return self.words.time(datetime.fromisoformat(args["at"]))

    def _thing(self, thing_id: str, name: str, how: _How) -> str:
        """Return the id and the name of a thing of a cloud."""
        if how.is_short:
            thing_id, name = short_ids(thing_id), short_ids(name)
        return self._apart(label(thing_id, name, how.width or _NAME_MAX))

    def _text(self, text: str, how: _How) -> str:
        """Return a text that a cloud or a person wrote, or the word for a kind of thing."""
        if how.is_kind and self.words.has(f"thing.{text}"):
            return self.words.say(f"thing.{text}")
        if how.is_field and self.words.has(f"field.{text}"):
            return self.words.say(f"field.{text}")
        shortened = short_ids(text) if how.is_short else text
        most = _KIND_MAX if how.is_kind else _TEXT_MAX
        return self._apart(one_line(shortened, how.width or how.room or most))

    def _apart(self, text: str) -> str:
        return isolated(text) if self.is_isolated else text

    def _listed(self, values: tuple[Item, ...], of: int, how: _How) -> str:
        """Return as many of the values as fit, and how many more there are."""
        room = how.room or MESSAGE_MAX
        texts = list(dict.fromkeys(self._item(one, how) for one in values))
        total = of - (len(values) - len(texts))
        shown: list[str] = []
        for index, text in enumerate(texts):
            rest = total - index - 1
            if shown and columns(self._some([*shown, text], rest, how)) > room:
                return self._some(shown, rest + 1, how)
            tail = columns(self._some([""], rest, how))
            shown.append(within(text, max(room - tail, _SHORTEST_ITEM)))
        return self._some(shown, total - len(texts), how)

    def _item(self, value: Item, how: _How) -> str:
        # A part of a sentence has widths of its own.
        is_part = isinstance(value, Sentence) and value.code != sentences.THING
        return self._shown(value, replace(how, width=0 if is_part else how.width, room=0))

    def _some(self, texts: list[str], rest: int, how: _How) -> str:
        if how.is_apart:
            joined = self.words.say("list.of-sentences").join(one.rstrip("。") for one in texts)
        else:
            joined = self.words.say("list.separator").join(texts)
        return self.words.say("list.more", listed=joined, n=rest) if rest else joined

    def _units(self, n: int, unit: str) -> str:
        key = f"unit.{unit}" if self.words.has(f"unit.{unit}") else "unit.any"
        return self.words.say(key, n=n, unit=unit)
