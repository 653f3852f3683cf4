"""May these instances be launched with their groups? Answers each event with a decision."""

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard.engine import cloud_event, handle
from sgguard.events import Kind, request
from sgguard.web import endpoint, start

KIND = Kind("instance_launch", "sgguard.launch.requested.v1", takes=cloud_event.OF_LAUNCHES)
PARSE = request.or_occurrence(request.instance_launch)
HANDLE = cloud_event.handler(KIND.takes, own=handle.launches)
start.announce(KIND)


@functions_framework.http
def instance_launch(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    return endpoint.serve(http, KIND, PARSE, HANDLE)
