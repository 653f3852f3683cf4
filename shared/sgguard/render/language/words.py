"""Words of one language: sentences from its catalogue, numbers, names, lists and times."""

from __future__ import annotations

import pkgutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from importlib import import_module
from typing import Any, cast

import msgspec

from sgguard.model.sentence import Named
from sgguard.render.language import catalogue
from sgguard.render.wording import columns, label, one_line

Entry = str | Mapping[str, str]
"""A sentence, or one for each plural form of ``n`` (``one``, ``other``)."""

_FSI, _PDI = "\u2068", "\u2069"
_RIGHT_TO_LEFT = ("R", "AL")
_NAME_MAX = 60
_MINUTES = 60


_RARE = {
    "unread": "unread",
    "ignored": "unread",
    "caller": "unread",
    "address": "unread",
    "wrong": "wrong",
    "right": "right",
    "field": "field",
}
"""The module of the sentences that most decisions never say, by how their keys begin."""


class Table(Mapping[str, Entry]):
    """Sentences by key: the usual ones, and those in modules of a package that are read late.

    A start that only decides reads nothing of what is wrong with events.
    """

    def __init__(self, usual: Mapping[str, Entry], package: str) -> None:
        self.usual = usual
        self.package = package

    def __getitem__(self, key: str) -> Entry:
        """Return the sentence of a key."""
        if (found := self.usual.get(key)) is not None:
            return found
        return self._read(_RARE[key.partition(".")[0]])[key]

    def __contains__(self, key: object) -> bool:
        """Whether there is a sentence of this key."""
        if key in self.usual:
            return True
        module = _RARE.get(str(key).partition(".")[0])
        return module is not None and key in self._read(module)

    def __iter__(self) -> Iterator[str]:
        """Yield every key."""
        yield from self.usual
        for module in dict.fromkeys(_RARE.values()):
            yield from self._read(module)

    def __len__(self) -> int:
        """Return how many sentences there are."""
        return sum(1 for _ in self)

    def _read(self, module: str) -> Mapping[str, Entry]:
        found: Mapping[str, Entry] = import_module(f"{self.package}.{module}").WORDS
        return found


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the languages there are catalogues for."""
    return tuple(sorted(one.name for one in pkgutil.iter_modules(catalogue.__path__)))


@lru_cache(maxsize=8)
def entries(language: str) -> Mapping[str, Entry]:
    """Return the catalogue of a language."""
    module = import_module(f"{catalogue.__name__}.{language}")
    return cast(Mapping[str, Entry], module.MESSAGES)


class Words(msgspec.Struct, frozen=True):
    """One language, and the zone in which its reader is shown times."""

    language: str
    zone: tzinfo

    def say(self, key: str, /, **values: Any) -> str:
        """Return the sentence of a key; ``n`` picks the plural form where it has some."""
        entry = entries(self.language)[key]
        if not isinstance(entry, str):
            entry = entry["one"] if values["n"] == 1 and "one" in entry else entry["other"]
        return entry.format(**values)

    def has(self, key: str) -> bool:
        """Return whether there is a sentence of this key."""
        return key in entries(self.language)

    def count(self, n: int, thing: str) -> str:
        """Return a number with its thing: ``1 rule``, ``2 rules``."""
        key = f"count.{thing}"
        return self.say(key, n=n) if self.has(key) else self.say("count.other", n=n, thing=thing)

    def items(self, texts: Iterable[str], shown: int | None = None) -> str:
        """Return texts as a list; of more than ``shown`` how many more there are."""
        every = list(texts)
        head = every if shown is None else every[:shown]
        listed = self.say("list.separator").join(head)
        rest = len(every) - len(head)
        if not head:
            return self.say("list.only", n=rest)
        return self.say("list.more", listed=listed, n=rest) if rest else listed

    def names(self, named: Sequence[Named], shown: int | None = None) -> str:
        """Return the names of groups as a list."""
        return self.items([name(one) for one in named], shown)

    def time(self, moment: datetime) -> str:
        """Return a moment to the second, with its zone: ``2026-11-29 22:42:10 UTC+8``."""
        there = moment.astimezone(self.zone)
        return f"{there:%Y-%m-%d %H:%M:%S} {_zone(there.utcoffset() or timedelta())}"


def name(named: Named) -> str:
    """Return ``sg-1 (web)`` on one line; a name written from right to left is kept apart."""
    return isolated(label(named.thing_id, named.name, _NAME_MAX))


def plain(text: str, width: int = _NAME_MAX) -> str:
    """Return a text of a cloud or caller on one line, cut visibly, kept apart where needed."""
    return isolated(one_line(text, width))


def within(text: str, width: int) -> str:
    """Return a line of at most ``width`` columns, cut with an ellipsis; isolates stay closed."""
    if columns(text) <= width:
        return text
    # Room for the ellipsis, and for the end of an isolate that is cut.
    room = width - 1 - (_FSI in text)
    taken, end = 0, 0
    for end, one in enumerate(text):  # noqa: B007 - the position is what is looked for
        taken += columns(one)
        if taken > room:
            break
    head = text[:end].rstrip()
    return head + "…" + _PDI * (head.count(_FSI) - head.count(_PDI))


def fitted(make: Callable[[int], str], most: int, width: int) -> str:
    """Return a text of at most ``width`` columns; ``make`` makes it with so many of a list.

    Names are left out until it fits: cut at its end it would not say how many are left out, or
    say a wrong number.
    """
    texts = (make(number) for number in range(most, 0, -1))
    return next((one for one in texts if columns(one) <= width), "") or within(make(0), width)


def isolated(text: str) -> str:
    """Return the text so that, written from right to left, it does not reorder what is around."""
    is_back = any(unicodedata.bidirectional(one) in _RIGHT_TO_LEFT for one in text)
    return f"{_FSI}{text}{_PDI}" if is_back else text


def _zone(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / _MINUTES)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), _MINUTES)
    sign = "+" if minutes > 0 else "-"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
