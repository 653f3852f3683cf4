"""Only the page, followed literally in a fresh root, leads to the first decision."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy import readme
from tests.deploy.grants import DEPLOY
from tests.packaging import artifact

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("mmdebstrap", "unshare", "ip", "openssl")
PACKAGES = "python3,nginx-light,curl,ca-certificates"
MAKE = "SGGUARD_MAKE_ROOT"
PAGE = DEPLOY / "systemd" / "README.md"


def test_the_commands_of_a_page_are_read_as_they_stand_there():
    build, configure, start, ask = readme.commands(PAGE)
    assert build.startswith("sgguard package delete_request --runtime linux")
    assert "\nchmod 600 /etc/sgguard/*.env\n" in configure
    assert start.splitlines()[-1] == "nginx -t && systemctl reload nginx"
    assert ask.startswith("curl -s https://guard.example/delete_request")
    filled = readme.filled("A=… B=1 C_D=…", {"A": "x", "C_D": "y"})
    assert filled == "A=x B=1 C_D=y"


def debian() -> Path:
    """A root with what the page needs on the machine; kept from one run to the next.

    It takes minutes to make, so that is done only where it is asked for.
    """
    kept = artifact._cache().parent / "test-linux.tar"
    if not kept.exists() and not os.environ.get(MAKE):
        pytest.skip(f"{kept} is not there: {MAKE}=1 makes it, in some minutes")
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(".fresh.tar")
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}"]
        made = subprocess.run(
            [*command, "bookworm", str(fresh)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            pytest.skip(f"there is no Debian to be had: {made.stderr.splitlines()[-1:]}")
        fresh.rename(kept)
    return kept


@pytest.mark.slow
def test_the_page_of_systemd_leads_to_the_first_decision(tmp_path):
    missing = [one for one in TOOLS if shutil.which(one) is None]
    if missing or os.geteuid():
        pytest.skip(f"a root is made by root with {', '.join(TOOLS)}; missing: {missing}")
    artifact.built("delete_request", "linux")  # the wheels are here from now on
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run(["tar", "-xf", str(debian()), "-C", str(root)], check=True)
    cache = artifact._cache().parents[1]
    given = {
        "root": str(root),
        "page": str(PAGE),
        "python": sys.executable,
        "cache": str(cache),
        "shown": json.dumps([str(ROOT), sys.prefix, sys.base_prefix, str(cache / "sgguard")]),
    }
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    done = subprocess.run(
        [*namespaces, sys.executable, "-m", "tests.deploy.fresh_root"],
        env={**os.environ, "GIVEN": json.dumps(given)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    decision = json.loads(done.stdout)
    assert decision["verdict"] == "block", decision
    assert "referenced" in [one["code"] for one in decision["reasons"]]
