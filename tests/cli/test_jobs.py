"""The jobs of an engineer on call: what is typed, how many commands that takes, what comes of it.

Two clouds with more than thirty groups each, a store, and a policy. ``jobs.py`` lists all jobs,
also those that sgguard has no command for.
"""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from sgguard.approvals import link as links
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from tests.approvals.harness import KEY
from tests.cli.jobs import COMMANDS, JOBS
from tests.commands import sgguard
from tests.worlds import alibaba, tencent

__all__ = ["sgguard"]  # fixture

OLD = [f"tencent::ap-guangzhou:sg-old{number:05}" for number in range(12)]
WEB = "tencent::ap-guangzhou:sg-5ua9adfv"
ALIBABA_OLD = [
    f"alibaba::{alibaba.WORLD.region}:sg-bp1old000000000{number:03}" for number in range(30)
]
REGIONS = ("ap-guangzhou", "ap-shanghai", "ap-singapore")
NEAR = [f"tencent::{region}:sg-near{n:04}" for n, region in enumerate(REGIONS)]
FAR = [f"tencent:other:{region}:sg-faraw{n:03}" for n, region in enumerate(REGIONS)]
OTHER_ACCOUNT = {
    "TENCENTCLOUD_SECRET_ID": "AKIDOTHER00000000000000000000000",
    "TENCENTCLOUD_SECRET_KEY": "ANOTHERSECRETKEY0000000000000000",
}
POLICY = """
mode = "{mode}"
[delete]
remedies = ["revoke", "unbind"]
carry_out = "{carry_out}"
[caps]
management_ports = []
changes = 40
[approval]
approvers = ["ada", "bob"]
"""


@pytest.fixture(scope="module")
def clouds():
    """Both small worlds with thirty groups more each.

    Twelve of them reference each other, and a group that stays references the first.
    """
    first, second = (one.WORLD.scenario_copy()["clouds"][0] for one in (tencent, alibaba))
    for number in range(30):
        rule = {"direction": "ingress", "ports": "443", "peer_group": OLD[(number + 1) % 12][-11:]}
        first["groups"].append(
            {
                "id": f"sg-old{number:05}",
                "name": f"decommissioned-{number}",
                "rules": [rule] if number < 12 else [],
            }
        )
        last = ALIBABA_OLD[number].rpartition(":")[2]
        second["groups"].append({"id": last, "name": f"decommissioned-{number}"})
    first["regions"] = list(REGIONS)
    for number, region in enumerate(REGIONS):
        near = {"id": f"sg-near{number:04}", "name": f"near-{number}", "region": region}
        far = {"id": f"sg-faraw{number:03}", "name": f"far-{number}", "region": region}
        first["groups"] += [near, {**far, "account": "100000000002"}]
    outside = next(one for one in first["groups"] if one["name"] == "web")
    outside["rules"].append({"direction": "ingress", "ports": "22", "peer_group": "sg-old00000"})
    with serve(Emulator.load({"clouds": [first, second]})) as running:
        yield running


@pytest.fixture
def work(clouds, tmp_path, monkeypatch, sgguard):
    """Give the command line, and count what is typed."""
    before = clouds.emulator.state.dump()
    for mode in ("enforce", "approve"):
        text = POLICY.format(mode=mode, carry_out="remedied")
        (tmp_path / f"{mode}.toml").write_text(text)
    (tmp_path / "always.toml").write_text(POLICY.format(mode="enforce", carry_out="always"))
    env = {
        **tencent.ENV,
        **alibaba.WORLD.env,
        "SGGUARD_ENDPOINT_TENCENT": clouds.url,
        "SGGUARD_ENDPOINT_ALIBABA": clouds.url,
        "SGGUARD_STORE": f"sqlite:///{tmp_path / 'store.db'}",
        "SGGUARD_POLICY": str(tmp_path / "enforce.toml"),
        "SGGUARD_APPROVAL_KEY": KEY,
        "SGGUARD_APPROVAL_URL": "https://guard.example/approval",
        "USER": "ada",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    yield Work(clouds.emulator, sgguard)
    clouds.emulator.state.__init__(Emulator.load(before).state.clouds)


class Work:
    """What is typed at the terminal."""

    def __init__(self, emulator, sgguard) -> None:
        self.emulator, self.sgguard, self.commands = emulator, sgguard, 0

    def __call__(self, *args: str, code: int = 0) -> str:
        self.commands += 1
        ended, out, err = self.sgguard(*args)
        assert ended == code, (args, out[-2000:], err)
        return out

    def names(self, provider: str) -> set[str]:
        return {one.name for one in self.emulator.state.cloud(provider).groups}


def test_a_dozen_groups_of_a_decommissioned_environment_go_with_one_command(work):
    out = work("apply", "--yes", *OLD, "--json")
    [decided] = json.loads(out)["decisions"]
    assert decided["outcome"] == "remediated"
    left = {f"decommissioned-{number}" for number in range(12, 30)}
    assert {one for one in work.names("tencent") if "decom" in one} == left
    assert work.commands == COMMANDS["dozen"]


def test_a_failed_destroy_is_explained_by_one_command(work):
    out = work("check", "delete", WEB, code=3)
    for words in ("web", "jobs", "would be refused", "revoke rule"):
        assert words in out
    assert work.commands == COMMANDS["failed_destroy"]


def test_a_wrong_group_that_was_deleted_comes_back_with_two_commands_after(work):
    work("apply", "--yes", *OLD)
    listed = work(
        "decisions", "list", "--target", f"*:{OLD[3].rpartition(':')[2]}", "--since", "1d"
    )
    decision = listed.split()[0][:8]
    out = work("restore", "--yes", "--group", OLD[3], decision, code=1)
    assert "left out: rule" in out
    assert "sg-old00004, which it names, is gone" in out
    assert "decommissioned-3" in work.names("tencent")
    assert "decommissioned-4" not in work.names("tencent")
    assert work.commands == 1 + COMMANDS["wrong_group"]


def test_somebody_else_approves_by_link_after_two_commands(work, tmp_path):
    policy = str(tmp_path / "approve.toml")
    work("apply", "--yes", WEB, "--policy", policy, code=3)
    listed = work("approvals", "list")
    linked = work("approvals", "link", listed.split()[0][:8], "--as", "bob", "--policy", policy)
    token = linked.strip().partition("?token=")[2]
    assert links.read(token, (KEY,), 0.0).approver == "bob"
    assert work.commands == 1 + COMMANDS["by_link"]


def test_who_deleted_that_last_week_is_one_command(work):
    work("apply", "--yes", "--as", "olga", *OLD[:3], code=0)
    out = work("decisions", "list", "--target", "*:sg-old00001", "--since", "7d")
    assert "remediate, remediated" in out
    assert "asked by olga" in out
    assert work.commands == 1 + COMMANDS["last_week"]


def test_everything_is_stopped_with_one_command_whatever_the_policy_is(work, monkeypatch, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("mode = nonsense [")
    monkeypatch.setenv("SGGUARD_POLICY", str(broken))
    monkeypatch.setenv("SGGUARD_DEADLINE_S", "soon")
    work("halt", "on", "--reason", "incident 4711")
    assert work.commands == COMMANDS["stopped"]
    monkeypatch.setenv("SGGUARD_POLICY", str(tmp_path / "enforce.toml"))
    monkeypatch.delenv("SGGUARD_DEADLINE_S")
    assert "incident 4711" in work("apply", "--yes", WEB, code=1)


def test_whether_fifty_instances_fit_is_one_command(work):
    where = ["--provider", "tencent", "--region", "ap-guangzhou", "--group", "sg-unused00"]
    out = work("check", "launch", *where, "--count", "50")
    assert "ALLOW" in out
    assert work.commands == COMMANDS["fifty"]


def test_three_hundred_instances_get_a_group_with_one_command(work, tmp_path):
    cloud = work.emulator.state.cloud("tencent")
    first = cloud.instances[0]
    own = next(one for one in cloud.interfaces if one.instance == first.id)
    ids = [f"ins-job{number:05}" for number in range(300)]
    for number, one in enumerate(ids):
        cloud.instances.append(replace(first, id=one, name=one))
        card = replace(own, id=f"eni-job{number:05}", instance=one, groups=["sg-deflt000"])
        cloud.interfaces.append(card)
    (tmp_path / "ids.txt").write_text("\n".join(ids))
    group = "tencent::ap-guangzhou:sg-unused00"
    out = work("bind", "--yes", group, "--from", str(tmp_path / "ids.txt"))
    assert "300 holders: 300 done" in out
    assert work.commands == COMMANDS["three_hundred"]
    assert {one.instance for one in cloud.interfaces_with("sg-unused00")} == set(ids)


def test_three_regions_of_two_accounts_are_one_command_for_each_account(
    work, monkeypatch, tmp_path
):
    policy = ("--policy", str(tmp_path / "always.toml"))
    first = work("apply", "--yes", "--json", *policy, *NEAR)
    assert len(json.loads(first)["decisions"]) == len(REGIONS)
    for name, value in OTHER_ACCOUNT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TENCENTCLOUD_TOKEN")
    monkeypatch.setenv("SGGUARD_ACCOUNT_TENCENT", "other")
    second = work("apply", "--yes", "--json", *policy, *FAR)
    decided = json.loads(second)["decisions"]
    assert [one["outcome"] for one in decided] == ["remediated"] * len(REGIONS)
    assert {one for one in work.names("tencent") if one.startswith(("near-", "far-"))} == set()
    assert work.commands == COMMANDS["two_accounts"]


def test_every_job_is_scripted_here_or_has_no_command_yet():
    tests = [name for name in globals() if name.startswith("test_")]
    assert len(JOBS) == 12
    for job in JOBS:
        assert bool(job.commands) == bool(job.test), job.name
        if job.test:
            assert len([one for one in tests if job.test in one]) == 1, job.name


def test_groups_of_two_clouds_are_one_command(work):
    out = work("apply", "--yes", "--json", *OLD, *ALIBABA_OLD[:5])
    document = json.loads(out)
    assert [len(one["target"]) for one in document["decisions"]] == [12, 5]
    assert [one["outcome"] for one in document["decisions"]] == ["remediated", "left-to-caller"]
    assert "left to you" in work("apply", "--yes", *ALIBABA_OLD[:5])


def test_a_months_report_as_csv_is_one_command(work, tmp_path):
    work("apply", "--yes", *OLD)
    work("check", "delete", "--keep", WEB, code=3)
    report = tmp_path / "month.csv"
    work("decisions", "list", "--since", "31d", "--csv", "--output", str(report))
    rows = list(csv.DictReader(report.read_text().splitlines()))
    assert [one["source"] for one in rows] == ["check", "apply"]
    assert all(one["requested_by"] == "ada" for one in rows)
    assert work.commands == 2 + COMMANDS["report"]
