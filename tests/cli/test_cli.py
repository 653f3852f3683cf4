"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sgguard.cli import cli, failure
from sgguard.emulator import scenario
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from sgguard.telemetry.logs import LOGGER
from tests.patience import pause

FREE = "tencent::ap-guangzhou:sg-0ldc4mp1"
BASTION = "tencent::ap-guangzhou:sg-b4st10n0"
WEB = "tencent::ap-guangzhou:sg-5ua9adfv"
CANARIES = ["tencent::ap-guangzhou:sg-c4n4ry01", "tencent::ap-guangzhou:sg-c4n4ry02"]
LAUNCH = ["check", "launch", "--provider", "tencent", "--region", "ap-guangzhou"]


@pytest.fixture(scope="module")
def demo_server():
    demo = scenario.load("demo")
    with serve(Emulator.load({"clouds": demo.clouds})) as server:
        yield server, demo.client_env(server.url)


@pytest.fixture
def clouds(demo_server, monkeypatch):
    server, env = demo_server
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    server.emulator.faults.clear()
    return server.emulator


@pytest.fixture(autouse=True)
def log_as_before():
    """A command may set the log up for its whole process, which here is the tests' own."""
    handlers, level, propagate = list(LOGGER.handlers), LOGGER.level, LOGGER.propagate
    yield
    LOGGER.handlers[:], LOGGER.propagate = handlers, propagate
    LOGGER.setLevel(level)


@pytest.fixture
def sgguard(capsys):
    def run(*args):
        code = failure.run(cli, args)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def child():
    """Start a real process, as a shell does; it is ended with the test."""
    with ExitStack() as stack:

        def start(*args, **options):
            process = subprocess.Popen(
                [sys.executable, "-m", "sgguard.cli", *args],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                **options,
            )
            stack.enter_context(process)  # closes the pipes and waits
            stack.callback(process.kill)
            return process

        yield start


# --- verdicts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "code", "verdict"),
    [
        (["delete", FREE], 0, "allow"),
        (["delete", BASTION], 1, "block"),
        (["delete", *CANARIES], 0, "allow"),
        ([*LAUNCH[1:], "--group", "sg-5ua9adfv"], 0, "allow"),
        (
            [*LAUNCH[1:], "--group", "sg-5ua9adfv", "--count", "1998"],
            1,
            "block",
        ),
        (
            [*LAUNCH[1:], "--instance", "ins-d4t4b4s3"],
            0,
            "allow",
        ),
        (
            [*LAUNCH[1:], "--instance", "ins-d4t4b4s3", "--group", "sg-b4st10n0"],
            1,
            "block",
        ),
    ],
    ids=["free", "referenced", "set", "fits", "too-many", "instance", "sixth"],
)
@pytest.mark.sampled(8)
def test_the_exit_code_is_the_verdict_and_json_is_the_document_alone(
    clouds, sgguard, args, code, verdict
):
    exit_code, out, err = sgguard("check", *args, "--json")
    assert (exit_code, err) == (code, "")
    document = json.loads(out)
    assert document["verdict"] == verdict
    assert sgguard("check", *args)[0] == code


def test_a_permitted_remedy_ends_with_3(clouds, sgguard, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('[delete]\nremedies = ["revoke"]\n[caps]\nmanagement_ports = []\n')
    code, out, _ = sgguard("check", "delete", BASTION, "--policy", str(policy))
    assert code == 3
    assert "REMEDIATE" in out
    assert "revoke" in out


def test_a_check_only_reads(clouds, sgguard):
    clouds.requests.clear()
    before = clouds.state.dump()
    sgguard("check", "delete", WEB)
    assert clouds.requests
    assert clouds.state.dump() == before


def test_text_names_who_references_and_what_is_bound(clouds, sgguard):
    _, out, _ = sgguard("check", "delete", WEB)
    for name in ("shop-app", "ins-915zrb0p", "load-balancer", "BLOCK"):
        assert name in out


# --- explain ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "start"),
    [("text", "sg-5ua9adfv (shop-web)"), ("mermaid", "flowchart"), ("dot", "digraph")],
)
@pytest.mark.sampled(2)
def test_a_group_is_drawn_in_every_format(clouds, sgguard, kind, start):
    code, out, err = sgguard("explain", WEB, "--format", kind)
    assert (code, err) == (0, "")
    assert out.lstrip().startswith(start)
    assert "shop-app" in out


def test_a_graph_as_json_has_nodes_and_edges(clouds, sgguard):
    _, out, _ = sgguard("explain", WEB, "--json")
    graph = json.loads(out)
    assert {node["name"] for node in graph["nodes"]} >= {"shop-web", "shop-app"}
    assert out == sgguard("explain", WEB, "--format", "json")[1]


def test_explain_shows_how_each_holder_detaches_and_fits_the_terminal(clouds, sgguard, monkeypatch):
    monkeypatch.setenv("COLUMNS", "72")
    _, out, _ = sgguard("explain", WEB)
    assert "detach: revoke this rule" in out
    assert max(map(len, out.splitlines())) <= 72


def test_explain_follows_who_names_those_that_name_it(clouds, sgguard):
    shallow, deep = (sgguard("explain", WEB, "--depth", depth)[1] for depth in ("1", "2"))
    assert "shop-db (" not in shallow
    assert "sg-c3y9ak17 (shop-db)" in deep
    nodes = json.loads(sgguard("explain", WEB, "--depth", "2", "--json")[1])["nodes"]
    assert [one["name"] for one in nodes if one["is_target"]] == ["shop-web"]
    assert {one["name"] for one in nodes if one["is_followed"]} == {"shop-web", "shop-app"}


def test_a_depth_that_makes_no_sense_is_an_error(clouds, sgguard):
    assert sgguard("explain", WEB, "--depth", "0")[0] == 2


def test_a_group_that_is_not_there_is_an_error(clouds, sgguard):
    code, out, err = sgguard("explain", "tencent::ap-guangzhou:sg-n0th1ng0")
    assert (code, out) == (2, "")
    assert "knows no such group" in err


BLOCKED_ELSEWHERE = "alibaba::cn-hangzhou:sg-bp1payments0web00001"


@pytest.mark.usefixtures("clouds")
def test_groups_of_several_clouds_are_judged_as_sets_and_the_worst_is_the_exit_code(sgguard):
    code, out, err = sgguard("check", "delete", "--json", *CANARIES, BLOCKED_ELSEWHERE)
    assert (code, err) == (1, "")
    document = json.loads(out)
    one, two = document["decisions"]
    assert (document["verdict"], document["errors"]) == ("block", [])
    assert (one["verdict"], one["target"]) == ("allow", CANARIES)
    assert (two["verdict"], two["target"]) == ("block", [BLOCKED_ELSEWHERE])
    code, out, _ = sgguard("check", "delete", *CANARIES, BLOCKED_ELSEWHERE)
    assert code == 1
    assert CANARIES[0] in out
    assert BLOCKED_ELSEWHERE in out


@pytest.mark.usefixtures("clouds")
def test_an_unavailable_cloud_does_not_hide_the_decisions_of_others(sgguard):
    code, out, err = sgguard("check", "delete", "--json", FREE, "nimbus::r:sg-1")
    assert code == 2
    document = json.loads(out)
    assert [one["verdict"] for one in document["decisions"]] == ["allow"]
    assert document["verdict"] is None
    [failed] = document["errors"]
    assert failed["target"] == ["nimbus::r:sg-1"]
    assert err.startswith("sgguard: ")
    assert err.count("\n") == 1


# --- errors: one line, exit 2, no traceback -------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check", "delete", "sg-5ua9adfv"], "is not a group address: expected provider:account"),
        (["check", "delete", "mars::x:sg-1"], "unknown provider 'mars': expected one of alibaba"),
        (["check", "delete", FREE, FREE], "is named twice"),
        (["check", "delete", "tencent:other:ap-guangzhou:sg-0ldc4mp1"], "not to 'other'"),
        (["check", "delete", FREE, "--policy", "/no/such.toml"], "/no/such.toml: cannot be read"),
        (["check", "delete"], "Missing argument 'ADDRESS...'. See `sgguard check delete --help`."),
        (LAUNCH, "Name an instance"),
        (
            [*LAUNCH, "--instance", "i", "--count", "2"],
            "--count is about planned instances",
        ),
        (
            [*LAUNCH, "--group", "g", "--count", "0"],
            "count: is too small",
        ),
        (["check", "delete", FREE, "--policy", ""], "--policy names no file"),
        (["explain", "nonsense"], "is not a group address"),
        (["explain", WEB, "--format", "svg"], "'svg' is not one of 'text'"),
        (["emulate", "--scenario", "nothing"], "no such scenario"),
        (["serve", "--policy", "/no/such.toml"], "cannot be read"),
        (["teleport"], "No such command 'teleport'"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
@pytest.mark.sampled(6)
def test_an_error_is_one_line(clouds, sgguard, args, said):
    code, out, err = sgguard(*args)
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("sgguard: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("address", "variable"),
    [
        ("tencent::ap-guangzhou:sg-5ua9adfv", "TENCENTCLOUD_SECRET_ID"),
        ("tencent-dfw::gz:sg-5ua9adfv", "TENCENTCLOUD_SECRET_ID"),
        ("alibaba::cn-hangzhou:sg-bp1fg655nh68xyz9i", "ALIBABA_CLOUD_ACCESS_KEY_ID"),
        ("huawei::cn-north-4:11111111-aaaa-4aaa-8aaa-000000000001", "HUAWEICLOUD_SDK_AK"),
        ("openstack::RegionOne:55555555-eeee-4eee-8eee-000000000001", "OS_AUTH_URL"),
    ],
)
def test_missing_credentials_name_the_variable_to_set(sgguard, address, variable):
    code, out, err = sgguard("check", "delete", address)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert variable in err


def test_a_refused_connection_names_the_host(clouds, sgguard, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    monkeypatch.setenv("SGGUARD_ENDPOINT_TENCENT", f"http://127.0.0.1:{closed}")
    monkeypatch.setenv("SGGUARD_DEADLINE_S", "2")
    code, _, err = sgguard("check", "delete", FREE)
    assert (code, err.count("\n")) == (2, 1)
    assert "Connection refused" in err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tencent::ap-atlantis:sg-5ua9adfv", "UnsupportedRegion"),
        ("tencent-dfw::atlantis:sg-erpweb01", "Region is not supported"),
        ("alibaba::cn-atlantis:sg-bp1payments0web00001", "InvalidRegionId.NotFound"),
        ("openstack::Atlantis:55555555-eeee-4eee-8eee-000000000001", "no region 'Atlantis'"),
    ],
)
def test_a_region_that_does_not_exist_is_one_line(clouds, sgguard, address, said):
    code, out, err = sgguard("check", "delete", address)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_a_wrong_key_is_one_line_without_the_clouds_own_text(clouds, sgguard, monkeypatch):
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", "wrong-secret-key")
    code, _, err = sgguard("check", "delete", FREE)
    assert (code, err.count("\n")) == (2, 1)
    assert "does not accept these credentials" in err
    assert "wrong-secret-key" not in err


def test_a_misspelt_setting_is_reported_and_the_check_continues(clouds, sgguard, monkeypatch):
    monkeypatch.setenv("SGGUARD_POLCY", "x")
    code, _, err = sgguard("check", "delete", FREE)
    assert code == 0
    assert err.startswith("sgguard: SGGUARD_POLCY is set, but there is no such setting")


def test_an_unexpected_error_asks_for_a_report_and_shows_a_traceback_only_when_debugging(
    sgguard, monkeypatch
):
    monkeypatch.setattr("sgguard.engine.decide.decide_deletes", lambda *_a, **_k: 1 / 0)
    code, out, err = sgguard("check", "delete", FREE)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "unexpected ZeroDivisionError" in err
    assert "please report" in err
    monkeypatch.setenv("SGGUARD_LOG_LEVEL", "debug")
    assert "Traceback" in sgguard("check", "delete", FREE)[2]


# --- help ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [[], ["demo"], ["emulate"], ["serve"], ["check", "delete"], ["check", "launch"], ["explain"]],
    ids=" ".join,
)
def test_every_help_teaches_by_example(sgguard, command):
    code, out, _ = sgguard(*command, "--help")
    assert code == 0
    assert "Examples:" in out
    assert "sgguard " + " ".join(command) in out


def test_the_version_is_printed(sgguard):
    code, out, _ = sgguard("--version")
    assert code == 0
    assert re.fullmatch(r"sgguard, version \d+\.\d+\.\d+( \([0-9a-f]{12}\))?\n", out)


# --- processes ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.sampled(2)
def test_the_emulator_prints_one_json_line_and_ends_cleanly(child, number):
    process = child("emulate", "--port", "0")
    line = json.loads(process.stdout.readline())
    assert line["scenario"] == "demo"
    assert line["env"]["SGGUARD_ENDPOINT_ALIBABA"] == line["url"]
    assert httpx.get(f"{line['url']}/_emulator/requests", trust_env=False).json() == []
    environment = {"PATH": os.environ["PATH"], **line["env"]}
    checked = child("check", "delete", FREE, env=environment)
    assert "ALLOW" in checked.communicate(timeout=20)[0]
    assert checked.returncode == 0
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_port_in_use_is_one_line(sgguard):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        for command in ("emulate", "serve"):
            code, out, err = sgguard(command, "--port", port)
            assert (code, out) == (2, "")
            assert err == (
                f"sgguard: cannot listen on 127.0.0.1:{port}: the port is in use: "
                "choose another one with --port\n"
            )


def test_every_function_is_served_under_its_name(child, demo_server):
    _, env = demo_server
    process = child("serve", "--port", "0", env=os.environ | env)
    names = ["approval", "bind_request", "chat", "cloud_event", "delete_request", "instance_launch"]
    *_, deletes, launches = every = [process.stdout.readline().strip() for _ in names]
    assert [url.rpartition("/")[2] for url in every] == names
    with httpx.Client(trust_env=False) as client:
        decided = client.post(deletes, json={"target": FREE}).json()
        launched = client.post(
            launches,
            json={"provider": "tencent", "region": "ap-guangzhou", "groups": ["sg-5ua9adfv"]},
        ).json()
        missing = client.post(deletes.replace("delete_request", "nothing"), json={})
        root = client.get(deletes.replace("delete_request", ""))
    assert (decided["verdict"], launched["verdict"]) == ("allow", "allow")
    assert missing.status_code == 404
    assert root.json() == {"functions": [f"/{name}" for name in names]}
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert env["TENCENTCLOUD_SECRET_KEY"] not in err


def test_a_reader_that_goes_away_is_no_verdict(demo_server):
    _, env = demo_server
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "sgguard.cli", "check", "delete", "--json", BASTION],
        env=os.environ | env,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (process.returncode, process.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("buffering", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.sampled(2)
def test_a_full_disk_is_one_line_and_no_verdict(demo_server, buffering):
    _, env = demo_server
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "sgguard.cli", "check", "delete", FREE],
            env=os.environ | env | {"PYTHONUNBUFFERED": buffering},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 2
    assert process.stderr == "sgguard: the system refused: No space left on device\n"


def test_ctrl_c_is_quiet(child, demo_server):
    server, env = demo_server
    with serve(server.emulator) as slow:
        httpx.post(
            f"{slow.url}/_emulator/faults",
            json={"kind": "latency", "latency_ms": 8000, "provider": "tencent", "count": 20},
            trust_env=False,
        )
        environment = os.environ | env | {"SGGUARD_ENDPOINT_TENCENT": slow.url}
        process = child("check", "delete", FREE, env=environment)
        while not any(f.count < 20 for f in server.emulator.faults):
            assert process.poll() is None
            pause()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        server.emulator.faults.clear()
    assert (process.returncode, out, err) == (130, "", "")
