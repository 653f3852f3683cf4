"""A function as ``sgguard.demo.child`` runs it, with leases of seconds.

A claim of a process that died holds for a minute, which is what a test of many deaths would wait
for. Nothing else is changed.
"""

from __future__ import annotations

import os
import runpy

from sgguard.engine import keeper

if __name__ == "__main__":
    keeper.LEASE_S = float(os.environ.get("LEASE_S", "4.0"))
    runpy.run_module("sgguard.demo.child", run_name="__main__", alter_sys=True)
