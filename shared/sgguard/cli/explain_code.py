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
from sgguard.web.runbook import PROBLEMS

_LINK = re.compile(r"; see \[[^]]*\]\([^)]*\)")
_NEAR = 3
_SENDER = "nothing: send the event again after the time that Retry-After names"


@command(
    short_help="Explain a reason, gap, outcome or problem, and what to do about it.",
    epilog=epilog(
        "sgguard explain-code bound",
        "sgguard explain-code no-permission",
        "sgguard explain-code credentials",
        "sgguard explain-code partly-undone --json",
        exit_codes="0 the code is explained, 2 there is no such code",
    ),
)
@click.argument("code", required=False)
@JSON_OPTION
def explain_code(code: str | None, *, as_json: bool) -> None:
    """Explain a code: of a reason, a gap in the facts, an outcome, or a problem of an answer.

    Without CODE all of them are listed, each with what it means.
    """
    known = entries()
    found = known if code is None else [one for one in known if one["code"] == _typed(code)]
    if code is not None and not found:
        names = dict.fromkeys(one["code"] for one in known)
        near = get_close_matches(_typed(code), names, n=_NEAR, cutoff=0.4)
        hint = f": did you mean {' or '.join(near)}?" if near else "."
        raise click.UsageError(f"There is no code {code!r}{hint}")
    if as_json:
        print_json({"codes": found})
    elif code is None:
        width = max(len(one["code"]) for one in known)
        for one in known:
            terminal.say(f"{one['code']:<{width}}  {one['kind']:<7}  {one['means']}")
    else:
        for one in found:  # one name may be that of an outcome and of a problem
            for line in _lines(one):
                terminal.say(line)


def _typed(code: str) -> str:
    """Return the name in a code as a person copies it: in any case, or a problem's whole type."""
    return code.strip().lower().rpartition("/")[2]


def entries() -> list[dict[str, Any]]:
    """Return what is known about every code, as JSON documents; kind by kind, in their order."""
    guards = (("delete", DELETE_CODES), ("launch", LAUNCH_CODES))
    reasons = [
        {
            **_entry(code, "reason", MEANINGS[code], runbook.REASONS[code]),
            "guards": [name for name, codes in guards if code in codes],
        }
        for code in ReasonCode
    ]
    gaps = [
        _entry(code, "gap", runbook.GAP_MEANINGS[code], runbook.GAPS[code]) for code in UnseenCode
    ]
    outcomes = [_entry(code, "outcome", OUTCOMES[code], runbook.OUTCOMES[code]) for code in Outcome]
    problems = [_problem(slug, text) for slug, text in PROBLEMS.items()]
    return [*reasons, *gaps, *outcomes, *problems]


def _problem(slug: str, text: str) -> dict[str, Any]:
    means, _, do = text.partition(": ")
    return _entry(slug, "problem", means, Runbook(do or _SENDER))


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


def _lines(entry: dict[str, Any]) -> list[str]:
    of = f" of the guard {' and '.join(entry['guards'])}" if entry.get("guards") else ""
    silence = entry["silence"] or "no policy can; only what is done about it ends it"
    parts = (
        ("means", entry["means"]),
        ("evidence", entry["evidence"]),
        ("do now", entry["do"]),
        ("silence", silence if entry["evidence"] else ""),
        ("related", ", ".join(entry["related"])),
    )
    head = f"{entry['code']}: {entry['kind']}{of}"
    return [head, *(f"  {name:<9} {text}" for name, text in parts if text)]
