"""What is wrong with a policy document, in words that say what would be right.

Kept apart from ``policy.py`` because jsonschema costs 90 ms to import and most starts have no
policy file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

_VALUE_MAX = 60


@dataclass(frozen=True, slots=True)
class _Violation:
    """One broken keyword: its schema, what was found, and the keyword's own value."""

    schema: dict[str, Any]
    found: Any
    keyword_value: Any


def problems(document: Any) -> list[str]:
    """Return everything wrong with the document, in the order of its paths; empty: it is usable."""
    errors = sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    return list(dict.fromkeys(text for error in errors for text in _describe(error)))


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    text = files("sgguard").joinpath("schemas", "policy.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _describe(error: ValidationError) -> Iterator[str]:
    """Say one violation in words; an unknown key is named together with those that exist."""
    where = ".".join(str(part) for part in error.absolute_path)
    said = _WORDS.get(str(error.validator), _other)
    violation = _Violation(
        cast(dict[str, Any], error.schema), error.instance, error.validator_value
    )
    for path, text in said(violation):
        yield f"{'.'.join(part for part in (where, path) if part) or 'the file'}: {text}"


def _unknown_keys(it: _Violation) -> Iterator[tuple[str, str]]:
    known = sorted(it.schema["properties"])
    for key in sorted(set(it.found) - set(known)):
        close = get_close_matches(key, known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        yield key[:_VALUE_MAX], f"unknown key; {hint}expected one of {', '.join(known)}"


def _wrong_name(it: _Violation) -> Iterator[tuple[str, str]]:
    yield "", f"{_show(it.found)} is no name of this kind: {_rule(it)}"


def _wrong_type(it: _Violation) -> Iterator[tuple[str, str]]:
    yield "", f"expected {_type_of(it.schema)}, found {_show(it.found)}"


def _wrong_value(it: _Violation) -> Iterator[tuple[str, str]]:
    allowed = ", ".join(map(str, it.schema["enum"]))
    yield "", f"{_show(it.found)} is not known; expected one of {allowed}"


def _out_of_range(it: _Violation) -> Iterator[tuple[str, str]]:
    low, high = it.schema.get("minimum"), it.schema.get("maximum")
    expected = f"{low} to {high}" if high is not None else f"{low} or more"
    yield "", f"{_show(it.found)} is out of range; expected {expected}"


def _missing(it: _Violation) -> Iterator[tuple[str, str]]:
    for key in it.keyword_value:
        if key not in it.found:
            yield key, "is missing; " + it.schema.get("description", "it is needed here")


def _empty(_: _Violation) -> Iterator[tuple[str, str]]:
    yield "", "is empty; expected some text"


def _twice(_: _Violation) -> Iterator[tuple[str, str]]:
    yield "", "has an entry that comes twice; expected each once"


def _other(it: _Violation) -> Iterator[tuple[str, str]]:
    yield "", f"{_show(it.found)} is not usable: {_rule(it)}"


def _rule(it: _Violation) -> str:
    text = it.schema.get("description", "see schemas/policy.schema.json")
    return f"expected {text}"


def _type_of(schema: dict[str, Any]) -> str:
    kinds = {"object": "a table", "array": "a list of texts", "string": "text"}
    return kinds.get(schema["type"], "a whole number")


def _show(value: Any) -> str:
    """Spell a value shortly, on one line."""
    text = repr(value)
    return text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}…"


_WORDS: dict[str, Callable[[_Violation], Iterable[tuple[str, str]]]] = {
    "additionalProperties": _unknown_keys,
    "propertyNames": _wrong_name,
    "pattern": _wrong_name,
    "type": _wrong_type,
    "enum": _wrong_value,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "required": _missing,
    "minLength": _empty,
    "uniqueItems": _twice,
}
