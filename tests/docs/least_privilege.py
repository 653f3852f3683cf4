"""The documents of deploy/permissions: what ``sgguard permissions`` prints, one file for each."""

from __future__ import annotations

import json

from sgguard import providers
from sgguard.providers._permissions import CHANGE, READ
from tests.docs.sections import ROOT, table

FOLDER = ROOT / "deploy" / "permissions"


def files() -> dict[str, str]:
    """The content of each file by its name: to observe, and to enforce with every remedy."""
    found = {}
    for name in providers.names():
        module = providers.documented(name)
        for mode, remedies in (("observe", ()), ("enforce", providers.REMEDIES)):
            rows = providers.needed(
                module.PERMISSIONS, changes=mode == "enforce", remedies=remedies
            )
            found[f"{name}-{mode}.json"] = json.dumps(module.document(rows), indent=2) + "\n"
    return found


def write() -> None:
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def permissions(provider: str) -> str:
    """What is granted, what for, and for which mode or remedy."""
    when = {READ: "all modes", CHANGE: "approve, enforce"}
    merged: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for one in providers.documented(provider).PERMISSIONS:
        brings, needs = merged.setdefault(one.grants, ([], []))
        brings.append(one.brings)
        needs += [when.get(need, f"`{need}`") for need in one.needs]
    return table(
        "permission | needed for | modes and remedies",
        (
            (
                ", ".join(f"`{name}`" for name in grants),
                "; ".join(dict.fromkeys(brings)),
                ", ".join(dict.fromkeys(needs)),
            )
            for grants, (brings, needs) in merged.items()
        ),
    )
