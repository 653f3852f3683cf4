"""Holds every answer of a function against the function's own OpenAPI document.

The functions of ``tests/functions`` are built with it, so each of those tests is also a test of
the document: an answer that is not described fails it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from werkzeug.test import Client, run_wsgi_app

Json = dict[str, Any]
Pair = tuple[str, str, int, str]
"""Method, path, status and media type of an answer; the media type is empty without a body."""

_WHOLE = 25
"""How many answers of one pair are compared with its schema; of the others only the pair."""


class Contract:
    """The document of one application, and which of its answers were seen."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.seen: Counter[Pair] = Counter()

    def check(self, method: str, path: str, status: int, headers: Any, body: bytes) -> None:
        """Fail unless the document describes this answer."""
        media = headers.get("content-type", "").partition(";")[0]
        where = f"{method} {path}: {status} {media or 'without a body'}"
        answer = self.described(method, path, status)
        assert answer is not None, f"{where} is not in the document"
        pair = (method, path, status, media if body else "")
        self.seen[pair] += 1
        for name, header in answer.get("headers", {}).items():
            is_there = name.lower() in headers
            assert is_there or not header.get("required"), f"{where} has no header {name}"
            if is_there:
                validator(self, header["schema"]).validate(headers[name.lower()])
        if method == "HEAD" or not body:
            return
        content = answer.get("content", {})
        assert media in content, f"{where} is not in the document, only {sorted(content)}"
        if self.seen[pair] <= _WHOLE:
            value = json.loads(body) if "json" in media else body.decode()
            validator(self, content[media]["schema"]).validate(value)

    def described(self, method: str, path: str, status: int) -> Json | None:
        """Return the response that the document has; 404 and 405 stand for what it has not."""
        item = self.document["paths"].get(path)
        if item is None:
            return _UNDESCRIBED if status == 404 else None
        if method.lower() not in item:
            return _UNDESCRIBED if status == 405 else None
        found = item[method.lower()]["responses"].get(str(status))
        return None if found is None else resolved(self.document, found)


_UNDESCRIBED: Json = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}
}


def resolved(document: Json, part: Json) -> Json:
    """Return a part of a document, or what it refers to."""
    while "$ref" in part:
        found: Any = document
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        part = found
    return part


def validator(contract: Contract, schema: Json) -> Draft202012Validator:
    return _validator(json.dumps(schema), id(contract.document), _Whole(contract.document))


class _Whole:
    """A document that is the same as itself: it cannot be hashed by its value."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Whole) and other.document is self.document

    def __hash__(self) -> int:
        return id(self.document)


@lru_cache(maxsize=512)
def _validator(schema: str, _: int, whole: _Whole) -> Draft202012Validator:
    return Draft202012Validator(
        {**json.loads(schema), "components": whole.document["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


_CONTRACTS: dict[str, Contract] = {}


def of(app: Any, name: str) -> Contract:
    """Return the contract of a function, as it describes itself; once in a run."""
    if name not in _CONTRACTS:
        asked = Client(app).get("/openapi.json")
        assert asked.status_code == 200
        _CONTRACTS[name] = Contract(json.loads(asked.get_data()))
    return _CONTRACTS[name]


def held_to(app: Any, contract: Contract) -> Any:
    """Return a WSGI application that fails where it answers what it does not describe."""

    def checked(environ: Json, start_response: Any) -> Iterable[bytes]:
        body, status, headers = run_wsgi_app(app, environ)
        content = b"".join(body)
        prefix = os.environ.get("SGGUARD_PATH_PREFIX", "").rstrip("/")
        path = environ.get("PATH_INFO", "").removeprefix(prefix) or "/"
        contract.check(environ["REQUEST_METHOD"], path, int(status.split()[0]), headers, content)
        start_response(status, list(headers))
        return [content]

    return checked
