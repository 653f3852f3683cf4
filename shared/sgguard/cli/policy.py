"""``sgguard policy``: check a policy, show what it permits, list exemptions, judge stored facts."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from sgguard import policy as policies
from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, epilog, started
from sgguard.cli.output import print_json
from sgguard.errors import PolicyError
from sgguard.model.address import Address
from sgguard.model.resource import Group
from sgguard.operations import replay
from sgguard.policy import Exemption, Policy
from sgguard.policy.exemption import day_of
from sgguard.policy.origin import Origin, origins
from sgguard.policy.words import in_words, match_words
from sgguard.settings import Settings

_SPAN = re.compile(r"(\d{1,5})([dhw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DIFFERENT = 1
_CASES = """\b
A file of cases:
  policy = "policy.toml"
  [[case]]
  facts = "web.json"
  verdict = "block"
  reasons = ["referenced", "bound"]

"""


@group(
    short_help="Check, show and test a policy.",
    epilog=epilog(
        "sgguard policy check policy.toml",
        "sgguard policy test cases.toml",
        exit_codes="0 success, 1 a case of `policy test` failed, 2 error",
    ),
)
def policy() -> None:
    """Check a policy, show what holds for one group, list exemptions, test it on recorded facts.

    A policy is a TOML or JSON file: it says what may be changed, in which mode, and who approves.
    These commands contact no cloud and need no credentials.
    """


@policy.command(
    short_help="Check a policy file and explain it.",
    epilog=epilog(
        "sgguard policy check policy.toml",
        "SGGUARD_POLICY=p.toml sgguard policy check",
        exit_codes="0 the policy is valid, 2 it is not",
    ),
)
@click.argument("file", required=False, type=click.Path())
@JSON_OPTION
def check(file: str | None, *, as_json: bool) -> None:
    """Check that FILE is valid, and print what it permits, one sentence a line.

    Without FILE the policy of SGGUARD_POLICY is checked. Every error is listed with its path in
    the file and what is expected there. An exemption that has ended is an error here, and a
    warning everywhere else.
    """
    path = _path(file)
    try:
        found = policies.load(path)
    except PolicyError as error:
        if as_json:
            print_json({"file": path, "valid": False, "problem": str(error), "meaning": []})
        raise
    if as_json:
        meaning = list(in_words(found))
        print_json({"file": path, "valid": True, "problem": "", "meaning": meaning})
        return
    terminal.say(f"{path or 'No policy file: the default policy'} is valid.\n")
    terminal.say("\n".join(in_words(found)))


@policy.command(
    short_help="Show every value and where it comes from.",
    epilog=epilog(
        "sgguard policy show",
        "sgguard policy show --for tencent::ap-guangzhou:sg-5ua9adfv --tag env=lab",
    ),
)
@click.option("--for", "address", metavar="ADDRESS", help="Show what holds for this group.")
@click.option("--name", help="The group's name, where a scope depends on it.")
@click.option(
    "--tag",
    "tags",
    metavar="KEY=VALUE",
    multiple=True,
    help="A tag of the group, where a scope depends on it; repeatable.",
)
@POLICY_OPTION
@JSON_OPTION
def show(
    address: str | None,
    name: str | None,
    tags: tuple[str, ...],
    policy: str | None,
    *,
    as_json: bool,
) -> None:
    """Show every value of the policy and its source: the file, a scope, or the defaults.

    With --for, the values for one group. A scope may depend on a group's name or tags; no cloud
    is asked for them, so give them with --name and --tag. Without them the strictest of the
    possible values is shown.
    """
    path = _path(policy)
    found, document = started(path), policies.read(path) if path else {}
    if address is None:
        if name is not None or tags:
            raise click.UsageError("--name and --tag describe the group of --for.")
        rows = list(origins(policies.applied(found, None), document, None))
        _print(_with_mode(rows), "", as_json=as_json)
        return
    group = _group(address, name, tags)
    where = Address.parse(address)
    scopes, may_be_none = policies.possible(found, where, group)
    effective = policies.for_group(found, where, group)
    is_sure = len(scopes) + may_be_none == 1
    scope = scopes[0] if is_sure and scopes else None
    rows = list(origins(effective, document, scope))
    if not is_sure:
        rows = [Origin(one.path, one.value, "strictest") for one in rows]
    _print(_with_mode(rows), _which(found, scopes, is_sure=is_sure), as_json=as_json)


def _with_mode(rows: list[Origin]) -> list[Origin]:
    """Replace every mode by that of ``SGGUARD_MODE``, which overrides them."""
    mode = Settings.from_env({"SGGUARD_MODE": os.environ.get("SGGUARD_MODE", "")}).mode
    if mode is None:
        return rows
    kept = [one for one in rows if one.path.rpartition(".")[2] != "mode"]
    return [Origin("mode", mode.value, "SGGUARD_MODE"), *kept]


def _group(address: str, name: str | None, tags: tuple[str, ...]) -> Group | None:
    """Return the group as the options describe it, or None where they do not."""
    wrong = next((one for one in tags if "=" not in one), None)
    if wrong is not None:
        raise click.UsageError(f"--tag {wrong}: expected KEY=VALUE, such as env=lab.")
    if name is None and not tags:
        return None
    pairs = tuple((key, value) for key, _, value in (one.partition("=") for one in tags))
    return Group(Address.parse(address).group_id, name, tags=pairs or None)


def _which(found: Policy, scopes: tuple[int, ...], *, is_sure: bool) -> str:
    named = "; ".join(f"scope {n} ({match_words(found.scopes[n].match)})" for n in scopes)
    if not is_sure:
        return f"One of these may apply: {named}. Without --name and --tag: the strictest values."
    return f"Decided by {named}." if scopes else "No scope matches: the values of the whole policy."


def _print(rows: list[Origin], which: str, *, as_json: bool) -> None:
    if as_json:
        values = {one.path: {"value": one.value, "source": one.source} for one in rows}
        print_json(values)
        return
    if which:
        terminal.say(f"{which}\n")
    width = max(len(one.path) for one in rows)
    for one in rows:
        value = json.dumps(one.value, ensure_ascii=False)
        terminal.say(f"{one.path:<{width}}  {value}  ({one.source})")


@policy.command(
    short_help="List exemptions and when they end.",
    epilog=epilog(
        "sgguard policy exemptions", "sgguard policy exemptions --expiring 14d --json | jq"
    ),
)
@click.option("--expiring", metavar="TIME", help="Only exemptions that end within 36h, 14d, 2w, ….")
@POLICY_OPTION
@JSON_OPTION
def exemptions(expiring: str | None, policy: str | None, *, as_json: bool) -> None:
    """List exemptions, the first to end first: end, group, reason codes, owner and reason."""
    within = None if expiring is None else _span(expiring)
    now = datetime.now(UTC)
    rows = list(policies.expiring(started(_path(policy)), now, within))
    if as_json:
        print_json([_json(one, now) for one in rows])
    elif rows:
        _table(rows, now)
    else:
        none = "No exemptions." if within is None else f"No exemption ends within {expiring}."
        terminal.say(none)


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if not found:
        raise click.UsageError(f"--expiring {text}: expected a time such as 36h, 14d or 2w.")
    return int(found[1]) * _UNITS[found[2]]


def _json(one: Exemption, now: datetime) -> dict[str, Any]:
    return {
        "group": one.group,
        "reasons": list(one.reasons),
        "owner": one.owner,
        "reason": one.reason,
        "expires": one.expires.isoformat(),
        "days_left": (one.expires - day_of(now)).days,
    }


def _table(rows: list[Exemption], now: datetime) -> None:
    heads = ("UNTIL", "DAYS LEFT", "GROUP", "FROM", "OWNER", "REASON")
    lines = [
        (
            one.expires.isoformat(),
            str((one.expires - day_of(now)).days),
            one.group,
            ",".join(one.reasons),
            one.owner,
            one.reason,
        )
        for one in rows
    ]
    widths = [max(len(line[n]) for line in (heads, *lines)) for n in range(len(heads))]
    for line in (heads, *lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        terminal.say("  ".join(cells).rstrip())


@policy.command(
    short_help="Test a policy on recorded facts.",
    epilog=_CASES
    + epilog(
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv --record web.json",
        "sgguard policy test cases.toml",
        exit_codes="0 every case is as expected, 1 one is not, 2 error",
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@POLICY_OPTION
@JSON_OPTION
def test(files: tuple[str, ...], policy: str | None, *, as_json: bool) -> int:
    """Judge recorded facts by a policy and compare the result with what is expected.

    FILE is TOML or JSON with a list of cases. Facts are written by `sgguard check … --record`;
    name, reasons and mode of a case are optional. FILE may name its policy; --policy overrides it.
    """
    results = [one for file in files for one in _results(Path(file), policy)]
    failed = [one for one in results if one.differences]
    if as_json:
        print_json([_result(one) for one in results])
        return _DIFFERENT if failed else 0
    for one in results:
        terminal.say(f"{'FAILED' if one.differences else 'ok':<6}  {one.case.name}")
        for difference in one.differences:
            terminal.say(f"        {difference}")
    terminal.say(f"\n{len(results)} cases, {len(failed)} not as expected")
    return _DIFFERENT if failed else 0


def _results(file: Path, override: str | None) -> list[replay.CaseResult]:
    cases = replay.read_cases(file)
    now = cases.now or datetime.now(UTC)
    path = cases.policy_path if override is None and cases.policy_path else _path(override)
    judged_by = started(path, now.date())
    return [replay.run(one, judged_by, now) for one in cases.cases]


def _result(one: replay.CaseResult) -> dict[str, Any]:
    return {
        "name": one.case.name,
        "as_expected": not one.differences,
        "verdict": one.judgement.verdict.value,
        "reasons": [f"{each.code}:{each.effect}" for each in one.judgement.reasons],
        "differences": list(one.differences),
    }


def _path(given: str | None) -> str | None:
    """Return the given file, or else that of ``SGGUARD_POLICY``."""
    if given is not None and not given.strip():  # an unset variable in a script
        raise PolicyError("the name of the policy file is empty")
    return given if given is not None else os.environ.get("SGGUARD_POLICY") or None
