"""May these security groups be deleted? Answers each event with a decision and its evidence."""

import os

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard import answer, events, pipeline, request
from sgguard.decision import Decision

KIND = events.Kind("delete_request", "sgguard.delete.requested.v1")


@functions_framework.http
def delete_request(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    return answer.to_request(http.method, KIND, lambda: _judge(http)).for_flask()


def _judge(http: Request) -> answer.Answer:
    means = pipeline.begin(os.environ)
    delivery = events.read(http.headers, http.stream, KIND, means.settings.max_body_bytes)

    def decide(event: events.Event) -> Decision:
        asked = request.delete_request(event.data)
        return pipeline.decide_delete(asked, means, event_id=event.event_id)

    return answer.to_each(delivery, KIND, decide)
