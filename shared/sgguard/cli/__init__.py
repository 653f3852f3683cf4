"""The command ``sgguard``: each subcommand is a module here, imported only when it is used."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from sgguard import lazy
from sgguard.cli import exit_codes, failure, version
from sgguard.cli.command import Group, apply_common, common_options
from sgguard.settings import PREFIX

if TYPE_CHECKING:
    from sgguard.cli import completion
else:
    completion = lazy("sgguard.cli.completion")  # only a shell that completes asks for it

__all__ = ["main"]

_COMMANDS = (
    "demo",
    "doctor",
    "emulate",
    "serve",
    "functions",
    "openapi",
    "package",
    "check",
    "explain",
    "explain-code",
    "replay",
    "apply",
    "bind",
    "unbind",
    "undo",
    "policy",
    "permissions",
    "callers",
    "callbacks",
    "restore",
    "approvals",
    "channels",
    "outbox",
    "decisions",
    "deadletter",
    "resume",
    "halt",
    "completion",
)


_COMPLETION = f"_{PREFIX}COMPLETE"


class _Lazy(Group):
    """Finds ``sgguard.cli.<name>:<name>``, so that a check does not wait for a web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = cmd_name.replace("-", "_")
        return cast(click.Command, getattr(import_module(f"{__name__}.{module}"), module))


@click.group(
    cls=_Lazy,
    params=common_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  sgguard demo
  sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv
  sgguard apply --dry-run tencent::ap-guangzhou:sg-5ua9adfv
  sgguard explain alibaba::cn-hangzhou:sg-bp1fg655nh68xyz9 --format mermaid
  sgguard check --help

\b
An address is provider:account:region:group-id; the account may be empty.
Credentials come from each cloud's own variables (TENCENTCLOUD_SECRET_ID, …); `sgguard doctor`
names those that are missing.

\b
Exit codes: 0 allow, 1 block, 2 error, 3 remediate: allowed after changes or an approval.
Where a command differs, its own help says so.""",
)
@click.version_option(version.text(), prog_name="sgguard")
@click.option("--debug", is_flag=True, help="Log in detail; show tracebacks of unexpected errors.")
def cli(*, debug: bool, **common: Any) -> None:
    """Judge whether security groups may be deleted and instances launched, and say why.

    Start with `sgguard demo`: it needs no cloud and no credentials.
    """
    apply_common(common)
    if debug:
        failure.debug()


_COLLECT_AT = 400_000
"""Objects after which garbage is looked for: a large document is kept to its end, all of it."""


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command and end the process with its exit code."""
    gc.set_threshold(_COLLECT_AT)
    if os.environ.get(_COMPLETION):
        sys.exit(completion.answered(cli))
    code = failure.run(cli, sys.argv[1:] if args is None else args)
    if code == exit_codes.INTERRUPTED:
        # Reads in other threads would keep the process alive until their clouds respond.
        os._exit(code)
    sys.exit(code)
