"""May a plan be carried out? Shows the question behind a link, takes the answer, and reminds."""

import io
import os
from functools import partial

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard import answer, arrival, events, means
from sgguard.approving import due, web


@functions_framework.http
def approval(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    if web.is_link(http.method, http.args):
        return web.show(http.args["token"], lambda: means.begin(os.environ)).for_flask()
    return answer.to_request(http.method, due.KIND, lambda: _act(http)).for_flask()


def _act(http: Request) -> answer.Answer:
    given = means.begin(os.environ)
    with arrival.within(given.deadline, http.environ, http.stream):
        body = events.whole(http.headers, http.stream, given.settings.max_body_bytes)
    if token := web.clicked(http.headers, body):
        return web.answer(token, http.headers.get("Accept", ""), given)
    delivery = events.read(http.headers, io.BytesIO(body), due.KIND, len(body))
    return answer.to_each(delivery, due.KIND, due.request, partial(due.handle, means=given))
