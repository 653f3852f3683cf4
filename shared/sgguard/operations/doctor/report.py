"""What was found, as a table with one line per finding below it, and as a JSON document."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from sgguard.model.sentence import Sentence
from sgguard.operations.doctor.checkup import Checkup, Finding, Permission
from sgguard.providers import Grant
from sgguard.render.language.sentence import whole_english
from sgguard.render.said import sentence_json, sentences_json

UNWRAPPED = 10_000
"""A width at which every finding stays on one line."""

_GAP = "  "
_HEAD = ("cloud", "region", "trust", "reach", "clock", "read", "change", "sees", "limits")
_CHANGE, _SEES = _HEAD.index("change"), _HEAD.index("sees")
_REGION_MAX = 15
_MINUTES_FROM_S = 9_999
_UNKNOWN = "?"
_LEGEND = "note: ? under change: only a change would show it; no verdict needs it"


def to_text(
    checkups: Sequence[Checkup], width: int = UNWRAPPED, here: Sequence[Finding] = ()
) -> str:
    """Return the table, the findings and the conclusion; ``width`` is the terminal's.

    ``here`` is what was found about this machine itself.

    Where the table does not fit, each cloud's values stand below each other.
    """
    rows = [_row(checkup) for checkup in checkups]
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        table = [_line(cells, widths) for cells in (_HEAD, *rows)]
    else:
        table = [line for row in rows for line in ("", *_listed(row))][1:]
    notes = [line for checkup in checkups for line in _findings(checkup, width)]
    if any(_UNKNOWN in row[_CHANGE] and row[_SEES] != _UNKNOWN for row in rows):
        notes += _wrapped(_LEGEND, width)
    notes += here_lines(here, width)
    notes += [line for checkup in checkups for line in _blind_spots(checkup, width)]
    end = _conclusion(checkups, here, width)
    return "\n".join([*table, *([""] if notes else []), *notes, "", *end])


def _blind_spots(checkup: Checkup, width: int) -> list[str]:
    """Return a line for each thing that no call tells, of a cloud that could be asked."""
    if checkup.visibility is None:
        return []
    return [
        line
        for one in checkup.blind_spots
        for line in _wrapped(f"not told: {checkup.provider}: {whole_english(one)}", width)
    ]


def here_lines(here: Sequence[Finding], width: int = UNWRAPPED) -> list[str]:
    """Return a line for each finding about this machine, problems first."""
    return [
        line
        for one in sorted(here, key=lambda one: one.weight == "note")
        for line in _wrapped(
            f"{'note' if one.weight == 'note' else 'problem'}: {one.message} → {one.remedy}", width
        )
    ]


def to_json(checkups: Sequence[Checkup], here: Sequence[Finding] = ()) -> dict[str, Any]:
    """Return the document: everything that is in the table, each permission and each limit."""
    is_fine_here = all(one.weight == "note" for one in here)
    return {
        "trusted": is_fine_here and all(checkup.is_trusted for checkup in checkups),
        "here": [asdict(finding) for finding in here],
        "clouds": [_document(checkup) for checkup in checkups],
    }


def _document(checkup: Checkup) -> dict[str, Any]:
    clock = checkup.clock
    return {
        "provider": checkup.provider,
        "account": checkup.account,
        "region": checkup.region,
        "trusted": checkup.is_trusted,
        "reachable": checkup.is_reachable,
        "clock": clock
        and {
            "ahead_s": clock.ahead_s,
            "tolerance_s": clock.tolerance_s,
            "accepted": clock.is_accepted,
        },
        "permissions": [asdict(permission) for permission in checkup.permissions],
        "visibility": checkup.visibility,
        "limits": [
            {
                **asdict(limit),
                "note": whole_english(limit.note),
                **sentences_json(note=limit.note),
            }
            for limit in checkup.limits
        ],
        "blind_spots": [whole_english(one) for one in checkup.blind_spots],
        "blind_spot_sentences": [
            sentence_json(one) for one in checkup.blind_spots if isinstance(one, Sentence)
        ],
        "findings": [asdict(finding) for finding in checkup.findings],
    }


def _row(checkup: Checkup) -> tuple[str, ...]:
    return (
        checkup.cloud,
        _cut(checkup.region or _UNKNOWN),
        "yes" if checkup.is_trusted else "NO",
        _UNKNOWN if checkup.is_reachable is None else "yes" if checkup.is_reachable else "NO",
        _clock(checkup),
        _granted(checkup.needed("read")),
        _granted(checkup.needed("change")),
        checkup.visibility or _UNKNOWN,
        _limits(checkup),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _REGION_MAX else text[: _REGION_MAX - 1] + "…"


def _clock(checkup: Checkup) -> str:
    clock = checkup.clock
    if clock is None:
        return _UNKNOWN
    if abs(clock.ahead_s) <= _MINUTES_FROM_S:
        return str(clock)
    return f"{abs(clock.ahead_s) // 60} min {'ahead' if clock.ahead_s > 0 else 'behind'}"


def _granted(permissions: Sequence[Permission]) -> str:
    """Return how many of the permissions that exist here are granted, and how many are unknown."""
    counted = Counter(permission.state for permission in permissions)
    known = counted[Grant.GRANTED] + counted[Grant.MISSING]
    unknown = counted[Grant.NOT_TOLD]
    if not known:
        return _UNKNOWN
    granted = f"{counted[Grant.GRANTED]}/{known + unknown}"
    return f"{granted} {unknown}{_UNKNOWN}" if unknown else granted


def _limits(checkup: Checkup) -> str:
    counted = Counter(limit.source for limit in checkup.limits if limit.ceiling is not None)
    if not counted:
        return _UNKNOWN
    if not counted["live"]:
        return "docs"
    return "live" if len(counted) == 1 else f"{counted['live']} of {counted.total()} live"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return _GAP.join(padded).rstrip()


def _listed(row: Sequence[str]) -> list[str]:
    indent = max(map(len, _HEAD))
    pairs = zip(_HEAD, row, strict=True)
    return [f"{name.ljust(indent)}{_GAP}{value}" for name, value in pairs]


def _findings(checkup: Checkup, width: int) -> list[str]:
    place = " ".join(filter(None, (checkup.cloud, checkup.region)))
    return [
        line
        for finding in checkup.findings
        for line in _wrapped(
            f"{'note' if finding.weight == 'note' else 'problem'}: {place}: "
            f"{finding.message} → {finding.remedy}",
            width,
        )
    ]


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(
        text,
        max(width, 20),
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [text]


def _conclusion(checkups: Sequence[Checkup], here: Sequence[Finding], width: int) -> list[str]:
    untrusted = [f"{one.cloud} {one.region}".strip() for one in checkups if not one.is_trusted]
    if not untrusted and any(one.weight != "note" for one in here):
        words = "Verdicts from here cannot be trusted: see the problems above."
        return _wrapped(words, width)
    if not untrusted:
        return _wrapped("Verdicts from here can be trusted.", width)
    return _wrapped(f"Verdicts from here about {', '.join(untrusted)} cannot be trusted.", width)
