"""Options that several commands share, and the context they give with the environment."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection
from datetime import date

import click

from sgguard import logs, providers
from sgguard.cli import failure
from sgguard.engine.context import Context, of_store
from sgguard.errors import PolicyError
from sgguard.policy import Policy, load
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


class _KeptText(click.types.StringParamType):
    """A text that every store can keep: no control character, no half of a surrogate pair."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text, or end the command: nothing is done with another one."""
        if any(_is_unkept(character) for character in value):
            self.fail("it has a control character, or a byte that is not UTF-8.", param, ctx)
        return value


KEPT_TEXT = _KeptText()


def kept(text: str) -> str:
    """Return a free text on one line, with U+FFFD for each character that no store can keep."""
    line = " ".join(text.split())
    return "".join("\ufffd" if _is_unkept(character) else character for character in line)


def _is_unkept(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")


def from_options(policy: str | None = None, *, makes_store: bool = False) -> Context:
    """Return the context of the environment and of the option ``--policy``.

    Raises:
        SettingsError: a setting or the policy cannot be used.
    """
    env = _environment(policy)
    context = Context.from_env(env, makes_store=makes_store)
    if env.get("SGGUARD_LOG_LEVEL"):
        logs.configure(context.settings.log_level)
    return context


def store_only(*, needs: Collection[str] = (), makes_store: bool = False) -> Context:
    """Return the context of a command that needs the store and nothing else.

    The policy is not read. Settings that cannot be used are reported and count as not set, but
    for those in ``needs``.

    Raises:
        SettingsError: the store, or a setting that is needed, cannot be used.
    """
    env = _environment(None)
    context, problems = of_store(env, needs=needs, makes_store=makes_store)
    for problem in problems:
        _report_once(f"{problem}; not needed here, and not used")
    if env.get("SGGUARD_LOG_LEVEL"):
        logs.configure(context.settings.log_level)
    return context


def readable_policy(policy: str | None = None) -> Policy | None:
    """Return the policy as far as it can be read, None where it cannot: that is reported.

    For commands that must work with any policy. An exemption that has ended is reported only.

    Raises:
        PolicyError: ``--policy`` names no file.
    """
    path = _environment(policy).get("SGGUARD_POLICY", "").strip() or None
    try:
        return load(path)
    except PolicyError as error:
        problem = str(error)
    try:
        found = load(path, today=date.min)
    except PolicyError:
        found = None
    _report_once(problem if found else f"{problem}; the policy is not used here")
    return found


def _environment(policy: str | None) -> dict[str, str]:
    env = dict(os.environ)
    if policy is not None:
        if not policy.strip():  # an unset variable in a script must not mean "no policy"
            raise PolicyError("--policy names no file")
        env["SGGUARD_POLICY"] = policy
    for name in unknown_variables(env, providers.names()):
        _report_once(f"{name} is set, but there is no such setting: see deploy/README.md")
    return env


def _report_once(message: str) -> None:
    """Report a message once per command, however often its context is made."""
    context = click.get_current_context(silent=True)
    reported: set[str] = set() if context is None else context.meta.setdefault(__name__, set())
    if message not in reported:
        reported.add(message)
        failure.report(message)


def epilog(*examples: str, exit_codes: str = "0 success, 2 error") -> str:
    """Return the end of a command's help: how it is used, and what its exit codes mean."""
    lines = ["Examples:", *(f"  {one}" for one in examples)]
    return "\n".join(["\b", *lines, "", "\b", f"Exit codes: {exit_codes}."])
