"""Sentences as JSON: code and arguments as a decision's document keeps them, and back.

A text is a text and a number a number. A thing, a count, a moment and a list are objects of their
own: ``{"id", "called"}``, ``{"number", "unit"}``, ``{"at"}``, ``{"shown", "total"}``; a part of a
sentence is ``{"code", "args"}``. No key is one under which a document has a group, so that who may
not see a group does not see it here: ``callers/veil.py`` takes its id and name out of each text.
"""

from __future__ import annotations

from typing import Any

from sgguard.model.sentence import COUNT, LIST, MOMENT, THING, Item, Sentence, Text, Value

Json = dict[str, Any]

_KEYS = {
    THING: ("id", "called"),
    COUNT: ("number", "unit"),
    LIST: ("shown", "total"),
    MOMENT: ("at",),
}
_CODES = {frozenset(keys): code for code, keys in _KEYS.items()}


def sentence_json(sentence: Sentence) -> Json:
    """Return the sentence."""
    args = {name: _json(value) for name, value in sentence.args}
    return args if sentence.code in _KEYS else {"code": sentence.code, "args": args}


def sentences_json(**texts: Text) -> Json:
    """Return ``sentences`` for an object with texts in English: those that are sentences, by key.

    Nothing where none of them is one.
    """
    found = {name: sentence_json(one) for name, one in texts.items() if isinstance(one, Sentence)}
    return {"sentences": found} if found else {}


def text_of(found: Json, name: str) -> Text:
    """Return a text of an object as its sentence; where it has none, as the English text."""
    text: str = found.get(name, "")
    return sentence_of(found.get("sentences", {}).get(name)) or text


def _json(value: Value) -> Any:
    if isinstance(value, Sentence):
        return sentence_json(value)
    return [_json(one) for one in value] if isinstance(value, tuple) else value


def sentence_of(found: Json | None) -> Sentence | None:
    """Return the sentence that :func:`sentence_json` wrote.

    None where there is none, or one of a form that this sgguard does not know: whoever shows it has
    the English message beside it.
    """
    try:
        return _sentence(found) if found else None
    except (KeyError, TypeError, AttributeError):
        return None


def _sentence(found: Json) -> Sentence:
    if "code" in found:
        return Sentence(found["code"], tuple((key, _value(v)) for key, v in found["args"].items()))
    code = _CODES[frozenset(found)]
    return Sentence(code, tuple((key, _value(found[key])) for key in _KEYS[code]))


def _value(found: Any) -> Value:
    return tuple(_item(one) for one in found) if isinstance(found, list) else _item(found)


def _item(found: Any) -> Item:
    if isinstance(found, dict):
        return _sentence(found)
    if not isinstance(found, str | int):
        raise TypeError(f"no argument of a sentence: {found!r}")
    return found
