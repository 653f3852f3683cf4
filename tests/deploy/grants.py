"""Least-privilege documents of two clouds, made of what their providers ask.

``python -m tests.deploy.grants`` writes them into the deployments.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sgguard import providers
from sgguard.providers._probing import PermissionCheck
from tests.worlds import world_of

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FOLDERS = {"tencent": DEPLOY / "tencent-scf", "alibaba": DEPLOY / "alibaba-fc"}
# By document, how what a change is needed for begins. A group that was deleted is restored with its
# rules, so deleting needs what adds them.
PARTS = {
    "observe": (),
    "delete": ("deleting", "restoring"),
    "rules": (
        "revoking",
        "rewriting",
        "restoring a rule",
        "restoring an ingress",
        "restoring an egress",
    ),
    "holders": ("binding", "unbinding", "replacing", "moving"),
}


def actions(provider: str, part: str) -> list[str]:
    """What has to be granted for a part, as the provider's probe says it."""
    return sorted(
        one.grant.partition(" in ")[0]
        for one in checks(provider)
        if (one.need == "read" if part == "observe" else one.brings.startswith(PARTS[part]))
    )


def checks(provider: str) -> tuple[PermissionCheck, ...]:
    """Every permission that a provider knows of."""
    world = world_of(provider)
    probing = providers.probing(provider)
    assert probing is not None
    return tuple(probing.probe(world.connect(world.emulator())).checks)


def document(provider: str, part: str) -> dict[str, Any]:
    """A policy of CAM (Tencent Cloud) or RAM (Alibaba Cloud)."""
    granted = actions(provider, part)
    if provider == "tencent":
        statement = {"effect": "allow", "action": granted, "resource": ["*"]}
        return {"version": "2.0", "statement": [statement]}
    return {"Version": "1", "Statement": [{"Effect": "Allow", "Action": granted, "Resource": "*"}]}


def texts() -> dict[Path, str]:
    return {
        folder / f"{part}.json": json.dumps(document(provider, part), indent=2) + "\n"
        for provider, folder in FOLDERS.items()
        for part in PARTS
    }


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
