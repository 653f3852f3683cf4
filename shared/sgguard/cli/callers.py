"""``sgguard callers``: make the secret of a caller, list who may ask, check that each can."""

from __future__ import annotations

import base64
import json
import re
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from sgguard.callers.secret import hash_of, matching, new_token
from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import print_json
from sgguard.model.caller import Caller
from sgguard.operations.doctor import examine_callers
from sgguard.policy.proof import digests
from sgguard.web import installed

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_KINDS = ("bearer", "header", "basic", "hmac")
_FOUND = 1
_SECRET_BYTES = 32
_TOKEN_MAX = 8192


@group(
    short_help="Make, list and check callers.",
    epilog=epilog(
        "sgguard callers new portal",
        "sgguard callers list",
        "sgguard callers check",
        exit_codes="0 success, 1 something was found (callers check), 2 error",
    ),
)
def callers() -> None:
    """Make the secret of a caller, list who may ask a function, and check that each of them can.

    A caller is a row of the policy's table [[caller]]. The policy keeps the hash of a secret or
    the place where it is, never the secret itself.
    """


@callers.command(
    short_help="Make a secret and its row for the policy.",
    epilog=epilog(
        "sgguard callers new portal",
        "sgguard callers new gitlab --proof header --header X-Gitlab-Token",
    ),
)
@click.argument("name")
@click.option(
    "--proof",
    type=click.Choice(_KINDS),
    default="bearer",
    show_default=True,
    help="How the caller proves who it is.",
)
@click.option("--header", default="X-Guard-Key", show_default=True, help="The header of a token.")
@click.option(
    "--function",
    "functions",
    multiple=True,
    help="A function it may call; repeatable (default: delete_request).",
)
@JSON_OPTION
def new(name: str, proof: str, header: str, functions: tuple[str, ...], *, as_json: bool) -> None:
    """Print a new secret for the caller NAME, once, and the row that makes the policy know it.

    The secret is kept nowhere. To rotate one, add its hash as the first of the caller's, switch
    the sender, and remove the old hash a day later.
    """
    if not _NAME.fullmatch(name):
        raise click.UsageError(f"NAME {name}: expected letters a-z, digits and hyphens.")
    token, table, note = _made(name, proof, header)
    may = json.dumps(list(functions) or ["delete_request"])
    row = f'[[caller]]\nname = "{name}"\nproof = {table}\nfunctions = {may}\n'
    row += 'targets = ["tencent::*:*"]    # address patterns; * does not cross a colon\n'
    row += 'mode = "observe"              # at most; approve and enforce are for those you trust\n'
    if as_json:
        print_json({"name": name, "proof": proof, "secret": token, "row": row})
        return
    terminal.say(f"The secret, shown this once:\n{token}\n{note}\nFor the policy:\n{row.rstrip()}")


def _made(name: str, proof: str, header: str) -> tuple[str, str, str]:
    """Return a secret, the proof of the policy that goes with it, and how it is sent."""
    token = new_token(name)
    hashed = f'["{hash_of(token)}"]'
    if proof == "bearer":
        return (
            token,
            f"{{ bearer = {hashed} }}",
            "\nIt is sent as Authorization: Bearer <secret>.\n",
        )
    if proof == "header":
        table = f'{{ header = {{ name = "{header}", hashes = {hashed} }} }}'
        return token, table, f"\nIt is sent as {header}: <secret>.\n"
    if proof == "basic":
        table = f'{{ basic = {{ user = "{name}", hashes = {hashed} }} }}'
        return token, table, f"\nIt is the password of the user {name}.\n"
    variable = f"SGG_{name.upper().replace('-', '_')}_SECRET"
    where = f'[{{ env = "{variable}" }}]'
    table = f'{{ hmac = {{ scheme = "standard-webhooks", secrets = {where} }} }}'
    key = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    return key, table, f"\nSet it as {variable} where the function runs, and at the sender.\n"


@callers.command(
    "list",
    short_help="List who may ask, and for what.",
    epilog=epilog("sgguard callers list", "sgguard callers list --json | jq '.[].name'"),
)
@POLICY_OPTION
@JSON_OPTION
def list_callers(policy: str | None, *, as_json: bool) -> None:
    """List the callers of the policy: how each proves who it is, and what it may ask for."""
    found = from_options(policy).policy.callers
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        terminal.say("No callers: functions answer everybody, and only observe on loopback.")
        return
    heads = ("NAME", "PROOF", "MODE", "UNTIL", "FUNCTIONS", "TARGETS")
    rows = [heads, *map(_cells, found)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(heads))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminal.say("  ".join(cells).rstrip())


def _cells(one: Caller) -> tuple[str, ...]:
    until = one.expires.isoformat() if one.expires else "-"
    targets = ", ".join(one.targets) or "none"
    return one.name, one.kind, one.mode.value, until, ", ".join(one.functions), targets


def _document(one: Caller) -> dict[str, Any]:
    return {
        "name": one.name,
        "proof": one.kind,
        "functions": list(one.functions),
        "targets": list(one.targets),
        "sources": list(one.sources),
        "types": list(one.types),
        "mode": one.mode.value,
        "budget": {"decisions": one.budget.decisions, "calls": one.budget.calls},
        "speaks_for": list(one.speaks_for),
        "expires": one.expires.isoformat() if one.expires else None,
        "sender": one.sender,
        "note": one.note,
    }


@callers.command(
    short_help="Check that callers can be proven here.",
    epilog=epilog(
        "sgguard callers check",
        "pass show portal | sgguard callers check --token-file -",
        exit_codes="0 nothing found, 1 something was, or the token is nobody's, 2 error",
    ),
)
@click.option(
    "--token-file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Tell whose the token in FILE is (- for standard input) instead.",
)
@POLICY_OPTION
@JSON_OPTION
def check(token_file: str | None, policy: str | None, *, as_json: bool) -> int:
    """Check days, secrets, keys and functions of every caller, as `sgguard doctor` does."""
    context = from_options(policy)
    if token_file is not None:
        return _whose(token_file, context.policy.callers, as_json=as_json)
    found = [
        (one.weight, one.message, one.remedy)
        for one in examine_callers(context)
        if one.code != "callers"
    ]
    known = set(installed.functions())
    found += [
        ("problem", f"caller {one.name}: there is no function {name}", f"one of {sorted(known)}")
        for one in context.policy.callers
        for name in one.functions
        if name not in known
    ]
    if as_json:
        print_json([{"weight": w, "message": m, "remedy": r} for w, m, r in found])
    for weight, message, remedy in () if as_json else found:
        terminal.say(f"{weight}: {message}\n  {remedy}")
    if not found and not as_json:
        terminal.say(f"{len(context.policy.callers)} callers, nothing found.")
    return _FOUND if any(weight != "note" for weight, *_ in found) else 0


def _whose(place: str, known: tuple[Caller, ...], *, as_json: bool) -> int:
    """Tell whose a token is; it is neither printed nor kept."""
    text = sys.stdin.read(_TOKEN_MAX) if place == "-" else Path(place).read_text("utf-8")
    token = text.strip().encode()
    owner = next(
        (
            one.name
            for one in known
            for key in ("hashes", "tokens")
            if matching(token, digests(list(one.proof.get(key, ()))))
        ),
        None,
    )
    if as_json:
        print_json({"caller": owner})
    else:
        terminal.say(f"It is the token of {owner}." if owner else "It is nobody's token.")
    return 0 if owner else _FOUND
