"""``sgguard serve``: every function on one port of this machine."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack

import click

from sgguard.cli.emulate import HOST_OPTION, PORT, listening
from sgguard.cli.options import POLICY_OPTION, examples, from_options
from sgguard.web import server


@click.command(
    short_help="Serve the functions on one port, to try them.",
    epilog=examples(
        "sgguard serve --port 8080",
        "curl -s http://127.0.0.1:8080/delete_request -H 'content-type: application/json' \\",
        """  -d '{"target": "tencent::ap-guangzhou:sg-5ua9adfv"}'""",
    ),
)
@click.option("--port", type=PORT, default=8080, show_default=True, help="0 finds a free one.")
@HOST_OPTION
@POLICY_OPTION
def serve(port: int, host: str, policy: str | None) -> None:
    """Serve every function under its name on one port, for trying things out.

    In production each function is deployed by itself, behind the platform's authentication; here
    nobody is asked who they are.
    """
    from_options(policy)  # a wrong setting is said now, not with the first event
    if policy is not None:
        os.environ["SGGUARD_POLICY"] = policy
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        with listening(host, port):
            url = stack.enter_context(server.serve(host, port))
        for name in server.functions():
            click.echo(f"{url}/{name}")
        stop.wait()
