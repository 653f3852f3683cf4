"""Sentences in words: the template of a code from a language's catalogue, with its arguments.

A placeholder says after a colon how its argument is shown, in words that may be combined:
``48`` at most so many columns · ``short`` with shortened UUIDs · ``of=rule`` a number with its unit
· ``kind`` the word for a kind of thing · ``room=80`` a list within so many columns · ``rest`` a
list within what the rest of the sentence leaves. A template whose list would get too little room is
replaced by the one of the code and ``.short``, where there is one.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from sgguard.model.decision import Reason
from sgguard.model.sentence import Count, Listed, Named, Sentence, Value
from sgguard.render.language.words import Words, entries, isolated, within
from sgguard.render.wording import MESSAGE_MAX, columns, label, one_line, short_ids

_NAME_MAX = 60
_TEXT_MAX = 400
_ROOM_FOR_NAMES = 16
_SHORTEST_ITEM = 8
_ENGLISH = Words("en", UTC)


def in_english(sentence: Sentence, width: int = MESSAGE_MAX) -> str:
    """Return the sentence in English, as documents have it beside its code."""
    return in_words(sentence, _ENGLISH, width, is_isolated=False)


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


@dataclass(frozen=True, slots=True)
class _How:
    """How an argument is shown: what stands after the colon of its placeholder."""

    width: int = 0
    is_short: bool = False
    is_kind: bool = False
    unit: str = ""
    room: int = 0
    takes_rest: bool = False


_PLAIN = _How()


@lru_cache(maxsize=1024)
def _parsed(template: str) -> tuple[tuple[str, str, _How], ...]:
    """Return the template as literal texts, each with the placeholder behind it (or none)."""
    parts = string.Formatter().parse(template)
    return tuple((literal, name or "", _how(spec or "")) for literal, name, spec, _ in parts)


def _how(spec: str) -> _How:
    found: dict[str, int | bool | str] = {}
    for word in spec.split():
        key, _, value = word.partition("=")
        match key:
            case "short" | "kind":
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


@dataclass(frozen=True, slots=True)
class _Voice:
    """Words of a language, and whether what is put between them is isolated."""

    words: Words
    is_isolated: bool

    def whole(self, sentence: Sentence, width: int) -> str:
        """Return the sentence; only its list is made to fit the width."""
        args, short = dict(sentence.args), f"{sentence.code}.short"
        is_optional = self.words.has(short)
        text = self._filled(self._template(sentence.code, args), args, width, is_optional)
        if text is None:
            text = self._filled(self._template(short, args), args, width)
        return text or ""

    def _template(self, code: str, args: Mapping[str, Value]) -> str:
        entry = entries(self.words.language)[code]
        if isinstance(entry, str):
            return entry
        return entry["one"] if args["n"] == 1 and "one" in entry else entry["other"]

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
            value = args[name] if name else ""
            if how.takes_rest:
                waiting = (len(parts) + 1, value, how)
                parts += [literal, ""]
            else:
                parts += [literal, self._shown(value, how)]
        if waiting is not None:
            place, value, how = waiting
            room = width - sum(map(columns, parts))
            if is_optional and room <= _ROOM_FOR_NAMES:
                return None
            parts[place] = self._shown(value, replace(how, room=max(room, 1)))
        return "".join(parts)

    def _shown(self, value: Value, how: _How) -> str:
        if isinstance(value, Sentence):
            width = how.width or how.room
            text = self.whole(value, width or MESSAGE_MAX)
            return within(text, width) if width else text
        if isinstance(value, Listed):
            return self._listed(value, how, how.room or MESSAGE_MAX)
        if isinstance(value, Count):
            return self._units(value.number, one_line(value.unit, 30))
        if isinstance(value, int):
            return self._units(value, how.unit) if how.unit else str(value)
        if isinstance(value, datetime):
            return self.words.time(value)
        return self._leaf(value, how)

    def _leaf(self, value: str | Named, how: _How) -> str:
        """Return a text that a cloud or a person wrote."""
        if isinstance(value, Named):
            thing_id, name = value.thing_id, value.name
            if how.is_short:
                thing_id, name = short_ids(thing_id), short_ids(name)
            text = label(thing_id, name, how.width or _NAME_MAX)
        elif how.is_kind:
            key = f"thing.{value}"
            return self.words.say(key) if self.words.has(key) else one_line(value, 30)
        else:
            shortened = short_ids(value) if how.is_short else value
            text = one_line(shortened, how.width or how.room or _TEXT_MAX)
        return isolated(text) if self.is_isolated else text

    def _listed(self, value: Listed, how: _How, room: int) -> str:
        """Return as many of the values as fit, and how many more there are."""
        texts = list(dict.fromkeys(self._item(one, how) for one in value.shown))
        total = value.total - (len(value.shown) - len(texts))
        shown: list[str] = []
        for index, text in enumerate(texts):
            rest = total - index - 1
            if shown and columns(self._some([*shown, text], rest)) > room:
                return self._some(shown, rest + 1)
            tail = columns(self._some([""], rest))
            shown.append(within(text, max(room - tail, _SHORTEST_ITEM)))
        return self._some(shown, total - len(texts))

    def _item(self, value: Value, how: _How) -> str:
        whole = isinstance(value, Sentence)
        return self._shown(value, replace(how, width=0, room=0) if whole else how)

    def _some(self, texts: list[str], rest: int) -> str:
        joined = self.words.say("list.separator").join(texts)
        return self.words.say("list.more", listed=joined, n=rest) if rest else joined

    def _units(self, n: int, unit: str) -> str:
        key = f"unit.{unit}" if self.words.has(f"unit.{unit}") else "unit.any"
        return self.words.say(key, n=n, unit=unit)
