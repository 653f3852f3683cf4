"""What reaches a terminal, a pipe or a file: nothing that steers, and never a failed encoding."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.cli import cli, failure
from sgguard.cli.characters import escaped_json, harmless
from sgguard.emulator.faults import Fault
from tests.commands import place, sgguard
from tests.stores import a_record

__all__ = ["place", "sgguard"]  # fixtures

STEERING = "\x1b[31m\x9b2J\x07\u202e\u2066\u200f\u2028\r\x00\x7f"
WEB = "tencent::ap-guangzhou:sg-5ua9adfv"


def steers(text: str) -> list[str]:
    """What of a text a terminal would obey, or show in another order."""
    return [
        one
        for one in text
        if one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]


@given(st.text(st.characters(codec=None) | st.sampled_from(STEERING)))
def test_no_text_keeps_a_character_that_steers(text):
    shown = harmless(text)
    assert steers(shown) == []
    assert len(shown) == len(text)
    assert [a for a, b in zip(text, shown, strict=True) if a != b] == steers(text)


@given(st.text(), st.sampled_from(["utf-8", "latin-1", "cp1252", "koi8-r", "ascii"]))
def test_json_is_the_same_value_in_every_encoding(text, encoding):
    written = escaped_json(json.dumps({"a": text}, ensure_ascii=False), encoding)
    assert json.loads(written.encode(encoding).decode(encoding)) == {"a": text}
    assert steers(written) == []


# -- texts of others ------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "explain", "doctor"])
@pytest.mark.sampled(4)
def test_a_clouds_error_steers_no_terminal(place, sgguard, command):
    words = f"Forged{STEERING}"
    error = {"Response": {"Error": {"Code": words, "Message": words}, "RequestId": words}}
    kind = "application/json"
    place.emulator.faults.append(
        Fault(kind="garbage", body=json.dumps(error), content_type=kind, count=1000)
    )
    args = {
        "check": ["check", "delete", WEB],
        "explain": ["explain", WEB],
        "doctor": ["doctor", "--provider", "tencent", "--region", "ap-guangzhou"],
    }[command]
    for more in ([], ["--json"], ["-v"]):
        _, out, err = sgguard(*args, *more)
        assert steers(out) == []
        assert [one for one in steers(err) if one in STEERING] == []
        assert "Forged" in out + err


def test_a_note_a_reason_and_a_name_in_the_store_steer_no_terminal(place, sgguard):
    asked = place.asked(requester=f"eve{STEERING}".replace("\x00", ""))
    document = place.document(asked) | {"note": f"see {STEERING}".replace("\x00", "")}
    text = json.dumps(document, ensure_ascii=False)
    place.store.keep(a_record("dec0ffee", document_json=text, requester="a\u202eb\x1b[2J"))
    for args in (
        ["decisions", "list"],
        ["decisions", "list", "--json"],
        ["decisions", "list", "--csv"],
        ["decisions", "show", "dec0ffee"],
        ["decisions", "show", "dec0ffee", "--json"],
        ["approvals", "list"],
        ["approvals", "show", asked.approval_id],
        ["approvals", "show", asked.approval_id, "--json"],
    ):
        code, out, _ = sgguard(*args)
        assert code == 0
        assert steers(out) == [], args


def test_an_argument_that_steers_is_not_repeated_as_it_is(sgguard):
    for args in ([f"x{STEERING}"], ["check", "delete", f"a{STEERING}"], [f"--{STEERING}"]):
        assert steers(sgguard(*args)[2]) == []


# -- encodings -----------------------------------------------------------------------------

COMMANDS = (
    ["check", "delete", WEB],
    ["check", "delete", WEB, "--json"],
    ["explain", WEB],
    ["policy", "check"],
    ["decisions", "list"],
    ["--help"],
    ["check", "delete", "тест"],
)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "koi8-r", "ascii", "cp437"])
@pytest.mark.sampled(4)
def test_an_encoding_that_lacks_a_character_replaces_it(place, monkeypatch, encoding):
    # a name that none of the encodings has all characters of
    place.store.keep(a_record("d1", requester="Łukasz 李 → Ж"))
    for args in COMMANDS:
        expected_code, whole = printed(monkeypatch, args, "utf-8")
        code, text = printed(monkeypatch, args, encoding)
        assert code == expected_code
        assert "unexpected Unicode" not in text
        assert text.count("\n") == whole.count("\n")


def printed(monkeypatch, args, encoding):
    """Run a command whose output has this encoding, and is strict about it."""
    files = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", files[0])
        patched.setattr("sys.stderr", files[1])
        code = failure.run(cli, args)
    return code, "".join(one.buffer.getvalue().decode(encoding) for one in files)


def test_a_real_process_with_another_encoding_ends_as_with_utf_8(place):
    place.store.keep(a_record("d1", requester="Łukasz 李 → Ж"))
    done = subprocess.run(
        [sys.executable, "-m", "sgguard", "decisions", "list"],
        env=os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?ukasz ? -> ?" in done.stdout


# -- --output and --color ------------------------------------------------------------------


def test_output_goes_into_a_file_for_its_owner_only(place, sgguard, tmp_path):
    path = tmp_path / "out.json"
    path.write_text("something longer than nothing" * 1000)
    path.chmod(0o644)
    code, out, err = sgguard("check", "delete", WEB, "--json", "--output", str(path))
    assert (code, out, err) == (3, "", "")
    assert json.loads(path.read_text())["verdict"] == "remediate"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_common_options_may_stand_before_the_command(place, sgguard, tmp_path):
    path = tmp_path / "out.txt"
    assert sgguard("--output", str(path), "-q", "halt", "status") == (0, "", "")
    assert path.read_text().startswith("Changes are permitted")


def test_an_error_leaves_the_file_of_the_output_as_it_was(place, sgguard, tmp_path):
    path = tmp_path / "out.json"
    path.write_text("before")
    assert sgguard("decisions", "show", "nowhere", "--output", str(path))[0] == 2
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("name", "said"),
    [("gone/x", "does not exist: make it first"), (".", "is a folder"), ("", "names no file")],
)
def test_a_file_that_cannot_be_written_is_named_before_any_work(
    place, sgguard, tmp_path, name, said
):
    path = str(tmp_path / name) if name else ""
    place.emulator.requests.clear()
    for option in ("--output", "--record"):
        code, out, err = sgguard("check", "delete", WEB, option, path)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err or "is a directory" in err
    assert not place.emulator.requests


def test_colours_are_for_terminals_unless_asked_for(place, sgguard, monkeypatch):
    assert "\x1b" not in sgguard("check", "delete", WEB)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert sgguard("check", "delete", WEB, "--color", "always")[1].startswith("\x1b[33m")
    assert sgguard("--color", "always", "check", "delete", WEB)[1].startswith("\x1b[33m")
    assert "\x1b" not in sgguard("--color", "always", "check", "delete", WEB, "--color", "never")[1]


def test_verbose_prints_log_lines_and_quiet_nothing_beside_the_result(place, sgguard):
    _, plain, err = sgguard("check", "delete", WEB)
    assert err == ""
    assert '"msg":"decided"' in sgguard("check", "delete", WEB, "-v")[2].replace(" ", "")
    assert sgguard("check", "delete", WEB, "-q")[1].splitlines()[0] == plain.splitlines()[0]
