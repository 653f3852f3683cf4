"""May a plan be carried out? Shows the question behind a link, takes the answer, and reminds."""

import io
import os
from functools import partial

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard import events
from sgguard.approvals import reminders, web
from sgguard.engine import context
from sgguard.web import body as arrival
from sgguard.web import response


@functions_framework.http
def approval(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    if web.is_link(http.method, http.args):
        return web.show(http.args["token"], lambda: context.begin(os.environ)).for_flask()
    return response.to_request(http.method, reminders.KIND, lambda: _act(http)).for_flask()


def _act(http: Request) -> response.Answer:
    given = context.begin(os.environ)
    with arrival.within(given.deadline, http.environ, http.stream):
        body = events.whole(http.headers, http.stream, given.settings.max_body_bytes)
    if token := web.clicked(http.headers, body):
        return web.answer(token, http.headers.get("Accept", ""), given)
    delivery = events.read(http.headers, io.BytesIO(body), reminders.KIND, len(body))
    return response.to_each(
        delivery, reminders.KIND, reminders.request, partial(reminders.handle, means=given)
    )
