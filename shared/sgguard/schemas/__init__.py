"""The JSON Schemas (2020-12) of every event, the policy and the decision, and what breaks them.

Most documents are valid, and a cold start that sees only those need not import jsonschema (30 ms
of it): ``plain.py`` reads the same schema and says what is certainly valid. jsonschema decides
about everything else, and ``broken.py`` puts into words what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgguard import lazy
from sgguard.errors import Problem
from sgguard.schemas.load import load, names, pointer
from sgguard.schemas.plain import is_plainly_valid

if TYPE_CHECKING:
    from sgguard.schemas import broken
else:
    broken = lazy("sgguard.schemas.broken")  # it imports jsonschema

__all__ = ["load", "names", "pointer", "problems"]


def problems(name: str, document: object) -> tuple[Problem, ...]:
    """Return what breaks the schema, sorted by path, at most 20; empty: the document is valid.

    Paths are JSON pointers into the document. Keys and types are named, but never a value: what
    came in an event does not come back in an error.
    """
    schema = load(name)
    if is_plainly_valid(schema, document, schema):
        return ()
    return broken.problems_of(name, document)
