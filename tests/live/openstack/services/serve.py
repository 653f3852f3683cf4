"""``serve.py PORT MODULE:ATTR``: one WSGI application on 127.0.0.1, one thread per request.

Requests that write take turns: SQLite refuses parallel writers ("database is locked"), and the
services answer 500 then.
"""

import importlib
import socketserver
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

_READING = ("GET", "HEAD", "OPTIONS")


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class Handler(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def in_turns(application):
    turn = threading.Lock()

    def app(environ, start_response):
        if environ["REQUEST_METHOD"] in _READING:
            return application(environ, start_response)
        with turn:
            return application(environ, start_response)

    return app


def main():
    port, target = int(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[:1]  # the services parse sys.argv themselves
    module, _, attribute = target.partition(":")
    application = getattr(importlib.import_module(module), attribute)
    server = make_server("127.0.0.1", port, in_turns(application), Server, Handler)
    print("ready", target, port, flush=True)
    server.serve_forever()


main()
