"""What the README says is true: tables come from the code, examples run.

``python -m tests.test_docs`` writes the generated tables into the README again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from sgguard import policy, providers
from sgguard.cli import _COMMANDS
from sgguard.cli.failure import EXIT_CODES
from sgguard.demo.processes import free_port
from sgguard.emulator import scenario
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import KINDS, Fault
from sgguard.emulator.resource import build
from sgguard.emulator.server import serve
from sgguard.events import request
from sgguard.model.codes import DELETE_CODES, LAUNCH_CODES, MEANINGS
from sgguard.operations import replay
from sgguard.settings import SETTINGS
from tests.bench import calls

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def settings_table() -> str:
    rows = [
        f"| `{s.name}` | {f'`{s.default}`' if s.default else ''} | {s.meaning} |" for s in SETTINGS
    ]
    return "\n".join(["| variable | default | what it does |", "|---|---|---|", *rows])


def reasons_table() -> str:
    guards = [("delete", DELETE_CODES), ("launch", LAUNCH_CODES)]
    rows = [
        f"| `{code}` | {', '.join(name for name, known in guards if code in known)} | {meaning} |"
        for code, meaning in MEANINGS.items()
    ]
    return "\n".join(["| code | guard | means |", "|---|---|---|", *rows])


SHOWN = ("bastion", "canary-back", "1998 x", "alicloud-cs-c1", "ci-runners", "student-lab")


def demo_sample() -> str:
    """A few lines of the demo, one for each kind of answer, its graph, what it did and undid."""
    ended = subprocess.run(
        [sys.executable, "-m", "sgguard.cli", "demo"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )
    lines = [one for one in ended.stdout.splitlines() if one[22:].startswith(SHOWN)]
    kept = [one for one in lines if not one.startswith("remediate")]
    graph = ended.stdout.partition("sgguard explain")[2].partition("\n\n")[0]
    done = ended.stdout.partition("sgguard decisions")[2].partition("\n\nNext")[0]
    done = re.sub("[0-9a-f]{32}", "5f0c8e71…", done)
    parts = ["", f"$ .venv/bin/sgguard explain{graph}", "", f"$ .venv/bin/sgguard decisions{done}"]
    return "\n".join([*kept, *parts])


def doctor_sample() -> str:
    """Two clouds of the demo, one of them with a permission missing."""
    demo = scenario.load("demo")
    emulator = Emulator.load({"clouds": demo.clouds})
    emulator.state.cloud("tencent").accounts[0].denied = ["DescribeSecurityGroupReferences"]
    clouds = ["doctor", "--provider", "tencent", "--provider", "openstack"]
    with serve(emulator) as server:
        ended = subprocess.run(
            [sys.executable, "-m", "sgguard.cli", *clouds],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": os.environ["PATH"], **demo.client_env(server.url)},
        )
    assert ended.returncode == 1
    said = [line for line in ended.stdout.splitlines() if line and not line.startswith("note:")]
    return "\n".join([*said[:3], "", *said[3:-1], "", said[-1]])


GENERATED = {
    "settings": settings_table,
    "reasons": reasons_table,
    "demo": demo_sample,
    "doctor": doctor_sample,
    "calls": calls.table,
}


def mark(name: str) -> str:
    return f"<!-- {name} -->\n"


def section(name: str) -> str:
    """What follows the mark of that name: a code block, or else a table."""
    text = README.read_text(encoding="utf-8")
    assert text.count(mark(name)) == 1
    rest = text.partition(mark(name))[2]
    if rest.startswith("```"):
        return rest.partition("\n")[2].partition("\n```")[0]
    return rest.strip("\n").partition("\n\n")[0]


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_is_up_to_date(name):
    assert section(name) == GENERATED[name](), "run: python -m tests.test_docs"


def test_every_variable_of_ours_that_the_code_reads_is_a_setting():
    named = set()
    for path in (ROOT / "shared").rglob("*.py"):
        named |= set(re.findall(r"SGGUARD_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    stems = {s.name.removesuffix("_<PROVIDER>") for s in SETTINGS}
    known = {
        stem + suffix
        for stem in stems
        for suffix in ("", *(f"_{p.upper().replace('-', '_')}" for p in providers.names()))
    }
    assert named <= known


def test_every_provider_has_a_row_with_its_variables():
    rows = {
        name: row
        for name, row in re.findall(
            r"^(?:\| `([a-z-]+)` )(\|.*)$", README.read_text(), re.MULTILINE
        )
        if name in providers.names()
    }
    assert set(rows) == set(providers.names())
    for name, cell in rows.items():
        for variable in re.findall(r"`((?:TENCENTCLOUD|ALIBABA|HUAWEICLOUD)_[A-Z_]+)`", cell):
            code = "".join(p.read_text() for p in (ROOT / "shared/sgguard").rglob("*.py"))
            assert f'"{variable}"' in code, f"{name}: nothing reads {variable}"


def test_every_command_and_exit_code_is_listed():
    text = README.read_text()
    listed = {row.split()[0] for row in re.findall(r"^\| `sgguard ([^`]+)`", text, re.MULTILINE)}
    assert listed == set(_COMMANDS)
    codes = dict(re.findall(r"^\| (\d) \| ([a-z]+)", text, re.MULTILINE))
    assert codes == {str(c): v.value for v, c in EXIT_CODES.items()} | {"2": "error"}


def test_the_policy_loads(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(section("policy"))
    loaded = policy.load(str(file), today=date(2026, 11, 22))
    assert loaded.delete.remedies == ("rewrite", "revoke")
    assert loaded.limits["tencent"]["instances-per-group"] == 1000


def test_the_cases_can_be_read(tmp_path):
    file = tmp_path / "cases.toml"
    file.write_text(section("cases"))
    assert replay.read_cases(file).cases[0].reasons == ("protected", "bound")


def test_the_policy_of_the_approval_section_asks_somebody(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(section("approval"))
    loaded = policy.load(str(file))
    assert (loaded.mode, loaded.approval.approvers) == ("approve", ("ada", "bob"))
    assert loaded.approval == policy.ApprovalPolicy(("ada", "bob"))


def test_the_scenario_loads():
    loaded = scenario.parse(section("scenario"), "README.md")
    assert Emulator.load({"clouds": loaded.clouds}).state.cloud("tencent")
    assert tomllib.loads(section("scenario"))["title"]


def test_the_fault_can_be_ordered_and_every_kind_is_named():
    assert build(Fault, json.loads(section("fault")), "fault").count == 2
    [kinds] = re.findall(r"^Kinds are (.*)\. A scenario", README.read_text(), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", kinds)) == set(KINDS)


def test_the_launch_is_a_launch():
    assert request.instance_launch(json.loads(section("launch"))).count == 20


def test_the_test_of_a_user_passes(tmp_path):
    file = tmp_path / "test_readme.py"
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


def test_the_function_starts_as_shown_and_answers_curl():
    port = free_port()
    command = shlex.split(section("function").replace("--port 8080", f"--port {port}"))
    assert command[0] == "functions-framework"
    curl = shlex.split(section("curl").replace("\\\n", " "))
    [url] = [part for part in curl if part.startswith("http")]
    [header] = [value for flag, value in pairwise(curl) if flag == "-H"]
    [body] = [value for flag, value in pairwise(curl) if flag == "-d"]
    demo = scenario.load("demo")
    with serve(Emulator.load({"clouds": demo.clouds})) as emulator:
        process = subprocess.Popen(
            [sys.executable, "-m", "functions_framework", *command[1:]],
            cwd=ROOT,
            env=os.environ | demo.client_env(emulator.url),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with httpx.Client(trust_env=False, timeout=20) as client:
                while not reaches(client, url.replace("8080", str(port))):
                    assert process.poll() is None
                answer = client.post(
                    url.replace("8080", str(port)),
                    content=body,
                    headers=[tuple(header.split(": ", 1))],
                )
        finally:
            process.terminate()
            process.wait()
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "block"


def reaches(client, url):
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


def test_every_path_that_is_named_exists():
    text = README.read_text()
    for path in re.findall(r"\]\((?!http)([^)]+)\)", text):
        assert (ROOT / path).exists(), path
    layout = text.partition("## Layout")[2].partition("```text")[2].partition("```")[0]
    for line in layout.splitlines():
        if line.startswith("  "):
            for part in line[2:28].split():
                assert (ROOT / "shared" / "sgguard" / part).exists(), part


def write() -> None:
    """Put what is generated where its marks are; each is there already, perhaps out of date."""
    for name, generate in GENERATED.items():
        head, _, rest = README.read_text(encoding="utf-8").partition(mark(name))
        changed = rest.replace(section(name), generate(), 1)
        README.write_text(f"{head}{mark(name)}{changed}", encoding="utf-8")


if __name__ == "__main__":
    write()
