"""``sgguard policy``: what a policy permits, for whom, until when, and whether it can be used."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from sgguard import policy as policies
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, examples
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


@click.group(short_help="What does a policy permit, where, until when?")
def policy() -> None:
    """Check a policy, show what holds for a group, list exemptions, judge recorded facts.

    Nothing here asks a cloud.
    """


@policy.command(
    epilog=examples(
        "sgguard policy check policy.toml", "SGGUARD_POLICY=p.toml sgguard policy check"
    )
)
@click.argument("file", required=False, type=click.Path())
def check(file: str | None) -> None:
    """Say whether FILE can be used, and what it permits, in plain words.

    Without FILE the one in SGGUARD_POLICY is looked at. The exit code is 0, or 2 where it cannot
    be used: then every mistake is named with its path and what would be right.
    """
    path = _path(file)
    found = policies.load(path)
    click.echo(f"{path or 'No policy file: the defaults'} can be used.\n")
    click.echo("\n".join(in_words(found)))


@policy.command(
    epilog=examples(
        "sgguard policy show",
        "sgguard policy show --for tencent::ap-guangzhou:sg-5ua9adfv --tag env=lab",
    )
)
@click.option("--for", "address", metavar="ADDRESS", help="The group whose policy is shown.")
@click.option("--name", help="The group's name, where scopes ask for it.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag of the group.")
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
    """Show every value of the policy, for everything or for one group, and where it comes from.

    A scope may ask for a group's name or tags. Nobody is asked for them here: give them, or the
    strictest of what is possible is shown.
    """
    path = _path(policy)
    found, document = policies.load(path), policies.read(path) if path else {}
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
    """Put the mode of ``SGGUARD_MODE`` in place of every other, as it wins over them."""
    mode = Settings.from_env({"SGGUARD_MODE": os.environ.get("SGGUARD_MODE", "")}).mode
    if mode is None:
        return rows
    kept = [one for one in rows if one.path.rpartition(".")[2] != "mode"]
    return [Origin("mode", mode.value, "SGGUARD_MODE"), *kept]


def _group(address: str, name: str | None, tags: tuple[str, ...]) -> Group | None:
    """Return what was said about the group, or None where nothing was."""
    wrong = next((one for one in tags if "=" not in one), None)
    if wrong is not None:
        raise click.UsageError(f"--tag {wrong}: expected KEY=VALUE, such as env=lab.")
    if name is None and not tags:
        return None
    pairs = tuple((key, value) for key, _, value in (one.partition("=") for one in tags))
    return Group(Address.parse(address).group_id, name or "", tags=pairs)


def _which(found: Policy, scopes: tuple[int, ...], *, is_sure: bool) -> str:
    named = "; ".join(f"scope {n} ({match_words(found.scopes[n].match)})" for n in scopes)
    if not is_sure:
        return (
            f"It may be any of: {named}. Give --name and --tag to know; until then: the strictest."
        )
    return f"Decided by {named}." if scopes else "No scope fits: the policy holds as it is."


def _print(rows: list[Origin], which: str, *, as_json: bool) -> None:
    if as_json:
        values = {one.path: {"value": one.value, "source": one.source} for one in rows}
        click.echo(json.dumps(values, indent=2, ensure_ascii=False))
        return
    if which:
        click.echo(f"{which}\n")
    width = max(len(one.path) for one in rows)
    for one in rows:
        value = json.dumps(one.value, ensure_ascii=False)
        click.echo(f"{one.path:<{width}}  {value}  ({one.source})")


@policy.command(
    epilog=examples(
        "sgguard policy exemptions", "sgguard policy exemptions --expiring 14d --json | jq"
    )
)
@click.option("--expiring", metavar="TIME", help="Only those that end within 36h, 14d, 2w, ….")
@POLICY_OPTION
@JSON_OPTION
def exemptions(expiring: str | None, policy: str | None, *, as_json: bool) -> None:
    """List what is excused, from what, by whom and until when; what ends first comes first."""
    within = None if expiring is None else _span(expiring)
    now = datetime.now(UTC)
    rows = list(policies.expiring(policies.load(_path(policy)), now, within))
    if as_json:
        click.echo(json.dumps([_json(one, now) for one in rows], indent=2, ensure_ascii=False))
    elif rows:
        _table(rows, now)
    else:
        click.echo("No exemptions." if within is None else f"No exemption ends within {expiring}.")


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
        click.echo("  ".join(cells).rstrip())


@policy.command(
    epilog=examples(
        "sgguard check delete tencent::ap-guangzhou:sg-5ua9adfv --record web.json",
        "sgguard policy test cases.toml",
    )
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@POLICY_OPTION
@JSON_OPTION
def test(files: tuple[str, ...], policy: str | None, *, as_json: bool) -> int:
    """Judge recorded facts by a policy and compare with what is expected, without a cloud.

    FILE has cases (TOML or JSON): facts = "web.json", verdict = "block", and, if you like, name,
    reasons and mode. It may name its policy; --policy wins. The exit code is 0 where all is as
    expected, else 1.
    """
    results = [one for file in files for one in _results(Path(file), policy)]
    failed = [one for one in results if one.differences]
    if as_json:
        click.echo(json.dumps([_result(one) for one in results], indent=2, ensure_ascii=False))
        return _DIFFERENT if failed else 0
    for one in results:
        click.echo(f"{'FAILED' if one.differences else 'ok':<6}  {one.case.name}")
        for said in one.differences:
            click.echo(f"        {said}")
    click.echo(f"\n{len(results)} cases, {len(failed)} not as expected")
    return _DIFFERENT if failed else 0


def _results(file: Path, override: str | None) -> list[replay.CaseResult]:
    cases = replay.read_cases(file)
    now = cases.now or datetime.now(UTC)
    path = cases.policy_path if override is None and cases.policy_path else _path(override)
    judged_by = policies.load(path, today=now.date())
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
    """Return the file that was named, or else that of ``SGGUARD_POLICY``."""
    if given is not None and not given.strip():  # an unset variable in a script
        raise PolicyError("no policy file is named")
    return given if given is not None else os.environ.get("SGGUARD_POLICY") or None
