"""Sends messages about decisions to chat, and answers clicks and commands that come back."""

from __future__ import annotations

from sgguard.web import garbage

garbage.ignore()

import functions_framework

from sgguard.chat.deliver import KIND, handle, request
from sgguard.chat.web import Callbacks
from sgguard.web import endpoint, start

start.announce(KIND)


@functions_framework.http
def chat(http: endpoint.Request) -> endpoint.Answer:
    """Answer one HTTP request."""
    return endpoint.serve(http, KIND, request, handle, pages=Callbacks(http.args))
