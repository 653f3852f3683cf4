"""May these security groups be deleted? Answers each event with a decision and its evidence."""

import os
from functools import partial

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard import events
from sgguard.engine import context
from sgguard.engine import handle as handling
from sgguard.events import request
from sgguard.web import body, response

KIND = events.Kind("delete_request", "sgguard.delete.requested.v1")


@functions_framework.http
def delete_request(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    return response.to_request(http.method, KIND, lambda: _judge(http)).for_flask()


def _judge(http: Request) -> response.Answer:
    given = context.begin(os.environ)
    with body.within(given.deadline, http.environ, http.stream):
        delivery = events.read(http.headers, http.stream, KIND, given.settings.max_body_bytes)
    handle = partial(handling.deletes, means=given)
    return response.to_each(delivery, KIND, request.delete_request, handle)
