"""What commands print, as the documents show it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from sgguard.emulator import scenario
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from tests.docs.sections import ROOT

DEMO_LINES = (
    ("block", "shop-web"),
    ("remediate", "bastion"),
    ("allow", "canary-back"),
    ("block", "1998 x"),
    ("block", "ci-runners"),
    ("allow", "student-lab"),
)
"""Which lines of the demo the README shows: the first of that verdict with that word."""


def demo_lines() -> str:
    printed = _printed("demo")
    return "\n".join(
        next(one for one in printed.splitlines() if one.startswith(verdict) and word in one)
        for verdict, word in DEMO_LINES
    )


def explain_output() -> str:
    return _printed("explain", "tencent::ap-guangzhou:sg-5ua9adfv").rstrip("\n")


def doctor_output() -> str:
    """Two clouds of the demo, one of them with a permission missing."""
    printed = _printed(
        "doctor", *("--provider", "tencent", "--provider", "openstack"), denied=True, code=1
    )
    lines = [line for line in printed.splitlines() if line and not line.startswith("note:")]
    return "\n".join([*lines[:3], "", *lines[3:-1], "", lines[-1]])


def _printed(*arguments: str, denied: bool = False, code: int = 0) -> str:
    """What a command prints about the clouds of the demo."""
    demo = scenario.load("demo")
    emulator = Emulator.load({"clouds": demo.clouds})
    if denied:
        emulator.state.cloud("tencent").accounts[0].denied = ["DescribeSecurityGroupReferences"]
    with tempfile.TemporaryDirectory() as home_folder, serve(emulator) as server:
        ended = subprocess.run(
            [sys.executable, "-m", "sgguard.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": home_folder, **demo.client_env(server.url)},
        )
    assert ended.returncode == code, ended.stderr
    return ended.stdout
