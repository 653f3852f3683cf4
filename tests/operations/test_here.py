"""The doctor on this machine: settings, policy, store, clock and approval key."""

from __future__ import annotations

import json
import time

import pytest

from sgguard.operations.doctor import examine_here
from sgguard.store import open_store
from tests.commands import place, sgguard
from tests.stores import an_approval

__all__ = ["place", "sgguard"]  # fixtures

TENCENT = ["--provider", "tencent", "--region", "ap-guangzhou"]


def said(env, code):
    return [one for one in examine_here(env).findings if one.code == code]


def test_everything_that_is_right_is_said_and_takes_no_trust(place, sgguard):
    code, out, err = sgguard("doctor", *TENCENT)
    assert (code, err) == (0, "")
    for words in (
        "note: policy: ",
        "is valid, its mode is approve",
        f"note: store: {place.url} can be read; pending approvals: 0",
        "note: approval key: 1 set",
    ):
        assert words in out
    document = json.loads(sgguard("doctor", *TENCENT, "--json")[1])
    assert document["trusted"] is True
    assert {one["code"] for one in document["here"]} >= {"policy", "store", "approval-key"}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("SGGUARD_POLICY=/no/such.toml", "/no/such.toml: cannot be read"),
        ("SGGUARD_DEADLINE_S=soon", "SGGUARD_DEADLINE_S='soon'"),
        ("SGGUARD_APPROVAL_KEY=short", "at least 32 characters"),
        ("SGGUARD_STORE=mysql://u:s3cret@h/db", "store: "),
    ],
)
@pytest.mark.sampled(3)
def test_what_cannot_be_used_is_a_problem_and_the_clouds_are_examined(
    place, sgguard, monkeypatch, setting, words
):
    monkeypatch.setenv(*setting.split("="))
    code, out, err = sgguard("doctor", *TENCENT)
    assert err == ""
    assert "tencent  ap-guangzhou  yes" in out
    assert words in out
    assert "s3cret" not in out
    assert code == 2
    [problem] = [one for one in out.splitlines() if one.startswith("problem: ")]
    assert " → " in problem
    assert json.loads(sgguard("doctor", *TENCENT, "--json")[1])["trusted"] is False


@pytest.mark.parametrize("url", ["postgresql://h:abc/db", "postgresql://[h/db", "sqlite:", "x"])
@pytest.mark.sampled(6)
def test_an_address_that_is_none_is_a_finding_and_no_crash(place, sgguard, monkeypatch, url):
    monkeypatch.setenv("SGGUARD_STORE", url)
    for command in (["doctor", *TENCENT], ["halt", "status"], ["decisions", "list"]):
        code, out, err = sgguard(*command)
        assert code in (1, 2)
        assert "unexpected" not in out + err
        assert "store" in (out + err).lower()


def test_several_broken_parts_are_each_named(place, sgguard, monkeypatch, tmp_path):
    monkeypatch.setenv("SGGUARD_POLICY", "/no/such.toml")
    monkeypatch.setenv("SGGUARD_STORE", "mysql://h/db")
    monkeypatch.setenv("SGGUARD_MODE", "enforec")
    out = sgguard("doctor", *TENCENT)[1]
    problems = [one for one in out.splitlines() if one.startswith("problem: ")]
    assert len(problems) == 3
    for words in ("/no/such.toml", "SGGUARD_STORE", "SGGUARD_MODE"):
        assert any(words in one for one in problems)


def test_a_misspelt_setting_is_named_with_the_one_that_is_meant(place):
    [other] = said({"SGGUARD_ENDPOINT_TENCENT_VPS": "x"}, "setting")
    assert "did you mean SGGUARD_ENDPOINT_TENCENT_VPC?" in other.message
    [found] = said({"SGGUARD_APPROVL_KEY": "x"}, "setting")
    assert (found.weight, "did you mean SGGUARD_APPROVAL_KEY?" in found.message) == ("note", True)


def test_a_store_is_not_made_by_looking(tmp_path):
    path = tmp_path / "none.db"
    [found] = said({"SGGUARD_STORE": f"sqlite:///{path}"}, "store")
    assert "there is none yet" in found.message
    assert not path.exists()


def test_a_file_that_is_no_store_is_a_problem(tmp_path):
    path = tmp_path / "none.db"
    path.write_text("not a database at all" * 100)
    [found] = said({"SGGUARD_STORE": f"sqlite:///{path}"}, "store")
    assert found.weight != "note"
    assert str(path) in found.message


def test_what_waits_in_the_store_is_counted_and_a_halt_is_named(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    store.ask(an_approval("a1", expires_at_s=time.time() + 60))
    store.halt("olga", "incident 7")
    store.close()
    here = examine_here({"SGGUARD_STORE": url})
    messages = [one.message for one in here.findings]
    assert any("pending approvals: 1" in one for one in messages)
    assert any("olga stopped all changes: incident 7" in one for one in messages)
    assert here.is_trusted


def test_an_address_for_links_without_a_key_is_a_problem():
    [found] = said({"SGGUARD_APPROVAL_URL": "https://guard.example/a"}, "approval-key")
    assert found.weight == "problem"


def test_a_mode_that_asks_without_approvers_is_not_set_up(tmp_path):
    here = examine_here({"SGGUARD_MODE": "approve"})
    assert not here.is_set_up
    assert any("approval.approvers is missing" in one.message for one in here.findings)


def test_a_broken_policy_is_told_even_where_no_cloud_is_set_up(sgguard, monkeypatch):
    monkeypatch.setenv("SGGUARD_POLICY", "/no/such.toml")
    code, out, err = sgguard("doctor")
    assert code == 2
    assert out.startswith("problem: policy /no/such.toml: cannot be read")
    assert "no cloud is set up" in err
