"""The demonstration runs for real: emulator, functions as processes, events over HTTP."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import uuid
from pathlib import Path

import pytest

from sgguard.demo import run
from sgguard.demo.processes import ENDING
from sgguard.demo.response import Response, differences, line
from sgguard.demo.run import Output
from sgguard.emulator.scenario import Expect, ScenarioEvent, load
from sgguard.render.wording import columns
from tests.patience import pause

EVENTS = load("demo").events


# What a person's shell may hold that must not reach the functions of the demo.
OURS = {
    "SGGUARD_MODE": "nonsense",
    "TENCENTCLOUD_SECRET_KEY": "mine",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "FUNCTION_USE_ASGI": "true",
    "FUNCTION_SIGNATURE_TYPE": "cloudevent",
    "DEBUG": "true",
}


def environment(**more):
    # How wide a line may be is the terminal's to say, and there is none.
    here = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return here | OURS | more


@pytest.mark.slow  # the quick run compares the output of the demo with the documents
def test_every_event_is_answered_as_expected_in_one_line_each_on_two_screens():
    ended = subprocess.run(
        [sys.executable, "-m", "sgguard.cli", "demo"],
        capture_output=True,
        text=True,
        timeout=300,  # a watchdog
        check=False,
        env=environment(),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    verdicts = ("allow ", "block ", "remediate ", "refused ")
    lines = [one for one in ended.stdout.splitlines() if one.startswith(verdicts)]
    assert len(lines) == len(EVENTS)
    for provider in ("tencent", "tencent-dfw", "alibaba", "huawei", "openstack"):
        assert {"allow", "block"} & {n.split()[0] for n in lines if n.split()[1] == provider}
    assert "\x1b" not in ended.stdout
    assert len(ended.stdout.splitlines()) <= 80
    assert max(map(columns, ended.stdout.splitlines())) <= 120
    for part in (
        "explain tencent::ap-guangzhou:sg-5ua9adfv\n",
        "├─ referenced by",
        "3 rules of 2 groups would silently vanish",
        "done: delete sg-b4st10n0 (bastion)",
        "done: create sg-b4st10n0 (bastion) again, under a new id",
        "demo --full",
        "With a cloud of your own",
        f"{len(EVENTS)} events: ",
        "every response as expected",
    ):
        assert part in ended.stdout


SCENARIO = """
title = "One cloud"
env = { TENCENTCLOUD_SECRET_ID = "AKIDx", TENCENTCLOUD_SECRET_KEY = "s" }
[[clouds]]
provider = "tencent"
regions = ["ap-guangzhou"]
accounts = [{ id = "1", key_id = "AKIDx", secret = "s", projects = ["0"] }]
groups = [{ id = "sg-00000000", name = "free" }]
[[events]]
function = "delete_request"
title = "a free group"
data = { target = "tencent::ap-guangzhou:sg-00000000" }
expect = { verdict = "block", reasons = ["bound"] }
"""


def test_an_answer_that_differs_is_named_and_fails(tmp_path):
    scenario = tmp_path / "wrong.toml"
    scenario.write_text(SCENARIO)
    lines, errors = [], []
    output = Output(lines.append, errors.append, lambda text, _: text, is_full=True)
    assert not run.run(output, name=str(scenario))
    assert "DIFFERENT: a free group: verdict allow instead of block" in errors
    assert "DIFFERENT: a free group: reason missing: bound" in errors
    assert "1 events: 1 allow; 2 DIFFERENT" in lines[-1]
    story = "\n".join(lines)
    assert "\n# a free group\nallow     tencent     free" in story
    assert "\nALLOW  delete tencent::ap-guangzhou:sg-00000000\n" in story
    assert "1 group, 0 references, 0 bindings; complete" in story


def document(verdict="block", *reasons, deleted=()):
    return {
        "verdict": verdict,
        "outcome": "unchanged",
        "note": "",
        "reasons": [{"code": code, "effect": effect} for code, effect in reasons],
        "plan": [{"action": "delete", "target": f"x::y:{name}"} for name in deleted],
    }


@pytest.mark.parametrize(
    ("expect", "status", "answer", "said"),
    [
        (Expect("block", ["bound"]), 200, document("block", ("bound", "block")), []),
        (Expect("allow", ["free"]), 200, document("allow", ("free", "info")), []),
        (Expect("allow"), 200, document("allow", ("free", "info")), []),
        (Expect(status=400), 400, {"detail": "no"}, []),
        (
            Expect("block", ["bound"]),
            200,
            document("block", ("bound", "block"), ("limit-near", "warn")),
            ["reason not expected: limit-near"],
        ),
        (
            Expect("allow", outcome="remediated"),
            200,
            document("allow"),
            ["outcome unchanged instead of remediated: "],
        ),
        (Expect("block"), 503, {"detail": "no"}, ["HTTP status 503 instead of 200: no"]),
        (Expect(status=400), 200, document("allow"), ["HTTP status 200 instead of 400: None"]),
        (
            Expect("allow", order=["a", "b"]),
            200,
            document("allow", deleted=("b", "a")),
            ["order ['b', 'a'] instead of ['a', 'b']"],
        ),
    ],
    ids=["same", "info", "unnamed-info", "400", "extra", "outcome", "503", "not-400", "order"],
)
def test_differences_are_found_in_status_verdict_reasons_and_order(expect, status, answer, said):
    event = ScenarioEvent("delete_request", "t", {}, expect)
    assert list(differences(Response(event, status, answer))) == said


def reason(code, message, effect="block"):
    return {"code": code, "effect": effect, "message": message}


def judged(verdict, *reasons, outcome="unchanged", steps=0):
    facts = {"groups": [], "references": [], "bindings": [], "instance": None}
    plan = [{"action": "revoke", "target": "x::y:sg-2"}] * steps
    return {
        "guard": "delete",
        "verdict": verdict,
        "outcome": outcome,
        "reasons": list(reasons),
        "facts": facts,
        "plan": plan,
    }


SHORT = reason("referenced", "Short. " + "And this is long. " * 9)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (judged("block", reason("bound", "It is bound.")), "It is bound."),
        (judged("block", SHORT), "Short. And this is long. And this is long. And this is long."),
        (judged("block", reason("bound", "one two " * 30)), "one two " * 8 + "one …"),
        (
            judged("block", reason("limit-near", "b", "warn"), SHORT, reason("bound", "c")),
            "Short. And this is long. And this is long (also bound, limit-near)",
        ),
        (judged("remediate", reason("bound", "It is bound."), steps=2), "It is bound (2 steps)"),
        (
            judged("remediate", reason("bound", "It is."), steps=3, outcome="remediated"),
            "It is (3 steps, done)",
        ),
        (judged("allow", reason("free", "It is free.", "info"), steps=1), "It is free."),
    ],
    ids=["short", "sentences", "words", "others", "plan", "done", "delete-alone"],
)
def test_a_line_has_the_main_reason_and_fits(document, words):
    event = ScenarioEvent("delete_request", "t", {"target": "tencent::x:sg-1"}, Expect())
    shown = line(Response(event, 200, document), lambda text, _: text, 120)
    assert shown[48:] == words
    assert len(shown) <= 120


def test_a_refusal_is_a_line_as_well():
    event = ScenarioEvent("delete_request", "t", {"target": "tencent::x:sg-1"}, Expect(status=400))
    response = Response(event, 400, {"detail": "a word-with-hyphens " * 12})
    shown = line(response, lambda text, _: text, 80)
    assert shown.startswith("refused   tencent     sg-1  ")
    assert shown.endswith(" a …")
    assert len(shown) <= 80


@pytest.fixture
def _no_signal_ignored():
    """Children inherit what is ignored: ``nohup`` would keep SIGHUP from the demo."""
    ignored = [one for one in ENDING if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, signal.SIG_DFL)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)


@pytest.mark.usefixtures("_no_signal_ignored")
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.sampled(3)
def test_the_functions_end_with_the_demo_however_it_ends(number):
    mark = uuid.uuid4().hex
    with subprocess.Popen(
        [sys.executable, "-m", "sgguard.cli", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(DEMO_MARK=mark),
    ) as process:
        while len(marked(mark)) < 3:
            assert process.poll() is None
            pause()
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (130, b"")
    assert marked(mark) == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
def test_the_functions_end_with_a_demo_that_is_killed():
    mark = uuid.uuid4().hex
    with subprocess.Popen(
        [sys.executable, "-m", "sgguard.cli", "demo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(DEMO_MARK=mark),
    ) as process:
        while len(marked(mark)) < 3:
            assert process.poll() is None
            pause()
        process.kill()
    while marked(mark):  # they end by themselves, each as it sees that its parent is gone
        pass


@pytest.mark.usefixtures("_no_signal_ignored")
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
def test_the_functions_end_when_the_terminal_closes():
    mark = uuid.uuid4().hex
    own, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sgguard.cli", "demo"],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment(DEMO_MARK=mark),
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - its terminal
    )
    os.close(its)
    while len(marked(mark)) < 3:
        assert process.poll() is None
        pause()
    os.close(own)
    process.wait(timeout=300)
    while marked(mark):
        pass


def marked(mark):
    """The processes that run with this mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found
