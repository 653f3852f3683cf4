"""Evidence and steps beyond what an answer holds: how many there are, and all of it in pages.

The document that is kept is whole: verdict, hash, plan, undo and restore rest on it, and what a
person says yes to. An answer shows so many entries of each kind, counts the others and names a
cursor, with which ``sgguard decisions show --evidence`` goes on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

SHOWN_MAX = 1000
"""References, bindings, gaps, vanishing rules and steps of one answer, of each so many at most."""

OF_REASONS_MAX = 5000
"""Entries below all reasons of one answer; what each reason has is counted beside it."""

KINDS = ("reference", "binding", "unseen", "vanishing", "step")
"""The kinds of entries in the order of the pages; cursors that were answered count in it."""

LISTS = {"reference": "references", "binding": "bindings", "unseen": "unseen"}
"""Where the facts of a document have entries of a kind."""


def answered(document: Json, most: int = SHOWN_MAX, of_reasons: int = OF_REASONS_MAX) -> Json:
    """Return what is answered of a document: it, or each of the decisions in it, within bounds.

    Where something is left out, ``left_out`` counts it and has the cursor of the first of it. It is
    empty for a decision without an id, which nobody can look up.
    """
    if "decisions" in document:
        decisions = [answered(one, most, of_reasons) for one in document["decisions"]]
        return {**document, "decisions": decisions}
    if "facts" not in document:
        return document
    entries = sum(len(one["evidence"]) for one in document["reasons"])
    counts = {kind: len(_entries(document, kind)) for kind in KINDS}
    within = document
    if entries > of_reasons:
        within = {**document, "reasons": _reasons(document["reasons"], of_reasons)}
    if max(counts.values()) <= most:
        return within
    actions = Counter(step["action"] for step in document["plan"][most:])
    lists = {name: document["facts"][name][:most] for name in LISTS.values()}
    return {
        **within,
        "consequences": _consequences(document["consequences"], most),
        "facts": {**document["facts"], **lists},
        "plan": document["plan"][:most],
        "left_out": left_out(document, counts, actions, most),
    }


def left_out(
    document: Json, counts: Mapping[str, int], actions: Mapping[str, int], most: int = SHOWN_MAX
) -> Json:
    """Return what an answer leaves out of a document, of which it shows so many of each kind.

    ``counts`` are the entries that there are by kind; ``actions`` the steps that are left out by
    what each does.
    """
    over = {kind: max(0, counts[kind] - most) for kind in KINDS}
    first = next(kind for kind in KINDS if over[kind])
    offset = sum(counts[kind] for kind in KINDS[: KINDS.index(first)]) + most
    cursor = _first_left_out(document, offset)
    return {**over, "actions": dict(sorted(actions.items())), "cursor": cursor}


def _first_left_out(document: Json, offset: int) -> str:
    if not document["decision_id"]:
        return ""
    return cursor_of(offset, mark_of(document["decision_id"], document["decided_at"]))


def _entries(document: Json, kind: str) -> list[Json]:
    if kind == "vanishing":
        return [each for one in document["consequences"] for each in one["vanishing"]]
    found: list[Json] = document["plan"] if kind == "step" else document["facts"][LISTS[kind]]
    return found


def _reasons(reasons: list[Json], room: int) -> list[Json]:
    shown = []
    for one in reasons:
        evidence = one["evidence"][:room]
        room -= len(evidence)
        shown.append({**one, "evidence": evidence})
    return shown


def _consequences(consequences: list[Json], room: int) -> list[Json]:
    shown = []
    for one in consequences:
        vanishing = one["vanishing"][:room]
        room -= len(vanishing)
        shown.append({**one, "vanishing": vanishing})
    return shown


def mark_of(decision_id: str, decided_at: str) -> str:
    """Return what tells a decision's facts from others: those of another, or of a later look."""
    return hashlib.sha256(f"{decision_id} {decided_at}".encode()).hexdigest()[:8]


def cursor_of(offset: int, mark: str) -> str:
    """Return the cursor of the entry with this number, from 0."""
    return f"{offset}-{mark}"
