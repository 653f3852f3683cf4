"""Sends messages about decisions to chat, and answers clicks and commands that come back."""

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from sgguard.chat import deliver
from sgguard.chat.web import Callbacks
from sgguard.web import endpoint, start

start.announce(deliver.KIND)


@functions_framework.http
def chat(http: Request) -> ResponseReturnValue:
    """Answer one HTTP request."""
    pages = Callbacks(http.args)
    return endpoint.serve(http, deliver.KIND, deliver.request, deliver.handle, pages=pages)
