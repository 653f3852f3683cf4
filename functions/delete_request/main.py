"""May these security groups be deleted? Answers each event with a decision and its evidence."""

from __future__ import annotations

from sgguard.web import garbage

garbage.ignore()

import functions_framework

from sgguard.engine import cloud_event, handle
from sgguard.events import Kind, request
from sgguard.web import endpoint, start

KIND = Kind("delete_request", "sgguard.delete.requested.v1", takes=cloud_event.OF_DELETES)
PARSE = request.or_occurrence(request.delete_request)
HANDLE = cloud_event.handler(KIND.takes, own=handle.deletes)
start.announce(KIND)


@functions_framework.http
def delete_request(http: endpoint.Request) -> endpoint.Answer:
    """Answer one HTTP request."""
    return endpoint.serve(http, KIND, PARSE, HANDLE)
