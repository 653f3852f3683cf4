"""What the function ``chat`` takes beside events, for its OpenAPI document.

The callbacks are the vendors': their bodies are described by them and not here. An answer is in
the words of the vendor, or empty.
"""

from __future__ import annotations

from sgguard.web.surface import Body, Surface

_ANY = {"type": "object"}
_TEXT = {"type": "string"}
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_PROBLEM = {"$ref": "#/components/schemas/problem"}
_FORGED = {
    "type": "https://sgguard.dev/problems/not-permitted",
    "title": "Forbidden",
    "status": 403,
    "detail": "no channel signed this",
}
_UNREADABLE = {
    "type": "https://sgguard.dev/problems/invalid-event",
    "title": "Invalid event",
    "status": 400,
    "detail": "the callback cannot be read",
}

SURFACE = Surface(
    looks={
        "echostr": "a vendor's check that this address is ours; the answer is its text",
        "channel": "the name of the one channel that may have signed it",
    },
    shown=(
        (200, Body("text/plain", _TEXT, "4815162342", "echo")),
        (400, Body("application/problem+json", _PROBLEM, _UNREADABLE, "unreadable")),
        (403, Body("application/problem+json", _PROBLEM, _FORGED, "forged")),
    ),
    submits=(
        Body(_JSON, _ANY, {"type": "url_verification"}, "callback"),
        Body(_FORM, _ANY, {"payload": "{}"}, "callback"),
        Body("text/xml", _TEXT, "<xml/>", "callback"),
    ),
    answered=(
        (200, Body(_JSON, _ANY, {}, "callback")),
        (200, Body("text/plain", _TEXT, "", "silence")),
        (200, Body("application/xml", _TEXT, "<xml/>", "callback")),
    ),
    problems=frozenset({"unknown", "answered", "over"}),
)
"""Callbacks of every channel, at one address."""
