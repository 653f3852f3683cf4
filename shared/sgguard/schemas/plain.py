"""Says quickly of most valid documents that they are valid; it never says so of a broken one.

The keywords our schemas use are understood, each exactly or not at all: whatever is unusual (a
keyword that is not known here, ``20.0`` for a whole number) is left to jsonschema. A property
test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

_SILENT = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
_REF = "#/$defs/"


def is_plainly_valid(schema: Schema, value: object, root: Schema) -> bool:
    """Return whether the value is certainly valid; False: jsonschema decides."""
    return all(
        keyword in _SILENT or (keyword in _HOLDS and _HOLDS[keyword](argument, value, schema, root))
        for keyword, argument in schema.items()
    )


def _ref(name: str, value: Any, _: Schema, root: Schema) -> bool:
    found = root.get("$defs", {}).get(name.removeprefix(_REF)) if name.startswith(_REF) else None
    return found is not None and is_plainly_valid(found, value, root)


_KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def _type(name: object, value: Any, *_: Schema) -> bool:
    # type() and not isinstance(): True is no whole number
    return isinstance(name, str) and type(value) is _KINDS.get(name)


def _properties(parts: Schema, value: Any, _: Schema, root: Schema) -> bool:
    return isinstance(value, dict) and all(
        is_plainly_valid(part, value[key], root) for key, part in parts.items() if key in value
    )


def _additional(argument: object, value: Any, schema: Schema, root: Schema) -> bool:
    if not isinstance(value, dict) or "patternProperties" in schema:
        return False
    others = value.keys() - schema.get("properties", {}).keys()
    if isinstance(argument, dict):
        return all(is_plainly_valid(argument, value[key], root) for key in others)
    return argument is False and not others


def _required(keys: list[str], value: Any, *_: Schema) -> bool:
    return isinstance(value, dict) and all(key in value for key in keys)


def _items(schema: Schema, value: Any, _: Schema, root: Schema) -> bool:
    return isinstance(value, list) and all(is_plainly_valid(schema, one, root) for one in value)


def _alternatives(branches: list[Schema], value: Any) -> int:
    """Return how many branches hold; none is certain unless all they say is ``required``."""
    if any(branch.keys() != {"required"} for branch in branches):
        return 0
    return sum(_required(branch["required"], value) for branch in branches)


def _names(schema: Schema, value: Any, _: Schema, root: Schema) -> bool:
    return isinstance(value, dict) and all(is_plainly_valid(schema, key, root) for key in value)


def _unique(_: object, value: Any, *__: Schema) -> bool:
    is_plain = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return is_plain and len(set(value)) == len(value)


def _dependent(schemas: dict[str, Schema], value: Any, _: Schema, root: Schema) -> bool:
    return isinstance(value, dict) and all(
        is_plainly_valid(schema, value, root) for key, schema in schemas.items() if key in value
    )


_HOLDS: dict[str, Callable[..., bool]] = {
    "$ref": _ref,
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "dependentSchemas": _dependent,
    "propertyNames": _names,
    "uniqueItems": _unique,
    "enum": lambda among, value, *_: isinstance(value, str) and value in among,
    "const": lambda one, value, *_: isinstance(value, str) and value == one,
    "oneOf": lambda branches, value, *_: _alternatives(branches, value) == 1,
    "anyOf": lambda branches, value, *_: _alternatives(branches, value) >= 1,
    "minLength": lambda least, value, *_: isinstance(value, str) and len(value) >= least,
    "maxLength": lambda most, value, *_: isinstance(value, str) and len(value) <= most,
    "minProperties": lambda least, value, *_: isinstance(value, dict) and len(value) >= least,
    "maxProperties": lambda most, value, *_: isinstance(value, dict) and len(value) <= most,
    "minItems": lambda least, value, *_: isinstance(value, list) and len(value) >= least,
    "maxItems": lambda most, value, *_: isinstance(value, list) and len(value) <= most,
    "minimum": lambda least, value, *_: type(value) is int and value >= least,
    "maximum": lambda most, value, *_: type(value) is int and value <= most,
    "pattern": lambda text, value, *_: isinstance(value, str) and bool(re.search(text, value)),
}
