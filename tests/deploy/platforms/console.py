"""What a person does in a platform's console: a function from an artifact, with a way in."""

from __future__ import annotations

from pathlib import Path

from tests.deploy.platforms import state

_WEB = {
    "tencent-scf-web": ("scf_bootstrap", "/var/lang/python311/bin/python3.11", "3.11", 9000),
    "huawei-functiongraph-http": (
        "bootstrap",
        "/opt/function/runtime/python3.12/rtsp/python/bin/python3",
        "3.12",
        8000,
    ),
}


def console(words: list[str]) -> None:
    """``console RUNTIME ARTIFACT NAME=VALUE…``: a server of that runtime, behind the edge."""
    runtime, artifact, *settings = words
    start, python, version, port = _WEB[runtime]
    state.placed_interpreter(python, version)
    code = state.unpacked(Path(artifact), runtime)
    env = dict(one.split("=", 1) for one in settings) | state.of_cloud()
    state.started([str(code / start)], env, port, cwd=str(code))
    state.keep("behind-the-edge", {"runtime": runtime, "port": port})
