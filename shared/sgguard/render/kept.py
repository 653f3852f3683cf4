"""Notes as a store keeps them: in English, and behind that as sentences in no language.

A note of a run or of a line of its journal is one text. Its first part is English, for whoever
reads the table itself, and for a version of sgguard that knows of nothing else; notes of such
versions have this part alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sgguard.model.sentence import Text, as_sentence
from sgguard.render.language.sentence import whole_english
from sgguard.render.said import sentence_json, sentence_of

_BEGIN = '\n{"notes": '
"""What separates the parts. A sentence is one line, so that no English part has it."""


def to_keep(*notes: Text) -> str:
    """Return notes as one text for a store; empty where there are none."""
    some = [one for one in notes if one]
    if not some:
        return ""
    sentences = json.dumps({"notes": _json(some)}, ensure_ascii=False)
    return f"{joined(some)}\n{sentences}"


def joined(notes: Iterable[Text]) -> str:
    """Return notes in English, one after the other."""
    return "; ".join(whole_english(one) for one in notes if one)


def english(text: str) -> str:
    """Return the English part of a note that was kept."""
    return text.rpartition(_BEGIN)[0] or text


def notes_kept(text: str) -> tuple[Text, ...]:
    """Return the notes that :func:`to_keep` was given; the text of an earlier version as it is."""
    found = sentences_kept(text)
    known = tuple(one for one in map(sentence_of, found) if one is not None)
    if known and len(known) == len(found):
        return known
    return (english(text),) if text else ()


def sentences_kept(text: str) -> list[dict[str, object]]:
    """Return the sentences of a note that was kept, as JSON; none of an earlier version."""
    if _BEGIN not in text:
        return []
    try:
        found: list[dict[str, object]] = json.loads(text[text.rindex(_BEGIN) + 1 :])["notes"]
    except ValueError:  # a text that somebody wrote so
        return []
    return found


def _json(notes: Iterable[Text]) -> list[dict[str, object]]:
    return [sentence_json(as_sentence(one)) for one in notes]
