"""``sgguard serve``: every function on one port of this machine."""

from __future__ import annotations

import os
from contextlib import ExitStack

import click

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.emulate import HOST_OPTION, PORT, end, ending, listening
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import print_json
from sgguard.web import installed, server


@command(
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
@JSON_OPTION
def serve(port: int, host: str, policy: str | None, *, as_json: bool) -> None:
    """Serve every function under its name on one port, until interrupted; for development.

    Prints one address per function. Ctrl-C or SIGTERM ends it once what is under way is answered; a
    second one ends it at once. Who may ask stands in the policy's table [[caller]]; without one
    everybody is answered, and only on a loopback address while nothing can be changed.
    """
    # A wrong setting is an error now, not with the first event.
    from_options(policy, makes_store=True)
    if policy is not None:
        os.environ["SGGUARD_POLICY"] = policy
    with ending() as wait, ExitStack() as stack:
        with listening(host, port):
            url = stack.enter_context(server.serve(host, port))
        addresses = {name: f"{url}/{name}" for name in installed.functions()}
        if as_json:
            print_json({"url": url, "functions": addresses})
        for address in () if as_json else addresses.values():
            terminal.say(address)
        wait()
        end(stack)
