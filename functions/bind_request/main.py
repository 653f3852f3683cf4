"""May this group be put on these holders, or taken off them? Answers each event with a decision."""

from __future__ import annotations

from sgguard.web import garbage

garbage.ignore()

import functions_framework

from sgguard.engine import bind
from sgguard.events import Kind
from sgguard.events.bind import bind_event as parse
from sgguard.web import endpoint, start

KIND = Kind("bind_request", "sgguard.bind.requested.v1")
start.announce(KIND)


@functions_framework.http
def bind_request(http: endpoint.Request) -> endpoint.Answer:
    """Answer one HTTP request."""
    return endpoint.serve(http, KIND, parse, bind.binds)
