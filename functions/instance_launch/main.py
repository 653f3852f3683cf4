"""May these instances be launched with their groups? Answers each event with a decision."""

from __future__ import annotations

from sgguard.web import garbage

garbage.ignore()

import functions_framework

from sgguard.engine import cloud_event, handle
from sgguard.events import Kind, request
from sgguard.web import endpoint, start

KIND = Kind("instance_launch", "sgguard.launch.requested.v1", takes=cloud_event.OF_LAUNCHES)
PARSE = request.or_occurrence(request.instance_launch)
HANDLE = cloud_event.handler(KIND.takes, own=handle.launches)
start.announce(KIND)


@functions_framework.http
def instance_launch(http: endpoint.Request) -> endpoint.Answer:
    """Answer one HTTP request."""
    return endpoint.serve(http, KIND, PARSE, HANDLE)
