"""What does this event of a cloud mean? Takes whatever a bus delivers, and judges what matters."""

from __future__ import annotations

from sgguard.web import garbage

garbage.ignore()

import functions_framework

from sgguard.approvals import reminders
from sgguard.engine import cloud_event as engine
from sgguard.events import Kind, request
from sgguard.web import endpoint, start

KIND = Kind("cloud_event", "", engine.TYPE, engine.EVERYTHING)
HANDLE = engine.handler(KIND.takes, due=reminders.handle)
start.announce(KIND)


@functions_framework.http
def cloud_event(http: endpoint.Request) -> endpoint.Answer:
    """Answer one HTTP request."""
    return endpoint.serve(http, KIND, request.occurrence, HANDLE)
