"""What stand-ins share: what was deployed, and the ways in which artifacts are started."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.packaging import drive

Json = dict[str, Any]

STATE = Path("/var/lib/platforms")
_WAIT_S = 60.0
_CREDENTIALS = {
    "tencent": ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"),
    "alibaba": ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    "huawei": ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
}


def refuse(text: str) -> SystemExit:
    """What a tool says before it ends with an error."""
    return SystemExit(f"refused: {text}")


def keep(name: str, value: object) -> None:
    """Keep a document of the platform's."""
    place = STATE / f"{name}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(value))


def kept(name: str) -> Any:
    """Return a document of the platform's; an end with an error where there is none."""
    place = STATE / f"{name}.json"
    if not place.exists():
        raise refuse(f"there is no {name}")
    return json.loads(place.read_text())


def parsed(words: Sequence[str], *options: str, flags: Sequence[str] = ()) -> Json:
    """Return options by name; every option and flag has to be given, and no other one may be."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for one in options:
        parser.add_argument(one, required=True, action="append", dest=one.lstrip("-"))
    for one in flags:
        parser.add_argument(one, required=True, action="store_true", dest=one.lstrip("-"))
    found = vars(parser.parse_args(list(words)))
    return {name: value[-1] if isinstance(value, list) else value for name, value in found.items()}


def of_cloud() -> Json:
    """Return the one thing that no reader sets: that the clouds are the emulator."""
    env = kept("config")["env"]
    return {name: value for name, value in env.items() if name.startswith("SGGUARD_ENDPOINT_")}


def role(cloud: str) -> dict[str, str]:
    """Return the credentials that a platform gives a function of a role."""
    env = kept("config")["env"]
    key_id, secret = (env[name] for name in _CREDENTIALS[cloud])
    return {"key_id": key_id, "secret": secret, "token": ""}


def interpreter(version: str) -> str:
    """Return the platform's Python of a version."""
    found = kept("config")["pythons"].get(version)
    if found is None:
        raise refuse(f"this platform has no Python {version}")
    return str(found)


def placed_interpreter(place: str, version: str) -> None:
    """Put a Python where a platform has its own."""
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.symlink_to(interpreter(version))


def unpacked(archive: Path, name: str) -> Path:
    """Unpack an artifact as platforms do, with its modes, owned by root."""
    code = STATE / "code" / name
    code.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            Path(packed.extract(entry, code)).chmod((entry.external_attr >> 16) & 0o777)
    return code


def handled(archive: Path, deployed: Json, platform: str, event: object) -> Json:
    """Let a platform's Python call the handler of an artifact with one event."""
    code = unpacked(archive, deployed["name"])
    guard = STATE / "empty"
    guard.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").touch()
    settings = {**deployed["env"], **of_cloud()}
    context: Json = role({"functiongraph": "huawei"}.get(platform, platform))
    is_by_context = platform == "functiongraph"
    given = {
        "folder": str(code),
        "handler": deployed["handler"],
        "platform": platform,
        "invocations": [
            {"event": event, "context": {**context, "settings": settings if is_by_context else {}}}
        ],
    }
    env = {"PYTHONPATH": str(guard), "PYTHONDONTWRITEBYTECODE": "x"}
    done = subprocess.run(
        [interpreter(deployed["python"]), "-S", drive.__file__],
        input=json.dumps(given),
        env=env if is_by_context else {**env, **settings},
        cwd="/tmp",
        capture_output=True,
        text=True,
        check=False,
        timeout=_WAIT_S,
    )
    if done.returncode:
        raise refuse(done.stdout + done.stderr)
    found: Json = json.loads(done.stdout.splitlines()[0])
    if "answer" not in found:
        raise refuse(f"{found}\n{done.stderr}")
    answer: Json = found["answer"]
    return answer


def started(command: list[str], env: Json, port: int, *, cwd: str = "/", uid: str = "0") -> None:
    """Start a server, and wait until it listens."""
    as_whom = (
        [] if uid == "0" else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    )
    log = STATE / f"log-{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*as_whom, *command],
            env={"PATH": "/usr/bin:/bin", **env},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    give_up_s = time.monotonic() + _WAIT_S
    while time.monotonic() < give_up_s and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise refuse(f"{command} does not listen on {port}: {log.read_text(errors='replace')}")


def own_environment(*names: str) -> dict[str, str]:
    """Return variables of the reader's shell; an end with an error where one is not set."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise refuse(f"{', '.join(missing)} not set")
    return {name: os.environ[name] for name in names}
