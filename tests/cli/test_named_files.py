"""A file or a port that cannot be used is named, with what to do."""

from __future__ import annotations

import errno
import socket

import pytest

from sgguard.cli import failure
from tests.commands import place, sgguard

__all__ = ["place", "sgguard"]  # fixtures


@pytest.fixture
def files(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "cases.toml").write_text("[[case]]\nfacts = 'gone.json'\nverdict = 'allow'\n")
    return tmp_path


@pytest.mark.parametrize(
    "args",
    [
        ["policy", "check", "FILE"],
        ["policy", "show", "--policy", "FILE"],
        ["policy", "test", "FILE"],
        ["check", "delete", "tencent::ap-guangzhou:sg-1", "--policy", "FILE"],
        ["emulate", "--scenario", "FILE"],
        ["serve", "--policy", "FILE"],
        ["apply", "tencent::ap-guangzhou:sg-1", "--dry-run", "--policy", "FILE"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["gone.toml", "binary", "folder"])
@pytest.mark.sampled(6)
def test_a_file_that_cannot_be_read_is_named(files, sgguard, args, name):
    path = str(files / name)
    code, out, err = sgguard(*(path if one == "FILE" else one for one in args))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert path in err


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["policy", "check", "FILE"], "gone.toml"),
        (["policy", "test", "FILE"], "gone.toml"),
        (["policy", "test", "FILE"], "cases.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_what_to_do_about_it_is_said(files, sgguard, args, name):
    path = str(files / name)
    err = sgguard(*(path if one == "FILE" else one for one in args))[2]
    assert "check the name, and that this user may read it" in err


@pytest.mark.parametrize("command", ["serve", "emulate"])
@pytest.mark.parametrize(
    ("host", "said"),
    [("192.0.2.1", "not an address of this machine"), ("no.such.host.invalid", "no such host")],
)
def test_a_host_that_is_not_here_is_named_with_the_option(sgguard, command, host, said):
    code, out, err = sgguard(command, "--port", "0", "--host", host)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{host}:0" in err
    assert said in err
    assert "--host" in err


def test_a_port_in_use_is_named_with_the_option(sgguard):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        err = sgguard("serve", "--port", port)[2]
    assert f"127.0.0.1:{port}" in err
    assert "--port" in err


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EACCES, "may read and write"), (errno.ENOENT, "check the name")],
)
def test_any_error_of_the_system_names_its_file_and_what_to_do(capsys, number, remedy):
    failure.report_error(OSError(number, "refused", "/some/file"))
    err = capsys.readouterr().err
    assert err.startswith("sgguard: /some/file: refused: ")
    assert remedy in err


def test_a_record_that_cannot_be_written_names_its_file(place, sgguard):
    code, out, err = sgguard("check", "delete", place.target, "--record", "/dev/full")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--record /dev/full: No space left on device" in err
