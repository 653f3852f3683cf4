"""What the function ``approval`` shows and takes beside events, for its OpenAPI document."""

from __future__ import annotations

from functools import lru_cache

from sgguard.schemas import load
from sgguard.web.surface import Body, Surface

_TOKEN = {"type": "string", "minLength": 1}
_PAGE = "<!doctype html><title>Approve this plan?</title>"
_HTML = "text/html"
_TEXT = {"type": "string"}
_FORM = {
    "type": "object",
    "anyOf": [{"required": ["token"]}, {"required": ["restore"]}],
    "properties": {
        "token": _TOKEN,
        "restore": _TOKEN,
        "plan": {
            "description": "the hash of the restore's plan that was read",
            "type": "string",
        },
        "lang": {"description": "of a page", "enum": ["en", "zh"]},
    },
}
_DECISION = {"$ref": "#/components/schemas/decision"}

_SHOWN = (200, 403, 404, 409, 410, 500, 503)
_DECIDED = (200, 403, 404, 409, 410, 422, 429, 500, 503)
"""The statuses of pages: of a link, and of what became of a decision."""


@lru_cache(maxsize=1)
def surface() -> Surface:
    """Return links and buttons; where a client prefers HTML, problems are pages, too."""
    decided = Body("application/json", _DECISION, load("decision")["examples"][0], "decided")
    return Surface(
        looks={
            "restore": "the signed text of a link to restore: shows what would be restored",
            "token": "the signed text of an approval link: shows what it is about",
            "lang": "the language of its page: en or zh; else that of the browser",
        },
        shown=tuple((status, Body(_HTML, _TEXT, _PAGE)) for status in _SHOWN),
        submits=(
            Body("application/x-www-form-urlencoded", _FORM, {"token": "v1.example"}, "button"),
            Body("application/json", _FORM, {"token": "v1.example"}, "token"),
        ),
        answered=(
            *((status, Body(_HTML, _TEXT, _PAGE)) for status in _DECIDED),
            *((status, decided) for status in (200, 409)),
        ),
        problems=frozenset({"unknown", "answered", "over"}),
    )
