"""May a plan be carried out? Shows what waits for a person, takes the answer, and reminds."""

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard.approvals import reminders, web
from sgguard.engine import delivery
from sgguard.web import endpoint, start

HANDLE = delivery.with_delivery(reminders.handle)
start.announce(reminders.KIND)


@functions_framework.http
def approval(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    return endpoint.serve(http, reminders.KIND, reminders.request, HANDLE, pages=web)
