"""``sgguard explain-code``: what a code means, and what a person does about it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

import click

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.options import JSON_OPTION, epilog
from sgguard.cli.output import print_json
from sgguard.model import runbook
from sgguard.model.codes import (
    DELETE_CODES,
    LAUNCH_CODES,
    MEANINGS,
    OUTCOMES,
    Outcome,
    ReasonCode,
    UnseenCode,
)
from sgguard.model.runbook import Runbook

_LINK = re.compile(r"; see \[[^]]*\]\([^)]*\)")
_NEAR = 3


@command(
    short_help="Explain a reason, gap or outcome, and what to do about it.",
    epilog=epilog(
        "sgguard explain-code bound",
        "sgguard explain-code no-permission",
        "sgguard explain-code partly-undone --json",
        exit_codes="0 the code is explained, 2 there is no such code",
    ),
)
@click.argument("code", required=False)
@JSON_OPTION
def explain_code(code: str | None, *, as_json: bool) -> None:
    """Explain a code of a decision: of a reason, of a gap in the facts, or of an outcome.

    Without CODE all of them are listed, each with what it means.
    """
    known = entries()
    if code is None:
        _list(known, as_json=as_json)
        return
    entry = known.get(code.strip().lower())
    if entry is None:
        near = get_close_matches(code.strip().lower(), known, n=_NEAR, cutoff=0.4)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        raise click.UsageError(f"There is no code {code!r}{hint or '.'}")
    if as_json:
        print_json(entry)
        return
    for line in _lines(entry):
        terminal.say(line)


def entries() -> dict[str, dict[str, Any]]:
    """Return every code with what is known about it, as JSON documents by their codes."""
    guards = (("delete", DELETE_CODES), ("launch", LAUNCH_CODES))
    found: dict[str, dict[str, Any]] = {}
    for reason in ReasonCode:
        of = [name for name, codes in guards if reason in codes]
        entry = _entry(reason, "reason", MEANINGS[reason], runbook.REASONS[reason])
        found[reason] = {**entry, "guards": of}
    for gap in UnseenCode:
        found[gap] = _entry(gap, "gap", runbook.GAP_MEANINGS[gap], runbook.GAPS[gap])
    for outcome in Outcome:
        found[outcome] = _entry(outcome, "outcome", OUTCOMES[outcome], runbook.OUTCOMES[outcome])
    return found


def _entry(code: str, kind: str, means: str, book: Runbook) -> dict[str, Any]:
    return {
        "code": str(code),
        "kind": kind,
        "means": means,
        "evidence": book.evidence,
        "do": _LINK.sub("", book.do),
        "silence": book.silence,
        "related": [str(one) for one in book.related],
    }


def _list(known: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"codes": list(known.values())})
        return
    width = max(map(len, known))
    for code, entry in known.items():
        terminal.say(f"{code:<{width}}  {entry['kind']:<7}  {entry['means']}")


def _lines(entry: dict[str, Any]) -> list[str]:
    of = f" of the guard {' and '.join(entry['guards'])}" if entry.get("guards") else ""
    silence = entry["silence"] or "no policy can; only what is done about it ends it"
    parts = (
        ("means", entry["means"]),
        ("evidence", entry["evidence"]),
        ("do now", entry["do"]),
        ("silence", "" if entry["kind"] == "outcome" else silence),
        ("related", ", ".join(entry["related"])),
    )
    head = f"{entry['code']}: {entry['kind']}{of}"
    return [head, *(f"  {name:<9} {text}" for name, text in parts if text)]
