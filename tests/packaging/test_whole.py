"""Whole artifacts: their bytes, their size, what is in them, and the ones that others start."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile

import httpx
import pytest

from sgguard.demo.processes import free_port
from sgguard.emulator.server import serve
from sgguard.errors import SettingsError
from sgguard.packaging import wheel
from sgguard.packaging.requirement import Pin
from sgguard.packaging.runtime import MIB, RUNTIMES, target
from tests.packaging import artifact
from tests.packaging.test_server_runtimes import KEY, MALFORMED, PLANTED, PROOF
from tests.worlds import world_of

pytestmark = pytest.mark.slow

PACKED_MAX, UNPACKED_MAX = 9 * MIB, 24 * MIB


def test_the_same_inputs_give_the_same_bytes_in_another_process(tmp_path):
    """With other hashes, another time zone and nothing of this process; and nothing is fetched."""
    made = artifact.built("delete_request", "tencent-scf-event")
    out = tmp_path / "out.zip"
    command = [sys.executable, "-m", "sgguard", "package", "delete_request", "-o", str(out)]
    command += ["--runtime", "tencent-scf-event", "--json", "--offline", "--compile-with"]
    command += [artifact.interpreter("3.11")]
    ended = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "UTC+9", "LC_ALL": "C"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert out.read_bytes() == made.content
    assert (tmp_path / "out.zip.cdx.json").read_bytes() == made.sbom
    assert told["sha256"] == hashlib.sha256(made.content).hexdigest()
    assert told["bytes"] == len(made.content)


@pytest.mark.parametrize(
    ("index", "told"),
    [("http://127.0.0.1:9/simple", "pip reached no index"), ("file://{}", "no wheel for CPython")],
)
def test_a_missing_wheel_and_a_missing_index_are_told_apart(tmp_path, monkeypatch, index, told):
    monkeypatch.setenv("PIP_INDEX_URL", index.format(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    pins = [Pin("msgspec", "0.20.0")]
    with pytest.raises(SettingsError, match=told):
        wheel.wheels(pins, target("tencent-scf-event"), tmp_path / "kept", is_offline=False)


@pytest.mark.parametrize("name", [name for name, one in RUNTIMES.items() if not one.is_image])
def test_an_artifact_has_what_its_function_needs_and_is_small(name):
    made = artifact.built("delete_request", name)
    with zipfile.ZipFile(io.BytesIO(made.content)) as packed:
        names = packed.namelist()
    print(f"{name}: {len(made.content) // 1024} KiB, {made.unpacked // 1024} KiB unpacked")
    assert names == sorted(names)
    assert len(made.content) < PACKED_MAX
    assert made.unpacked < UNPACKED_MAX
    assert made.uncompiled == ""
    tops = {one.split("/")[0].split(".")[0] for one in names}
    assert not tops & {"tests", "hypothesis", "pytest", "pip", "setuptools", "mypy", "ruff"}
    parts = {one.split("/")[1] for one in names if one.startswith("sgguard/") and "/" in one[8:]}
    assert not parts & {"cli", "demo", "emulator", "packaging"}
    sources = {one for one in names if one.endswith(".py")}
    assert len([one for one in names if one.endswith(".pyc")]) == len(sources)
    listed = json.loads(made.sbom)["components"]
    assert {one["name"] for one in listed} == {"sgguard", *(w.pin.name for w in made.wheels)}


def test_cloud_run_functions_start_the_artifact_with_their_framework(tmp_path):
    name, world = "google-cloud-run", world_of("openstack")
    code = artifact.unpacked(artifact.built("delete_request", name), tmp_path)
    policy = tmp_path / "policy.toml"
    policy.write_text(artifact.caller("delete_request", PROOF))
    with serve(world.emulator()) as running:
        port = free_port()
        env = artifact.empty_environment(tmp_path, SGGUARD_POLICY=str(policy), PORT=str(port))
        env |= world.env | {"OS_AUTH_URL": f"{running.url}/identity"}
        env["SGGUARD_ENDPOINT_OPENSTACK"] = running.url
        env["PYTHONPATH"] += f":{code}"
        # The command that the platform's buildpack ends in, with the name it was deployed with.
        start = "import sitecustomize; from functions_framework._cli import _cli; _cli()"
        python = artifact.interpreter(target(name).python)
        command = [python, "-S", "-c", start, "--target", "delete_request"]
        command += ["--source", str(code / "main.py")]
        with artifact.serving(command, tmp_path, env, port) as served:
            address = f"openstack::{world.region}:{world.free}"
            answer = httpx.post(
                served.url,
                json={"target": address},
                headers={"authorization": f"Bearer {KEY}", "x-planted": "planted-secret-value"},
                trust_env=False,
                timeout=60,
            )
            unreadable = [served.send(raw) for raw in MALFORMED]
            printed = served.printed()
    assert answer.json()["verdict"] == "allow", printed
    assert [one for one in unreadable if not one.startswith("HTTP/1.1 ") or PLANTED in one] == []
    assert PLANTED not in printed
    assert "planted-secret-value" not in printed + answer.text
    assert KEY not in printed + answer.text
