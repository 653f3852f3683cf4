"""What no store can keep is refused with the name of the option, before anything is done."""

from __future__ import annotations

import pytest

from tests.commands import place, sgguard

__all__ = ["place", "sgguard"]  # fixtures

UNKEPT = ["a\0b", "a\x1bb", "a\nb", "a\x7fb", "a\x85b", "a\udcffb"]


@pytest.mark.parametrize("text", UNKEPT, ids=ascii)
@pytest.mark.parametrize(
    "args",
    [
        ["decisions", "show", "TEXT"],
        ["decisions", "list", "--target", "TEXT"],
        ["approvals", "show", "TEXT"],
        ["approvals", "approve", "TEXT"],
        ["approvals", "approve", "a", "--as", "TEXT"],
        ["approvals", "deny", "a", "--as", "TEXT"],
        ["approvals", "link", "a", "--as", "TEXT"],
        ["halt", "on", "--reason", "x", "--by", "TEXT"],
        ["halt", "off", "--by", "TEXT"],
        ["resume", "TEXT"],
        ["resume", "d", "--accept", "--as", "TEXT"],
        ["restore", "TEXT"],
        ["restore", "d", "--as", "TEXT"],
    ],
    ids=" ".join,
)
@pytest.mark.sampled(32)
def test_a_text_that_cannot_be_kept_is_refused(place, sgguard, args, text):
    code, out, err = sgguard(*(text if one == "TEXT" else one for one in args))
    assert (code, out) == (2, "")
    assert "Invalid value for" in err
    assert "control character" in err
    assert place.store.halted() is None


@pytest.mark.parametrize(
    ("text", "kept"), [("a\0b", "a�b"), ("a\n\tb", "a b"), ("a\udcffb", "a�b")]
)
def test_a_reason_never_keeps_anybody_from_stopping_everything(place, sgguard, text, kept):
    assert sgguard("halt", "on", "--reason", text)[0] == 0
    assert place.store.halted().reason == kept


@pytest.mark.parametrize("text", UNKEPT, ids=ascii)
@pytest.mark.parametrize("option", ["--group", "--instance", "--project", "--network", "--account"])
@pytest.mark.sampled(12)
def test_a_launch_is_not_judged_by_such_a_text(place, sgguard, option, text):
    given = ["--group", "sg-1"] if option in ("--project", "--network", "--account") else []
    code, out, err = sgguard(
        *["check", "launch", "--provider", "tencent", "--region", "ap-guangzhou"],
        *[*given, option, text],
    )
    assert (code, out) == (2, "")
    assert "has characters that cannot be part of it" in err
