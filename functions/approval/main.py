"""May a plan be carried out, or what it removed be restored? Shows it, and takes the answer."""

from __future__ import annotations

from sgguard.web import garbage

garbage.ignore()

import functions_framework

from sgguard.approvals import reminders
from sgguard.engine import delivery
from sgguard.restores import web
from sgguard.web import endpoint, start

HANDLE = delivery.with_delivery(reminders.handle)
start.announce(reminders.KIND)


@functions_framework.http
def approval(http: endpoint.Request) -> endpoint.Answer:
    """Answer one HTTP request."""
    return endpoint.serve(http, reminders.KIND, reminders.request, HANDLE, pages=web)
