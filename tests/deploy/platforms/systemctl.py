"""systemd, which does not run in a container: it starts what the unit says, without rights."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.deploy.platforms import state

_NOBODY = 65534


def systemctl(words: list[str]) -> None:
    """``reload nginx``, and ``enable --now`` of an instance of a unit."""
    match words:
        case ["reload", "nginx"]:
            subprocess.run(["nginx"], check=True)
        case ["enable", "--now", unit]:
            _start(unit)
        case _:
            raise state.refuse(f"systemctl {words}")


def _start(unit: str) -> None:
    stem, _, name = unit.partition("@")
    text = Path(f"/etc/systemd/system/{stem}@.service").read_text().replace("%i", name)

    def value(key: str) -> list[str]:
        return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)

    env = {**state.of_cloud()}
    for path in value("EnvironmentFile"):
        env |= dict(one.split("=", 1) for one in Path(path).read_text().splitlines())
    for folder in value("StateDirectory"):
        place = Path("/var/lib", folder)
        place.mkdir(mode=0o700, exist_ok=True)
        os.chown(place, _NOBODY, _NOBODY)
    (command,) = value("ExecStart")
    state.started(command.split(), env, int(env["PORT"]), uid=str(_NOBODY))
