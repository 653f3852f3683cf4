"""What breaks a schema, in words that say what would be right.

Keys and types are named but never a value: what came in an event does not come back in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from heapq import nsmallest
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from sgguard.errors import Problem
from sgguard.model.sentence import Sentence, Text, listed, said
from sgguard.schemas.load import load, pointer

MAX_PROBLEMS = 20
_KEY_MAX = 64

_TYPES: dict[str, str] = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_FOUND: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


@lru_cache(maxsize=16)
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load(name))


def problems_of(name: str, document: object) -> tuple[Problem, ...]:
    """Return what breaks the named schema, sorted by path, at most 20; empty: it is valid."""
    found = {
        problem
        for error in islice(_violations(name, document), MAX_PROBLEMS)
        for problem in _describe(error)
    }
    return tuple(sorted(found, key=lambda problem: (problem.path, str(problem.problem))))[
        :MAX_PROBLEMS
    ]


def _violations(name: str, document: object) -> Iterator[ValidationError]:
    for error in _validator(name).iter_errors(document):
        yield error
        if error.validator == "maxItems":
            return  # looking at each of 200,000 items would take seconds and tell nothing more


def _describe(error: ValidationError) -> Iterator[Problem]:
    where = pointer(*error.absolute_path)
    return _SAY.get(str(error.validator), _broken)(where, error)


def _expected(schema: object) -> Text:
    """Return what a schema describes: languages have words for it by its description."""
    text = str(schema.get("description", "")) if isinstance(schema, dict) else ""
    return said("right.described", text=text) if text else ""


def _property(schema: dict[str, Any], key: str, root: dict[str, Any]) -> object:
    """Return the schema of a property, following one reference into ``$defs``."""
    found = schema.get("properties", {}).get(key, {})
    if isinstance(found, dict) and "$ref" in found:
        return root.get("$defs", {}).get(str(found["$ref"]).rpartition("/")[2], {})
    return found


def _unknown_key(where: str, error: ValidationError) -> Iterator[Problem]:
    schema: Any = error.schema
    found: Any = error.instance
    known = list(schema["properties"])
    # No more keys are looked at than are told: finding what each may mean costs far more than it.
    for key in nsmallest(MAX_PROBLEMS, set(found) - set(known)):
        near = get_close_matches(key[:_KEY_MAX], known, n=1)
        expected = near[0] if near else said("right.one-of", names=listed(known))
        yield Problem(where + pointer(key), said("wrong.unknown-key"), expected)


def _missing(where: str, error: ValidationError) -> Iterator[Problem]:
    schema: Any = error.schema
    found: Any = error.instance
    for key in schema["required"]:
        if key not in found:
            expected = _expected(_property(schema, key, schema))
            yield Problem(where + pointer(key), said("wrong.missing"), expected)


def _alternatives(where: str, error: ValidationError) -> Iterator[Problem]:
    """Say that one of several keys is missing, or that keys exclude each other."""
    branches: Any = error.validator_value
    found: Any = error.instance
    if not isinstance(found, dict):
        return  # the type is wrong, and said
    keys = [key for branch in branches for key in branch["required"]]
    present = [key for key in keys if key in found]
    if present:
        both = said("wrong.together", text=" and ".join(present), keys=listed(present))
        yield Problem(where, both, said("right.only-one"))
    else:
        none = said("wrong.none-of", text=" or ".join(keys), keys=listed(keys))
        yield Problem(where, none, said("right.one-of", names=listed(keys)))


def _wrong_type(where: str, error: ValidationError) -> Iterator[Problem]:
    kind = _FOUND.get(type(error.instance), "null")
    wanted = _TYPES.get(str(error.validator_value), str(error.validator_value))
    about = _expected(error.schema) if where else ""
    right = said("right.type", type=wanted)
    if about:
        right = said("right.type-of", type=wanted, about=about)
    yield Problem(where, said("wrong.type-of", type=kind), right)


def _broken(where: str, error: ValidationError) -> Iterator[Problem]:
    if "propertyNames" in error.absolute_schema_path:
        where += pointer(error.instance)  # the key itself is what breaks the schema
    found = _BREAKS.get(str(error.validator), said("wrong.unusable"))
    yield Problem(where, found, _expected(error.schema))


def _forbidden(where: str, error: ValidationError) -> Iterator[Problem]:
    """Say that a key excludes another: ``not: {}``, as jsonschema loses the path of ``false``."""
    path = [str(part) for part in error.absolute_schema_path]
    other = path[path.index("dependentSchemas") + 1] if "dependentSchemas" in path else ""
    found = said("wrong.together-with", other=other) if other else said("wrong.not-allowed")
    yield Problem(where, found, said("right.leave-out"))


_SAY: dict[str, Callable[[str, ValidationError], Iterator[Problem]]] = {
    "additionalProperties": _unknown_key,
    "required": _missing,
    "oneOf": _alternatives,
    "anyOf": _alternatives,
    "type": _wrong_type,
    "not": _forbidden,
}

_BREAKS: dict[str, Sentence] = {
    "minLength": said("wrong.empty"),
    "maxLength": said("wrong.too-long"),
    "minItems": said("wrong.empty"),
    "maxItems": said("wrong.too-many"),
    "minProperties": said("wrong.empty"),
    "maxProperties": said("wrong.more-than-one"),
    "minimum": said("wrong.too-small"),
    "maximum": said("wrong.too-large"),
    "pattern": said("wrong.characters"),
    "enum": said("wrong.none-there-is"),
    "uniqueItems": said("wrong.entry-twice"),
}
