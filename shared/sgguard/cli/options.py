"""Options that several commands share, and the context they give with the environment."""

from __future__ import annotations

import os

import click

from sgguard import logs, providers
from sgguard.cli import failure
from sgguard.engine.context import Context
from sgguard.errors import PolicyError
from sgguard.settings import unknown_variables

JSON_OPTION = click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON document instead of text."
)
POLICY_OPTION = click.option(
    "--policy",
    type=click.Path(),
    metavar="FILE",
    help="The policy file, TOML or JSON; overrides SGGUARD_POLICY.",
)


def from_options(policy: str | None = None) -> Context:
    """Return the context of the environment and of the option ``--policy``.

    Raises:
        SettingsError: a setting or the policy cannot be used.
    """
    env = dict(os.environ)
    if policy is not None:
        if not policy.strip():  # an unset variable in a script must not mean "no policy"
            raise PolicyError("--policy names no file")
        env["SGGUARD_POLICY"] = policy
    for name in unknown_variables(env, providers.names()):
        failure.report(f"{name} is set, but there is no such setting: see deploy/README.md")
    context = Context.from_env(env)
    if env.get("SGGUARD_LOG_LEVEL"):
        logs.configure(context.settings.log_level)
    return context


def epilog(*examples: str, exit_codes: str = "0 success, 2 error") -> str:
    """Return the end of a command's help: how it is used, and what its exit codes mean."""
    lines = ["Examples:", *(f"  {one}" for one in examples)]
    return "\n".join(["\b", *lines, "", "\b", f"Exit codes: {exit_codes}."])
