"""``sgguard halt``: one switch stops every change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import POLICY_FILE, fits, place, sgguard

__all__ = ["place", "sgguard"]  # fixtures


def test_changes_are_halted_reported_and_permitted_again(place, sgguard):
    assert sgguard("halt", "status") == (0, f"Changes are permitted in {place.url}.\n", "")
    code, out, _ = sgguard("halt", "on", "--reason", "incident 4711")
    assert (code, out.startswith("All changes are stopped")) == (0, True)
    halted = place.store.halted()
    assert (halted.by, halted.reason) == ("ada", "incident 4711")
    code, out, _ = sgguard("halt", "status")
    assert code == 1
    assert "by ada" in out
    assert "incident 4711" in out
    assert fits(out)
    code, out, _ = sgguard("halt", "off", "--by", "bob")
    assert code == 0
    assert "ada had stopped them" in out
    assert place.store.halted() is None
    assert sgguard("halt", "off")[0] == 0


def test_the_status_as_json_is_the_document_alone(place, sgguard):
    assert json.loads(sgguard("halt", "status", "--json")[1]) == {
        "is_stopped": False,
        "store": None,
        "policy": False,
    }
    sgguard("halt", "on", "--by", "bob", "--reason", "x")
    code, out, _ = sgguard("halt", "status", "--json")
    told = json.loads(out)
    assert (code, told["is_stopped"], told["store"]["by"]) == (1, True, "bob")


def test_while_it_is_on_nothing_is_carried_out(place, sgguard):
    asked = place.asked()
    sgguard("halt", "on", "--reason", "incident")
    code, out, err = sgguard("approvals", "approve", asked.approval_id)
    assert (code, out) == (2, "")
    assert "ada stopped all changes: incident" in err
    assert not place.is_deleted
    sgguard("halt", "off")
    assert sgguard("approvals", "approve", asked.approval_id)[0] == 0


def test_a_halt_of_the_policy_is_reported(place, sgguard, tmp_path):
    Path(tmp_path / "policy.toml").write_text(f"halt = true\n{POLICY_FILE}")
    from sgguard.engine import context  # noqa: PLC0415 - only this test changes a file that was read

    context._policy.cache_clear()
    code, out, _ = sgguard("halt", "status")
    assert (code, "policy file" in out) == (1, True)
    assert "policy file still stops them" in sgguard("halt", "off")[1]
    assert json.loads(sgguard("halt", "status", "--json")[1])["policy"] is True


@pytest.mark.parametrize(
    "args",
    [["on"], ["on", "--reason", " "], ["on", "--by", " ", "--reason", "x"], ["off", "--by", ""]],
    ids=["no-reason", "empty-reason", "nobody", "nobody-off"],
)
def test_user_and_reason_are_required(place, sgguard, args):
    place.store.halt("ops", "before")
    code, out, err = sgguard("halt", *args)
    assert (code, out) == (2, "")
    assert err
    assert place.store.halted().by == "ops"
