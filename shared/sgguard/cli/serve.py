"""``sgguard serve``: every function on one port of this machine."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack

import click

from sgguard.cli.emulate import HOST_OPTION, PORT, listening
from sgguard.cli.options import POLICY_OPTION, epilog, from_options
from sgguard.web import server


@click.command(
    short_help="Serve the functions on one port.",
    epilog=epilog(
        "sgguard serve --port 8080",
        "curl -s http://127.0.0.1:8080/delete_request -H 'content-type: application/json' \\",
        """  -d '{"target": "tencent::ap-guangzhou:sg-5ua9adfv"}'""",
        exit_codes="0 ended by Ctrl-C or SIGTERM, 2 error",
    ),
)
@click.option(
    "--port",
    type=PORT,
    default=8080,
    show_default=True,
    help="The port to listen on; 0 takes any free one.",
)
@HOST_OPTION
@POLICY_OPTION
def serve(port: int, host: str, policy: str | None) -> None:
    """Serve every function under its name on one port, until interrupted; for development.

    Prints one address per function. There is no authentication here: in production each function
    is deployed by itself, behind that of its platform.
    """
    # A wrong setting is an error now, not with the first event.
    from_options(policy, makes_store=True)
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
