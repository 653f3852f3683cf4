"""Only a page, followed literally in a fresh root, leads to the first decision.

The commands are those that stand in the page. What a page takes for granted (platforms, their
tools, a console) are the stand-ins of ``tests/deploy/platforms``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import readme
from tests.deploy.grants import DEPLOY
from tests.deploy.pages import PAGES
from tests.deploy.platforms.kubectl import REAL as KUBECTL
from tests.packaging import artifact

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("mmdebstrap", "unshare", "ip", "openssl")
PACKAGES = "python3,nginx-light,curl,ca-certificates"


def test_the_commands_of_a_page_are_read_as_they_stand_there():
    build, configure, start, ask = readme.commands(DEPLOY / "systemd" / "README.md")
    assert build.startswith("cd deploy/systemd\nsgguard package delete_request --runtime linux")
    assert "\nchmod 600 /etc/sgguard/*.env\n" in configure
    assert start.splitlines()[-1] == "nginx -t && systemctl reload nginx"
    assert ask.startswith("curl -s https://guard.example/delete_request")
    filled = readme.filled("A=… b=1 c_d=… <a group>", {"A": "x", "c_d": "y", "<a group>": "g"})
    assert filled == "A=x b=1 c_d=y g"


def test_every_page_of_a_platform_is_followed():
    pages = {path.parent.name for path in DEPLOY.glob("*/README.md")}
    assert pages - {page.folder for page in PAGES.values()} == {"observability", "triggers"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Iterator[Path]:
    """A root with what pages need on the machine, which all pages share and none changes.

    It takes a minute or more to make, so it is kept from one run to the next.
    """
    missing = [one for one in TOOLS if shutil.which(one) is None]
    if missing or os.geteuid():
        pytest.skip(f"a root is made by root with {', '.join(TOOLS)}; missing: {missing}")
    kept = artifact._cache().parent / "test-linux.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        made = kept.with_suffix(".fresh.tar")
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}"]
        done = subprocess.run(
            [*command, "bookworm", str(made)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"there is no Debian to be had: {done.stderr.splitlines()[-1:]}")
        made.rename(kept)
    folder = tmp_path_factory.mktemp("root")
    subprocess.run(["tar", "-xf", str(kept), "-C", str(folder)], check=True)
    yield folder
    shutil.rmtree(folder)


def followed(name: str, fresh: Path, folder: Path) -> str:
    """Follow a page in namespaces of its own; return what its last command printed."""
    page = PAGES[name]
    if missing := [one for one in page.needs if shutil.which(one) is None]:
        pytest.skip(f"{missing} is not installed here")
    for runtime in page.builds:
        artifact.download(runtime, page.extras)
    pythons = {version: artifact.interpreter(version) for version in page.pythons}
    cache = artifact._cache().parents[1]
    shown = [str(ROOT), sys.prefix, sys.base_prefix, str(cache / "sgguard")]
    shown += [str(Path(one).parents[1]) for version, one in pythons.items() if version != "3.11"]
    shown += [KUBECTL] if "kubectl" in page.needs else []
    root = folder / "root"
    root.mkdir()
    given: dict[str, Any] = {
        "root": str(root),
        "fresh": str(fresh),
        "page": name,
        "python": sys.executable,
        "tests": str(ROOT),
        "cache": str(cache),
        "pythons": {**pythons, "3.11": "/usr/bin/python3"},
        "shown": list(dict.fromkeys(shown)),
    }
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    done = subprocess.run(
        [*namespaces, sys.executable, "-m", "tests.deploy.fresh_root"],
        env={**os.environ, "GIVEN": json.dumps(given)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def decision_in(told: str) -> dict[str, Any]:
    """The decision in what a page's last command printed, wherever its platform puts it."""
    found: dict[str, Any] = json.loads(told)
    for key in ("Result", "RetMsg", "result"):
        inner = found.get(key, found)
        found = json.loads(inner) if isinstance(inner, str) else inner
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if name != "knative"])
def test_a_page_leads_to_the_first_decision(name, fresh, tmp_path):
    decision = decision_in(followed(name, fresh, tmp_path))
    assert decision["verdict"] == "block", decision
    assert "referenced" in [one["code"] for one in decision["reasons"]]


@pytest.mark.slow
def test_the_page_of_knative_leads_to_the_first_decision_in_its_log(fresh, tmp_path):
    told = followed("knative", fresh, tmp_path)
    lines = [json.loads(one) for one in told.splitlines() if one.startswith("{")]
    (decided,) = (one for one in lines if one["msg"] == "decided")
    assert (decided["verdict"], decided["caller"]) == ("allow", "broker"), told
    assert decided["reasons"] == ["within-limits"]
