"""What a start pays for: nothing is imported that its first decision does not use."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

from sgguard.emulator.server import serve
from tests.parsed import PACKAGE, package
from tests.worlds import world_of

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = ROOT / "functions" / "delete_request" / "main.py"

FIRST = """
import sys
import functions_framework

app = functions_framework.create_app("delete_request", sys.argv[1])
answer = app.test_client().post("/", data=sys.argv[2], content_type="application/json")
assert answer.json["verdict"] == "allow", answer.data
print(*sorted(sys.modules))
"""

COLLECTED = """
import gc
import functions_framework

gc.collect()  # what the framework left behind is not of the start
begun = []
gc.callbacks.append(lambda when, _: begun.append(when))
loaded = functions_framework.create_app("delete_request", sys.argv[1])
print(len(begun), gc.isenabled(), gc.get_freeze_count() > 10_000)
"""

PATTERNS = """
import functions_framework

app = functions_framework.create_app("delete_request", sys.argv[1])
for name, module in sorted(sys.modules.items()):
    if name.startswith("sgguard"):
        for one in vars(module).values():
            if isinstance(one, re.Pattern) and isinstance(one.pattern, str):
                if any(ord(sign) > 0xFFFF for sign in one.pattern):
                    print(name, ascii(one.pattern))
"""

NOT_NEEDED = {
    "httpcore": "one thread's connections are wire's own; the pool is for proxies",
    "jsonschema": "it finds what is wrong with an event; this one is right",
    "tomllib": "there is no policy file",
    "zoneinfo": "there is no channel",
    "cryptography": "nothing is signed but by hash",
    "psycopg": "the store is a file",
    "prometheus_client": "no metrics are wanted",
    "opentelemetry": "no traces are wanted",
    "sgguard.remedy.apply": "nothing is carried out",
    "sgguard.remedy.attempt": "nothing is carried out",
    "sgguard.remedy.restore": "nothing is restored",
    "sgguard.providers.tencent.batch": "no holder is changed",
    "sgguard.providers.tencent.creation": "no group is made",
    "sgguard.providers.tencent.holder": "no holder is read",
    "sgguard.providers.tencent.rule_batch": "no rule is changed",
    "sgguard.providers.tencent.rule_change": "no rule is changed",
    "sgguard.engine.binder": "nothing is bound",
    "sgguard.engine.recheck": "nothing is deleted",
    "sgguard.events.kept": "there is no dead letter",
    "sgguard.guards.launch": "nothing is launched",
    "sgguard.emulator": "no deployed function has it",
    "sgguard.providers.alibaba": "another cloud is asked",
}


def test_the_first_decision_imports_nothing_that_it_does_not_use(tmp_path):
    world = world_of("tencent")
    body = json.dumps({"target": f"tencent::{world.region}:{world.free}"})
    with serve(world.emulator()) as running:
        env = {
            "PATH": os.environ["PATH"],
            **world.env,
            "SGGUARD_ENDPOINT_TENCENT": running.url,
            "SGGUARD_STORE": f"sqlite:///{tmp_path}/store.db",
            "HOST": "127.0.0.1",
        }
        done = subprocess.run(
            [sys.executable, "-c", FIRST, str(FUNCTION), body],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    imported = done.stdout.split()
    found = {
        name: why
        for name, why in NOT_NEEDED.items()
        if any(one == name or one.startswith(f"{name}.") for one in imported)
    }
    assert not found


def started(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A process that loads the function as its framework does."""
    return subprocess.run(
        [sys.executable, "-c", f"import re, sys\n{code}", str(FUNCTION)],
        env={"PATH": os.environ["PATH"], **world_of("tencent").env, "HOST": "127.0.0.1", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_garbage_is_looked_for_while_a_function_starts_and_some_is_afterwards(tmp_path):
    done = started(COLLECTED, SGGUARD_STORE=f"sqlite:///{tmp_path}/store.db")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "True", "True"]


def test_a_function_that_does_not_start_leaves_the_collector_as_it_was():
    code = COLLECTED.replace("loaded = ", "try: ").replace("[1])", "[1])\nexcept SystemExit: pass")
    done = started(code, SGGUARD_MODE="perhaps")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == "True"


def test_garbage_that_an_entry_file_ignores_stays_ignored_until_that_file_heeds_it():
    code = COLLECTED.replace("gc.collect()", "gc.disable()")
    assert started(code).stdout.split() == ["0", "False", "False"]


def test_no_pattern_of_a_start_names_the_far_planes_of_unicode(tmp_path):
    """Compiling one takes three milliseconds: as long as importing twenty modules."""
    done = started(PATTERNS, SGGUARD_STORE=f"sqlite:///{tmp_path}/store.db")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_what_travels_is_a_struct_and_not_made_anew_by_a_decorator_at_each_start():
    """A frozen slotted dataclass takes half a millisecond of each import, a Struct a fiftieth."""
    found = []
    for path, nodes in package().items():
        if "emulator" in path.relative_to(PACKAGE).parts:
            continue  # no start of a function imports it
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                found += [
                    f"{path.relative_to(PACKAGE)}: {node.name}"
                    for one in map(ast.unparse, node.decorator_list)
                    if one.startswith("dataclass(") and "frozen=True" in one and "slots=True" in one
                ]
    assert not found
