"""What a pipeline is given: a workflow and hooks that are valid, and name commands that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.commands import sgguard

__all__ = ["sgguard"]

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "deploy" / "ci" / "github-workflow.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def checked(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, check=False
    )


def workflow_checked(path: Path) -> subprocess.CompletedProcess[str]:
    schema = ("--builtin-schema", "vendor.github-workflows")
    return checked("check_jsonschema", *schema, path)


@pytest.mark.slow
def test_the_workflow_is_one_that_github_takes_and_a_misspelt_key_is_not(tmp_path):
    assert workflow_checked(WORKFLOW).returncode == 0
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOW.read_text().replace("timeout-minutes", "timeout-minuts"))
    assert workflow_checked(wrong).returncode == 1


@pytest.mark.slow
def test_the_hooks_are_ones_that_pre_commit_takes_and_a_missing_key_is_not(tmp_path):
    assert checked("pre_commit", "validate-manifest", HOOKS).returncode == 0
    wrong = tmp_path / "hooks.yaml"
    wrong.write_text(HOOKS.read_text().replace("  language: python\n", "", 1))
    assert checked("pre_commit", "validate-manifest", wrong).returncode == 1


def test_nothing_that_a_person_types_becomes_a_part_of_a_script():
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert scripts
    assert not [one for one in scripts if "${{" in one]


@pytest.mark.parametrize("hook", yaml.safe_load(HOOKS.read_text()), ids=lambda hook: hook["id"])
def test_each_hook_runs_a_command_with_its_arguments(hook, sgguard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = shlex.split(hook["entry"])
    assert command[0] == "sgguard"
    assert sgguard(*command[1:], "--help")[0] == 0
    if hook["id"] == "sgguard-policy-check":
        (tmp_path / "policy.toml").write_text('mode = "observe"\n')
        assert sgguard(*command[1:], *hook["args"])[0] == 0
        (tmp_path / "policy.toml").write_text('mode = "obsrve"\n')
        assert sgguard(*command[1:], *hook["args"])[0] == 2


def test_every_command_of_the_workflow_exists(sgguard):
    for one in re.findall(r"sgguard ([a-z]+ [a-z]+)", WORKFLOW.read_text()):
        if one.split()[0] in ("policy", "check"):
            assert sgguard(*one.split(), "--help")[0] == 0, one
