"""Least-privilege documents of two clouds, made of what their providers ask.

``python -m tests.deploy.grants`` writes them into the deployments.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sgguard import providers
from tests.worlds import world_of

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FOLDERS = {"tencent": DEPLOY / "tencent-scf", "alibaba": DEPLOY / "alibaba-fc"}
MODES = {"observe": "read", "changes": "change"}


def actions(provider: str, need: str) -> list[str]:
    """What has to be granted for reading, or for changing, as the provider's probe says it."""
    world = world_of(provider)
    probing = providers.probing(provider)
    assert probing is not None
    checks = probing.probe(world.connect(world.emulator())).checks
    grants = {one.grant.partition(" in ")[0] for one in checks if one.need == need}
    return sorted(grants)


def document(provider: str, need: str) -> dict[str, Any]:
    """A policy of CAM (Tencent Cloud) or RAM (Alibaba Cloud)."""
    granted = actions(provider, need)
    if provider == "tencent":
        statement = {"effect": "allow", "action": granted, "resource": ["*"]}
        return {"version": "2.0", "statement": [statement]}
    return {"Version": "1", "Statement": [{"Effect": "Allow", "Action": granted, "Resource": "*"}]}


def texts() -> dict[Path, str]:
    return {
        folder / f"{mode}.json": json.dumps(document(provider, need), indent=2) + "\n"
        for provider, folder in FOLDERS.items()
        for mode, need in MODES.items()
    }


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
