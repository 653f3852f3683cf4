"""What a command on a terminal judges with: the environment, and the options that override it."""

from __future__ import annotations

import os

import click

from sgguard import logs, providers
from sgguard.cli import failure
from sgguard.engine.context import Context
from sgguard.errors import PolicyError
from sgguard.settings import unknown_variables

JSON_OPTION = click.option(
    "--json", "as_json", is_flag=True, help="Print the document and nothing else."
)
POLICY_OPTION = click.option(
    "--policy",
    type=click.Path(),
    metavar="FILE",
    help="The policy to judge by (TOML or JSON); wins over SGGUARD_POLICY.",
)


def from_options(policy: str | None = None) -> Context:
    """Return what to judge with, from the environment and the option ``--policy``.

    Raises:
        SettingsError: a setting or the policy cannot be used.
    """
    env = dict(os.environ)
    if policy is not None:
        if not policy.strip():  # an unset variable in a script must not mean "no policy"
            raise PolicyError("--policy names no file")
        env["SGGUARD_POLICY"] = policy
    for name in unknown_variables(env, providers.names()):
        failure.say(f"{name} is set, but there is no such setting: see the table in the README")
    context = Context.from_env(env)
    if env.get("SGGUARD_LOG_LEVEL"):
        logs.configure(context.settings.log_level)
    return context


def examples(*lines: str) -> str:
    """Return the end of a command's help that shows how it is used."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
