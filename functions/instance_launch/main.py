"""May these instances be launched with their groups? Answers each event with a decision."""

import os
from functools import partial

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard import answer, arrival, events, handling, means, request

KIND = events.Kind("instance_launch", "sgguard.launch.requested.v1")


@functions_framework.http
def instance_launch(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    return answer.to_request(http.method, KIND, lambda: _judge(http)).for_flask()


def _judge(http: Request) -> answer.Answer:
    given = means.begin(os.environ)
    with arrival.within(given.deadline, http.environ, http.stream):
        delivery = events.read(http.headers, http.stream, KIND, given.settings.max_body_bytes)
    handle = partial(handling.launches, means=given)
    return answer.to_each(delivery, KIND, request.instance_launch, handle)
