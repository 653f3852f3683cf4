"""Schemathesis against ``sgguard serve``: requests made from the document, answers held to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sgguard.callers.secret import hash_of, new_token
from sgguard.emulator.server import serve
from sgguard.web.installed import functions
from tests.deployment import emulator, environment

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed"),
]

TOKEN = new_token("fuzz", lambda n: b"6" * n)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
"""Not among them: `positive_data_acceptance`, as a cloud decides whether a group can be judged."""


@contextmanager
def served(env: dict[str, str]) -> Iterator[str]:
    """Run ``sgguard serve`` and give its address."""
    command = [sys.executable, "-m", "sgguard.cli", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip().rpartition("/")[0]
        finally:
            process.terminate()


def fuzz(url: str, folder: Path, *options: str) -> str:
    """Return what schemathesis says of the server; the same requests in every run."""
    made = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", f"{url}/openapi.json", "--checks", ",".join(CHECKS)),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "7"),
            *("--generation-deterministic", "--continue-on-failure", "--no-shrink"),
            # The paths of runtimes are answered by the same code.
            *("--exclude-path-regex", "invoke$"),
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=folder,
    )
    assert made.returncode == 0, made.stdout[-6000:] + made.stderr[-2000:]
    return made.stdout


def with_callers(folder: Path) -> str:
    """Write a policy with one caller that may ask every function for a part of the groups."""
    row: dict[str, Any] = {
        "name": "fuzz",
        "proof": {"bearer": [hash_of(TOKEN)]},
        "functions": list(functions()),
        "targets": ["tencent:*:*:sg-5*"],
    }
    path = folder / "policy.json"
    path.write_text(json.dumps({"caller": [row]}))
    return str(path)


@pytest.mark.parametrize("way", ["nothing is set up", "clouds", "clouds and callers"])
def test_no_request_gets_a_server_error_or_an_answer_that_is_not_described(way, tmp_path):
    settings = {"SGGUARD_APPROVAL_KEY": "k" * 32, "OS_REGION_NAME": "RegionOne"}
    options: tuple[str, ...] = ()
    if way == "clouds and callers":
        settings["SGGUARD_POLICY"] = with_callers(tmp_path)
        options = ("-H", f"Authorization: Bearer {TOKEN}")
    with serve(emulator()) as cloud:
        env = environment(cloud.url, **settings)
        if way == "nothing is set up":
            kept = ("PATH", "LANG", "VIRTUAL_ENV")
            env = {n: v for n, v in env.items() if n in kept} | {"HOME": str(tmp_path)}
        with served(env) as url:
            said = fuzz(url, tmp_path, *options)
    assert int(re.search(r"(\d+) generated, \1 passed", said)[1]) > 500
