"""The version stands in one place, and the commit is found where it is known."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest

import sgguard
from sgguard.cli import version

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_version_is_written_in_one_place_and_read_everywhere_else():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "shared/sgguard/__init__.py"
    assert installed_version("sgguard") == sgguard.__version__


def test_the_changelog_has_a_section_for_what_comes_next_and_each_version_once():
    headings = re.findall(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert len(set(headings)) == len(headings)
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", one) for one in headings[1:])


@pytest.fixture
def checkout(tmp_path):
    package = tmp_path / "shared" / "sgguard"
    package.mkdir(parents=True)
    return package


def git(folder: Path, *args: str) -> str:
    named = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *named, *args], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_checkout_tells_its_commit_however_git_keeps_it(checkout, tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "Begin")
    commit = git(tmp_path, "rev-parse", "HEAD")
    expected = f"{sgguard.__version__} ({commit[:12]})"
    assert version.text(checkout) == expected
    git(tmp_path, "pack-refs", "--all")
    assert version.text(checkout) == expected
    git(tmp_path, "checkout", "-q", "--detach")
    assert version.text(checkout) == expected
    git(tmp_path, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    beside = tmp_path / "tree" / "shared" / "sgguard"
    beside.mkdir(parents=True)
    assert version.text(beside) == expected


def test_a_wheel_tells_the_commit_it_was_built_from(tmp_path):
    package = tmp_path / "site-packages" / "sgguard"
    package.mkdir(parents=True)
    (package / version.COMMIT_FILE).write_text(f"{COMMIT}\n")
    assert version.text(package) == f"{sgguard.__version__} (0123456789ab)"


def test_where_nothing_tells_the_commit_there_is_none(checkout, tmp_path):
    assert version.text(checkout) == sgguard.__version__
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert version.text(checkout) == sgguard.__version__


def test_a_repository_around_an_installed_package_is_not_its_own(tmp_path):
    package = tmp_path / "lib" / "site-packages" / "sgguard"
    package.mkdir(parents=True)
    (tmp_path / "lib" / ".git").mkdir()
    (tmp_path / "lib" / ".git" / "HEAD").write_text(COMMIT)
    assert version.text(package) == sgguard.__version__
