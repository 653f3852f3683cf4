"""``sgguard approvals``: what it prints, does, and ends with."""

from __future__ import annotations

import json

import pytest

from sgguard import schemas
from sgguard.approvals import link
from tests.approvals.harness import KEY, POLICY
from tests.commands import fits, place, sgguard

__all__ = ["place", "sgguard"]  # fixtures


def test_pending_requests_are_listed_with_requester_and_expiry(place, sgguard):
    asked = place.asked()
    code, out, err = sgguard("approvals", "list")
    assert (code, err) == (0, "")
    assert asked.approval_id in out
    assert "asked by eve" in out
    assert "for another 23 h" in out
    assert place.world.referenced in out
    assert fits(out)


def test_the_list_as_json_is_the_document_alone(place, sgguard):
    asked = place.asked()
    [one] = json.loads(sgguard("approvals", "list", "--json")[1])
    assert one["approval_id"] == asked.approval_id
    assert one["request"]["requested_by"] == "eve"


def test_where_nothing_waits_the_store_is_named(place, sgguard):
    _, out, _ = sgguard("approvals", "list")
    assert out == f"No pending approvals in {place.url}.\n"
    assert json.loads(sgguard("approvals", "list", "--json")[1]) == []


def test_every_state_can_be_listed(place, sgguard):
    one, two = place.asked(event_id="one"), place.asked(event_id="two")
    sgguard("approvals", "deny", one.approval_id)
    assert one.approval_id not in sgguard("approvals", "list")[1]
    assert "denied by ada" in sgguard("approvals", "list", "--state", "denied")[1]
    both = sgguard("approvals", "list", "--state", "all")[1]
    assert one.approval_id in both
    assert two.approval_id in both


def test_an_approval_request_shows_everything_it_permits(place, sgguard):
    asked = place.asked()
    code, out, _ = sgguard("approvals", "show", asked.approval_id)
    assert code == 0
    for text in ("REMEDIATE", "eve", "Seen", "Why", "Plan", "pending", place.world.referrer_in):
        assert text in out
    assert fits(out)
    shown = json.loads(sgguard("approvals", "show", asked.approval_id, "--json")[1])
    assert shown["decision"]["plan"]


def test_an_approval_ends_with_0_when_its_plan_was_applied(place, sgguard):
    asked = place.asked()
    code, out, err = sgguard("approvals", "approve", asked.approval_id)
    assert (code, err) == (0, "")
    assert out.startswith(f"remediated: decision {asked.decision_id}")
    assert place.is_deleted
    assert place.approval(asked.approval_id).resolved_by == "ada"
    code, out, err = sgguard("approvals", "approve", asked.approval_id, "--as", "bob")
    assert (code, out) == (2, "")
    assert err.startswith("sgguard: ada approved this already")


def test_an_approval_of_changed_facts_ends_with_3_and_shows_the_new_plan(place, sgguard):
    asked = place.asked()
    place.add_reference()
    code, out, _ = sgguard("approvals", "approve", asked.approval_id)
    assert code == 3
    [fresh] = place.store.approvals("pending")
    assert f"sgguard approvals approve {fresh.approval_id}" in out
    assert "1. " in out
    assert not place.is_deleted


def test_an_approval_with_nothing_left_to_do_ends_with_1(place, sgguard):
    asked = place.asked()
    for group in place.cloud.groups:
        group.rules = [one for one in group.rules if one.peer_group != place.world.referenced]
    code, out, _ = sgguard("approvals", "approve", asked.approval_id, "--json")
    assert code == 1
    document = json.loads(out)
    assert document["outcome"] == "superseded"
    assert schemas.problems("decision", document) == ()


def test_a_no_ends_with_0(place, sgguard):
    asked = place.asked()
    code, out, _ = sgguard("approvals", "deny", asked.approval_id, "--as", "bob")
    assert (code, out.startswith("refused: ")) == (0, True)
    assert place.approval(asked.approval_id).resolved_by == "bob"
    assert not place.is_deleted


@pytest.mark.parametrize("command", ["approve", "deny", "link"])
@pytest.mark.parametrize(
    ("who", "said"),
    [
        (["--as", "mallory"], "approval.approvers"),
        (["--as", " "], "--as NAME"),
    ],
    ids=["not-listed", "unnamed"],
)
@pytest.mark.sampled(6)
def test_a_person_who_may_not_decide_gets_the_reason(place, sgguard, command, who, said):
    asked = place.asked()
    code, out, err = sgguard("approvals", command, asked.approval_id, *who)
    assert (code, out) == (2, "")
    assert said in err
    assert place.approval(asked.approval_id).state == "pending"


@pytest.mark.parametrize("command", ["show", "approve", "deny", "link"])
def test_an_approval_that_is_not_there_is_an_error(place, sgguard, command):
    code, out, err = sgguard("approvals", command, "nowhere")
    assert (code, out) == (2, "")
    assert "there is no approval 'nowhere'" in err


def test_a_link_is_printed_with_the_address_of_the_function(place, sgguard, monkeypatch):
    asked = place.asked()
    code, out, err = sgguard("approvals", "link", asked.approval_id, "--as", "bob")
    assert code == 0
    assert "SGGUARD_APPROVAL_URL" in err
    read = link.read(out.strip(), [KEY], 0)
    assert (read.approver, read.action) == ("bob", "approve")
    assert read.expires_at_s == int(place.clock.now_s + POLICY.approval.expires_s)
    monkeypatch.setenv("SGGUARD_APPROVAL_URL", "https://guard.example/approval")
    code, out, err = sgguard("approvals", "link", asked.approval_id, "--action", "deny")
    assert (code, err) == (0, "")
    assert out.startswith("https://guard.example/approval?token=v1.")


@pytest.mark.parametrize("key", ["", "short", f"{KEY},short", f"{KEY},"])
@pytest.mark.sampled(6)
def test_without_a_long_key_no_link_is_printed_and_the_key_is_not_repeated(
    place, sgguard, monkeypatch, key
):
    asked = place.asked()
    monkeypatch.setenv("SGGUARD_APPROVAL_KEY", key)
    code, out, err = sgguard("approvals", "link", asked.approval_id)
    assert (code, out) == (2, "")
    assert "SGGUARD_APPROVAL_KEY" in err
    assert KEY not in err


@pytest.mark.parametrize("url", ["guard.example", "ftp://x/", "https://", "https://a/?b=1"])
def test_an_address_that_is_none_is_refused(place, sgguard, monkeypatch, url):
    monkeypatch.setenv("SGGUARD_APPROVAL_URL", url)
    code, _, err = sgguard("approvals", "link", "any")
    assert (code, "SGGUARD_APPROVAL_URL" in err) == (2, True)


@pytest.mark.parametrize(
    "command", [["approvals", "list"], ["decisions", "list"], ["resume"], ["halt", "status"]]
)
def test_without_a_store_every_command_says_which_setting_is_missing(sgguard, monkeypatch, command):
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    code, out, err = sgguard(*command)
    assert (code, out) == (2, "")
    assert "SGGUARD_STORE" in err


@pytest.mark.parametrize(
    "command",
    [
        ["approvals"],
        *(["approvals", one] for one in ("list", "show", "approve", "deny", "link")),
        ["decisions"],
        *(["decisions", one] for one in ("list", "show", "purge")),
        ["resume"],
        ["halt"],
        *(["halt", one] for one in ("on", "off", "status")),
    ],
    ids=" ".join,
)
def test_help_teaches_and_fits(sgguard, command):
    code, out, _ = sgguard(*command, "--help")
    assert code == 0
    assert fits(out, 100)
    is_group = command in (["approvals"], ["decisions"], ["halt"])
    assert is_group or "Examples:" in out
