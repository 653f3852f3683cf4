"""``python -m build`` gives the same bytes for the same commit, which each archive knows."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import sgguard

ROOT = Path(__file__).resolve().parents[2]
EPOCH = "1700000000"

pytestmark = pytest.mark.slow


def build(source: Path, folder: Path, *only: str) -> dict[str, Path]:
    """Build source archive and wheel; the wheel is made from the unpacked source archive."""
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", *only, "--outdir", folder, source],
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> list[dict[str, Path]]:
    """The archives of two clones of one commit, each in a folder of another name."""
    found = []
    for name in ("one", "another"):
        folder = tmp_path_factory.mktemp(name)
        clone = folder / f"clone-{name}"
        command = ["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(clone)]
        subprocess.run(command, check=True, capture_output=True)
        found.append(build(clone, folder / "dist"))
    return found


def test_two_builds_of_one_commit_are_the_same_byte_by_byte(built):
    first, second = (
        {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in one.items()}
        for one in built
    )
    version = sgguard.__version__
    assert sorted(first) == [f"sgguard-{version}-py3-none-any.whl", f"sgguard-{version}.tar.gz"]
    assert first == second


def test_both_archives_know_their_commit_and_the_wheel_that_is_made_of_one_does(built, tmp_path):
    asked = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (wheel,) = (path for name, path in built[0].items() if name.endswith(".whl"))
    (source,) = (path for name, path in built[0].items() if name.endswith(".tar.gz"))
    with zipfile.ZipFile(wheel) as packed:
        assert packed.read("sgguard/_commit").decode() == commit
    with tarfile.open(source) as packed:
        names = packed.getnames()
        assert f"sgguard-{sgguard.__version__}/_commit" in names
        packed.extractall(tmp_path, filter="data")
    made = build(tmp_path / f"sgguard-{sgguard.__version__}", tmp_path / "dist", "--wheel")
    assert made[wheel.name].read_bytes() == wheel.read_bytes()
    assert not (ROOT / "dist" / "_commit").exists()
