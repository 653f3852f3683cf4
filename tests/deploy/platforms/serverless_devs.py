"""Serverless Devs with the component fc3: ``s deploy`` and ``s RESOURCE invoke``."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.deploy import shapes
from tests.deploy.platforms import state

_HEADERS = {
    "x-fc-request-id": "r-1",
    "x-fc-control-path": "/invoke",
    "content-type": "application/octet-stream",
}


def s(words: list[str]) -> None:
    """Deploy every resource of ``s.yaml``, or invoke one."""
    match words:
        case ["deploy"]:
            _deploy()
        case [resource, "invoke", "-e", text]:
            print(_invoked(state.kept(f"functions/{resource}"), text))
        case _:
            raise state.refuse(f"s {words}")


def _deploy() -> None:
    found: dict[str, Any] = yaml.safe_load(Path("s.yaml").read_text())
    if problems := list(shapes.misfits(found, shapes.FC3)):
        raise state.refuse("; ".join(problems))
    for name, one in found["resources"].items():
        props = json.loads(
            re.sub(r"\$\{vars\.(\w+)\}", lambda m: found["vars"][m[1]], json.dumps(one["props"]))
        )
        archive = Path(props["code"]).absolute()
        if not archive.exists():
            raise state.refuse(f"no {archive}")
        is_custom = props["runtime"].startswith("custom.")
        if is_custom is not ("customRuntimeConfig" in props) or is_custom is ("handler" in props):
            raise state.refuse(f"{name}: {props['runtime']} with what is for another runtime")
        deployed = {
            "name": name,
            "archive": str(archive),
            "env": props["environmentVariables"],
            "handler": props.get("handler", ""),
            "python": "" if is_custom else props["runtime"].removeprefix("python"),
            "custom": props.get("customRuntimeConfig"),
            "timeout": props["timeout"],
        }
        state.keep(f"functions/{name}", deployed)
        print(f"{name}: deployed")


def _invoked(deployed: dict[str, Any], text: str) -> str:
    archive = Path(deployed["archive"])
    if not deployed["custom"]:
        answer = state.handled(archive, deployed, "alibaba", json.loads(text))
        return json.dumps(answer)
    code, port = state.unpacked(archive, deployed["name"]), deployed["custom"]["port"]
    env = {**deployed["env"], **state.of_cloud()}
    state.started(deployed["custom"]["command"], env, port, cwd=str(code))
    role = state.role("alibaba")
    headers = {
        **_HEADERS,
        "x-fc-access-key-id": role["key_id"],
        "x-fc-access-key-secret": role["secret"],
        "x-fc-security-token": role["token"],
        "x-fc-function-timeout": str(deployed["timeout"]),
    }
    address = f"http://127.0.0.1:{port}/invoke"
    asked = urllib.request.Request(address, text.encode(), headers, method="POST")
    with urllib.request.urlopen(asked, timeout=60) as answer:
        if answer.headers["x-fc-status"] != "200":
            raise state.refuse(f"x-fc-status: {answer.headers['x-fc-status']}")
        return str(answer.read().decode())
