"""The examples of the documents work as they stand: commands run, files and bodies are accepted."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import yaml

from sgguard import policy
from sgguard.demo.processes import free_port
from sgguard.emulator import scenario
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.resource import build
from sgguard.emulator.server import serve
from sgguard.engine.accounts.read import KEYS, accounts_of
from sgguard.events import request
from sgguard.web import server as functions_server
from tests.docs.sections import ROOT, section

BIN = Path(sys.executable).parent
PORT = "8000"  # in the documents; a test takes a free one


# -- commands that run ---------------------------------------------------------------------


@contextmanager
def emulated(name: str, folder: Path):
    """What a block starts in another terminal: an emulator on a port; gives that port."""
    *before, command = section(name).splitlines()
    assert before == ["make venv"]
    port = str(free_port())
    process = subprocess.Popen(
        ["bash", "-c", f"exec {local(command, port)}"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(process.stdout.readline())["url"].endswith(port)
        yield port
    finally:
        process.terminate()
        process.communicate()


def local(commands: str, port: str) -> str:
    """Commands of a document, with the programs and a port of this run."""
    return commands.replace(".venv/bin/", f"{shlex.quote(str(BIN))}/").replace(PORT, port)


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder)}


def run(name: str, folder: Path, port: str, *before: str) -> str:
    """Run a block of commands as one script that ends at the first failure; what it prints."""
    script = "\n".join(["set -e", *before, section(name)])
    ended = subprocess.run(
        ["bash", "-c", local(script, port)],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def exports() -> list[str]:
    """The lines of the first check that lead to the emulator."""
    return [line for line in section("first-check").splitlines() if line.startswith("export ")]


def test_the_first_check_prints_the_verdict_and_its_exit_code(tmp_path):
    with emulated("install", tmp_path) as port:
        printed = run("first-check", tmp_path, port, "set +e")
    assert printed.startswith("BLOCK")
    assert printed.endswith("exit code 1\n")


def test_the_check_of_a_real_cloud_is_the_same_command(tmp_path):
    lines = section("real-check").splitlines()
    assert lines[0] == "unset SGGUARD_ENDPOINT_TENCENT"
    assert {part.partition("=")[0] for part in lines[1].split()[1:]} <= {
        part.partition("=")[0].removeprefix("export ") for part in exports()
    }
    assert lines[2][:-1] in section("first-check")


@pytest.mark.slow
def test_a_policy_is_tried_as_shown(tmp_path):
    (tmp_path / "policy.toml").write_text(section("try-policy"))
    (tmp_path / "cases.toml").write_text(section("try-cases"))
    with emulated("install", tmp_path) as port:
        printed = run("try-run", tmp_path, port, *exports())
    assert printed.endswith("1 cases, 0 not as expected\n")


def test_the_hooks_of_the_example_exist():
    (repo,) = yaml.safe_load(section("pre-commit"))["repos"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {hook["id"] for hook in repo["hooks"]} <= {hook["id"] for hook in hooks}


def test_the_least_permissions_are_printed_as_shown(tmp_path):
    document = json.loads(run("least-run", tmp_path, ""))
    assert "ecs:RevokeSecurityGroup" in document["Statement"][0]["Action"]


def test_the_emulator_is_started_and_asked_as_shown(tmp_path):
    printed = run("emulate-run", tmp_path, str(free_port()))
    assert printed.startswith("BLOCK  delete openstack")
    assert json.loads(printed.splitlines()[-1])


@pytest.mark.slow
def test_the_function_starts_as_shown_and_answers_curl():
    commands = section("functions").splitlines()
    assert section("function") in commands
    assert commands[0] == "pip install ."
    sources = [shlex.split(command)[2:5:2] for command in commands[1:]]
    known = functions_server.functions()
    assert sources == [[f"functions/{name}/main.py", name] for _, name in sources]
    assert {name for _, name in sources} == set(known)
    port = str(free_port())
    curl = shlex.split(section("curl").replace("\\\n", " ").replace("8080", port))
    [url] = [part for part in curl if part.startswith("http")]
    [header] = [value for flag, value in pairwise(curl) if flag == "-H"]
    [body] = [value for flag, value in pairwise(curl) if flag == "-d"]
    demo = scenario.load("demo")
    with serve(Emulator.load({"clouds": demo.clouds})) as emulator:
        process = subprocess.Popen(
            [BIN / "functions-framework", *shlex.split(section("function"))[1:-1], port],
            cwd=ROOT,
            env=os.environ | demo.client_env(emulator.url),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with httpx.Client(trust_env=False, timeout=20) as client:
                while not reaches(client, url):
                    assert process.poll() is None
                name, value = header.split(": ", 1)
                response = client.post(url, content=body, headers={name: value})
        finally:
            process.terminate()
            process.wait()
    assert response.status_code == 200
    assert response.json()["verdict"] == "block"


def reaches(client, url):
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


# -- files and bodies that are shown -------------------------------------------------------


def loaded(name: str, folder: Path) -> policy.Policy:
    file = folder / "policy.toml"
    file.write_text(section(name))
    return policy.load(str(file), today=date(2026, 11, 22))


def test_the_policies_load(tmp_path):
    short = loaded("policy", tmp_path)
    assert (short.mode, short.caps.changes) == ("approve", 20)
    whole = loaded("policy-reference", tmp_path)
    assert whole.delete.remedies == ("rewrite", "revoke")
    assert whole.limits["tencent"]["instances-per-group"] == 1000
    chatting = loaded("chat-policy", tmp_path)
    assert [one.kind for one in chatting.channels] == ["lark", "teams"]
    assert chatting.channels[0].person("ou_7dab8a3d3cdcc9da") == "bob"
    asking = loaded("approval", tmp_path)
    assert asking.approval == policy.ApprovalPolicy(("ada", "bob"))
    told = loaded("callbacks", tmp_path).callbacks
    assert told.permits("a.hooks.corp.example")
    assert told.ports == (8443,)
    assert request.delete_request(json.loads(section("callback-request"))).callback
    asked = loaded("callers", tmp_path)
    assert [(one.name, one.kind) for one in asked.callers] == [
        ("portal", "bearer"),
        ("orders", "jwt"),
    ]


def test_the_launch_is_a_launch():
    assert request.instance_launch(json.loads(section("launch"))).count == 20


def test_the_scenario_loads():
    found = scenario.parse(section("scenario"), "README.md")
    assert Emulator.load({"clouds": found.clouds}).state.cloud("tencent")


def test_the_fault_can_be_ordered():
    assert build(Fault, json.loads(section("fault")), "fault").count == 2


@pytest.mark.slow
def test_a_test_of_a_user_passes(tmp_path):
    file = tmp_path / "test_user.py"
    file.write_text(section("mock"))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "1 passed" in ended.stdout


def test_the_table_of_accounts_can_be_used_and_every_key_is_explained(tmp_path):
    example = tmp_path / "accounts.toml"
    example.write_text(section("accounts"), encoding="utf-8")
    found = accounts_of(str(example), {}).further
    assert [one.name for one in found] == ["shop", "media", "europe", "archive"]
    page = (ROOT / "deploy" / "accounts.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in page for key in KEYS)
