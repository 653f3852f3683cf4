"""Sentences as JSON: code and arguments as a decision's document keeps them, and back.

A text is a text and a number a number. Everything else is an object: ``{"id", "called"}`` a thing,
``{"number", "unit"}`` a count, ``{"at"}`` a moment, ``{"shown", "total"}`` a list, ``{"code",
"args"}`` a part. No key is one under which a document has a group, so that who may not see a group
does not see it here: ``callers/veil.py`` takes its id and name out of each text.
"""

from __future__ import annotations

from datetime import datetime

from sgguard.model.sentence import Count, Listed, Named, Sentence, Value
from sgguard.render.values import Json, time_json


def sentence_json(sentence: Sentence) -> Json:
    """Return the sentence."""
    return {
        "code": sentence.code,
        "args": {name: _json(value) for name, value in sentence.args},
    }


def _json(value: Value) -> str | int | Json:
    match value:
        case Sentence():
            return sentence_json(value)
        case Named():
            return {"id": value.thing_id, "called": value.name}
        case Count():
            return {"number": value.number, "unit": value.unit}
        case Listed():
            return {"shown": [_json(one) for one in value.shown], "total": value.total}
        case datetime():
            return {"at": time_json(value)}
    return value


def sentence_of(found: Json | None) -> Sentence | None:
    """Return the sentence that :func:`sentence_json` wrote.

    None where there is none, or one of a form that this sgguard does not know: whoever shows it has
    the English message beside it.
    """
    try:
        return _sentence(found) if found else None
    except (KeyError, TypeError, ValueError):
        return None


def _sentence(found: Json) -> Sentence:
    return Sentence(found["code"], tuple((key, _value(one)) for key, one in found["args"].items()))


def _value(found: str | int | Json) -> Value:
    if not isinstance(found, dict):
        return found
    if "code" in found:
        return _sentence(found)
    if "id" in found:
        return Named(found["id"], found["called"])
    if "unit" in found:
        return Count(found["number"], found["unit"])
    if "at" in found:
        return datetime.fromisoformat(found["at"])
    return Listed(tuple(_value(one) for one in found["shown"]), found["total"])
