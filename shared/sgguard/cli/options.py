"""Options that several commands share, and the context they give with the environment."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection
from datetime import UTC, date, datetime

import click

from sgguard.cli.command import note_once
from sgguard.engine.context import Context, of_store
from sgguard.errors import PolicyError
from sgguard.policy import Policy
from sgguard.policy.start import ended, load_started
from sgguard.render.language.words import languages
from sgguard.telemetry import logs

JSON_OPTION = click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON document instead of text."
)
POLICY_OPTION = click.option(
    "--policy",
    type=click.Path(),
    metavar="FILE",
    help="The policy file, TOML or JSON; overrides SGGUARD_POLICY.",
)


LANGUAGE_OPTION = click.option(
    "--lang",
    "language",
    type=click.Choice(languages()),
    default="en",
    help="The language of the text (default: en); a document has sentences for any.",
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

AS_OPTION = click.option(
    "--as",
    "--by",
    "by",
    type=KEPT_TEXT,
    default=lambda: os.environ.get("USER", ""),
    metavar="NAME",
    help="Your name, spelt as in the policy (default: $USER); --by is the same.",
)


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
    env = environment(policy)
    context = Context.from_env(env, makes_store=makes_store)
    _warn_ended(context.policy, context.now())
    if env.get("SGGUARD_LOG_LEVEL"):
        logs.configure(context.settings.log_level)
    return context


def started(path: str | None, day: date | None = None) -> Policy:
    """Return the policy of a file; what has ended in it is reported and no error.

    Raises:
        PolicyError: the file cannot be used.
    """
    found = load_started(path)
    for one in ended(found, day or datetime.now(UTC)):
        note_once(one)
    return found


def _warn_ended(policy: Policy, now_s: float) -> None:
    for one in ended(policy, datetime.fromtimestamp(now_s, UTC)):
        note_once(one)


def store_only(*, needs: Collection[str] = (), makes_store: bool = False) -> Context:
    """Return the context of a command that needs the store and nothing else.

    The policy is not read. Settings that cannot be used are reported and count as not set, but
    for those in ``needs``.

    Raises:
        SettingsError: the store, or a setting that is needed, cannot be used.
    """
    env = environment(None)
    context, problems = of_store(env, needs=needs, makes_store=makes_store)
    for problem in problems:
        note_once(f"{problem}; not needed here, and not used")
    if env.get("SGGUARD_LOG_LEVEL"):
        logs.configure(context.settings.log_level)
    return context


def readable_policy(policy: str | None = None) -> Policy | None:
    """Return the policy as far as it can be read, None where it cannot: that is reported.

    For commands that must work with any policy. An exemption that has ended is reported only.

    Raises:
        PolicyError: ``--policy`` names no file.
    """
    path = environment(policy).get("SGGUARD_POLICY", "").strip() or None
    try:
        return started(path)
    except PolicyError as error:
        note_once(f"{error}; the policy is not used here")
        return None


def environment(policy: str | None) -> dict[str, str]:
    """Return the environment, with the policy of ``--policy`` in it.

    Raises:
        PolicyError: the option names no file.
    """
    env = dict(os.environ)
    if policy is not None:
        if not policy.strip():  # an unset variable in a script must not mean "no policy"
            raise PolicyError("--policy names no file")
        env["SGGUARD_POLICY"] = policy
    return env


def epilog(*examples: str, exit_codes: str = "0 success, 2 error") -> str:
    """Return the end of a command's help: how it is used, and what its exit codes mean."""
    lines = ["Examples:", *(f"  {one}" for one in examples)]
    return "\n".join(["\b", *lines, "", "\b", f"Exit codes: {exit_codes}."])
