"""The wheel: what an index shows of it, and that all of it works where it is installed."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sgguard.web import installed

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
OURS = "{}.{}".format(*sys.version_info)
TIMEOUT_S = 300  # for what never ends; no test measures seconds

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    kept = ("PATH", "LANG", "LC_", "TMPDIR", "HOME", "PIP_", "SSL_", "HTTP", "NO_PROXY")
    env = {name: value for name, value in os.environ.items() if name.upper().startswith(kept)}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def or_skip(ended: subprocess.CompletedProcess[str], what: str) -> None:
    """Skip where a package cannot be had here; anything else that fails is a failure."""
    no_index = ("NewConnectionError", "No matching distribution", "Temporary failure in name")
    if ended.returncode and any(one in ended.stdout + ended.stderr for one in no_index):
        pytest.skip(f"{what} needs a package index, and there is none here")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    made = run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    or_skip(made, "building a wheel")
    (found,) = folder.glob("sgguard-*.whl")
    return found


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (one for one in packed.namelist() if one.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(packed.read(name))


def interpreter(version: str) -> Path | None:
    """A Python of that version that can make a virtual environment, if there is one here."""
    if version == OURS:
        return Path(sys.executable)
    beside = Path(sys.base_prefix).parent.glob(f"*{version}*/bin/python{version}")
    found = [shutil.which(f"python{version}"), *beside]
    for one in filter(None, found):
        if run(one, "-c", "import venv, ensurepip").returncode == 0:
            return Path(one)
    return None


@pytest.fixture(scope="module", params=VERSIONS)
def bin_folder(request, wheel, tmp_path_factory) -> Path:
    """The programs of a fresh virtual environment into which the wheel was installed."""
    python = interpreter(request.param)
    if python is None:
        pytest.skip(f"there is no Python {request.param} here")
    folder = tmp_path_factory.mktemp("venv")
    made = run(python, "-m", "venv", folder)
    assert made.returncode == 0, made.stderr
    programs = folder / "bin"
    or_skip(
        run(programs / "python", "-m", "pip", "install", "-q", wheel),
        f"installing on Python {request.param}",
    )
    return programs


# -- what an index shows ---------------------------------------------------------------------------


def test_the_metadata_name_authors_urls_licence_and_every_python(metadata):
    assert metadata["Author"]
    urls = dict(one.split(", ") for one in metadata.get_all("Project-URL"))
    assert {"Homepage", "Documentation", "Changelog"} <= set(urls)
    assert all(one.startswith("https://") for one in urls.values())
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert metadata["Requires-Python"] == ">=3.11"
    classifiers = metadata.get_all("Classifier")
    for version in VERSIONS:
        assert f"Programming Language :: Python :: {version}" in classifiers
    assert "Typing :: Typed" in classifiers


def test_the_description_is_the_readme_and_each_of_its_links_is_absolute(metadata):
    assert metadata["Description-Content-Type"] == "text/markdown"
    shown, readme = metadata.get_payload(), (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", shown)
    assert len(links) == len(re.findall(r"\]\(([^)]+)\)", readme))
    assert [one for one in links if not one.startswith(("https://", "#"))] == []
    (home,) = (one for one in metadata.get_all("Project-URL") if one.startswith("Homepage, "))
    base = home.removeprefix("Homepage, ").rstrip("/")
    ours = [one.removeprefix(base) for one in links if one.startswith(base)]
    assert ours
    for one in ours:
        assert (ROOT / one.partition("#")[0].lstrip("/")).exists(), one


def test_the_wheel_has_every_file_of_the_package_and_of_the_functions(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    tracked = run("git", "ls-files", "shared/sgguard", "functions").stdout.split()
    assert tracked
    for one in tracked:
        inside = one.replace("functions/", "sgguard/_functions/", 1)
        inside = one.removeprefix("shared/") if one.startswith("shared/") else inside
        assert inside in names
    assert not [one for one in names if one.startswith(("tests/", "functions/"))]


# -- where it is installed -------------------------------------------------------------------------


def test_the_demo_runs_from_any_folder(bin_folder, tmp_path):
    ended = run(bin_folder / "sgguard", "demo", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "every response as expected" in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_functions_that_run_are_those_of_the_wheel(bin_folder, tmp_path):
    listed = run(bin_folder / "sgguard", "functions", "list", cwd=tmp_path)
    assert listed.stdout.split() == sorted(installed.functions())
    folder = run(bin_folder / "sgguard", "functions", "path", cwd=tmp_path).stdout.strip()
    assert Path(folder).is_relative_to(bin_folder.parent)
    for name in installed.functions():
        found = run(bin_folder / "sgguard", "functions", "path", name, cwd=tmp_path).stdout.strip()
        assert Path(found) == Path(folder) / name / "main.py"
        assert Path(found).read_bytes() == installed.functions()[name].read_bytes()


def test_the_functions_are_served_from_any_folder(bin_folder, tmp_path):
    script = (
        "import urllib.request, sys\n"
        "from sgguard.web import server\n"
        "with server.serve('127.0.0.1', 0) as url:\n"
        "    for name in server.functions():\n"
        "        print(urllib.request.urlopen(f'{url}/{name}/healthz').status)\n"
    )
    ended = run(bin_folder / "python", "-c", script, cwd=tmp_path)
    assert ended.stdout.split() == ["200"] * len(installed.functions()), ended.stderr
