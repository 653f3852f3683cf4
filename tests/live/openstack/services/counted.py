"""Neutron's API, which says of each request what it asked the database.

The header ``X-Statements`` of a response has the statements as a JSON list. A request is answered
by one thread (``serve.py``), so each thread has a list of its own.
"""

import json
import threading

from neutron.wsgi.api import application as neutron
from sqlalchemy import event
from sqlalchemy.engine import Engine

_request = threading.local()
# What a header of 8,000 bytes has room for.
_STATEMENTS_MAX = 100


@event.listens_for(Engine, "before_cursor_execute")
def _note(_connection, _cursor, statement, _parameters, _context, _executemany):
    statements = getattr(_request, "statements", None)
    if statements is not None:
        statements.append(" ".join(statement.split()))


def application(environ, start_response):
    _request.statements = []

    def start(status, headers, exc_info=None):
        # The tables a statement reads tell it from another one; its columns are left out.
        short = [_short(one) for one in _request.statements]
        headers.append(("X-Statements", json.dumps(short[:_STATEMENTS_MAX])))
        return start_response(status, headers, exc_info)

    return neutron(environ, start)


def _short(statement):
    head, _, tail = statement.partition(" FROM ")
    return f"{head.split()[0]} {tail[:60]}" if tail else head[:60]
