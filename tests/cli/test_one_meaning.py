"""One option means one thing, on every command; names that are misspelt are answered."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import click
import pytest

from sgguard.cli import cli
from tests.commands import place, sgguard

__all__ = ["place", "sgguard"]  # fixtures

SHELLS = ("bash", "zsh", "fish")


def commands(group=cli, path=()):
    """Yield every command that does something, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        if isinstance(one, click.Group):
            yield from commands(one, (*path, name))
        else:
            yield (*path, name), one


EVERY = dict(commands())
by_command = pytest.mark.parametrize("path", EVERY, ids=" ".join)


def options(command):
    return [one for one in command.params if isinstance(one, click.Option)]


# -- given twice ---------------------------------------------------------------------------


@by_command
@pytest.mark.sampled(12)
def test_an_option_that_means_one_thing_is_refused_when_it_comes_twice(sgguard, path):
    for option in options(EVERY[path]):
        if option.multiple:
            continue
        value = [] if option.is_flag else ["1"]
        for first in option.opts:
            args = [first, *value, option.opts[-1], *value]
            code, out, err = sgguard(*path, *args)
            assert (code, out) == (2, "")
            assert "is given 2 times" in err, (option.opts, err)


def test_of_two_instances_none_is_dropped(sgguard):
    where = ["--provider", "tencent", "--region", "ap-guangzhou"]
    code, out, err = sgguard("check", "launch", *where, "--instance", "i-1", "--instance", "i-2")
    assert (code, out) == (2, "")
    assert "--instance is given 2 times" in err


def test_an_option_before_the_command_comes_once_too(sgguard):
    assert "--color is given 2 times" in sgguard("--color", "never", "--color", "always", "demo")[2]


def test_two_formats_exclude_each_other(sgguard):
    address = "tencent::ap-guangzhou:sg-5ua9adfv"
    for args in (
        ["explain", address, "--json", "--format", "dot"],
        ["decisions", "list", "--json", "--csv"],
        ["apply", address, "--dry-run", "--yes"],
    ):
        code, out, err = sgguard(*args)
        assert (code, out) == (2, "")
        assert "exclude each other" in err


# -- the same everywhere -------------------------------------------------------------------


@by_command
def test_who_acts_is_as_everywhere_and_by_is_the_same(path):
    named = [one for one in options(EVERY[path]) if one.name == "by"]
    assert all(one.opts == ["--as", "--by"] for one in named)
    is_acting = path[0] in ("halt", "apply", "restore", "resume") or path[-1] in ("approve", "deny")
    assert bool(named) or not is_acting or path == ("halt", "status")


@by_command
def test_every_command_has_json_and_the_common_options(path):
    names = {name for one in options(EVERY[path]) for name in one.opts}
    assert names >= {"--json", "--output", "--color", "--quiet", "-q", "--verbose", "-v"}


@by_command
def test_every_help_teaches(sgguard, path):
    code, out, err = sgguard(*path, "--help")
    assert (code, err) == (0, "")
    assert re.search(rf"Examples:\n.*sgguard.* {path[-1]}", out, re.DOTALL)
    assert "Exit codes: " in out


def test_by_and_as_name_the_same_person(place, sgguard):
    for option in ("--as", "--by"):
        assert sgguard("halt", "on", option, "olga", "--reason", "x")[0] == 0
        assert json.loads(sgguard("halt", "status", "--json")[1])["store"]["by"] == "olga"


def test_every_halt_command_has_one_shape(place, sgguard):
    shapes = [
        json.loads(sgguard("halt", *args, "--json")[1])
        for args in (["on", "--reason", "x"], ["status"], ["off"], ["status"])
    ]
    assert [one["is_stopped"] for one in shapes] == [True, True, False, False]
    assert len({tuple(one) for one in shapes}) == 1


# -- misspelt ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (["chek"], "`check`"),
        (["check", "delet"], "`delete`"),
        (["polcy", "check"], "`policy`"),
        (["decision"], "`decisions`"),
        (["approvals", "aprove"], "`approve`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_misspelt_command_names_the_one_that_is_meant(sgguard, args, meant):
    code, out, err = sgguard(*args)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"Did you mean {meant}" in err


def test_a_command_like_none_gets_no_guess(sgguard):
    assert "Did you mean" not in sgguard("teleport")[2]


@pytest.mark.parametrize(
    "args",
    [["halt", "status"], ["policy", "check"], ["completion", "fish"], ["decisions", "list"]],
    ids=" ".join,
)
@pytest.mark.sampled(3)
def test_a_misspelt_setting_is_a_warning_on_every_command(place, sgguard, monkeypatch, args):
    monkeypatch.setenv("SGGUARD_POLCY", "x")
    code, _, err = sgguard(*args)
    assert code == 0
    assert err.startswith("sgguard: SGGUARD_POLCY is set, but there is no such setting")
    assert "did you mean SGGUARD_POLICY?" in err
    assert err.count("\n") == 1
    assert sgguard("-q", *args)[2] == ""
    assert sgguard(*args, "-q")[2] == ""


# -- shells --------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_gets_its_completion(sgguard, shell):
    code, out, err = sgguard("completion", shell)
    assert (code, err) == (0, "")
    assert f"{shell}_complete" in out
    assert json.loads(sgguard("completion", shell, "--json")[1])["script"].strip() == out.strip()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sgguard che", ["check"]),
        ("sgguard halt o", ["off", "on"]),
        ("sgguard decisions list --verd", ["--verdict"]),
        ("sgguard decisions list --verdict bl", ["block"]),
    ],
)
@pytest.mark.sampled(4)
def test_commands_options_and_values_are_completed(monkeypatch, words, expected):
    last = len(words.split()) - 1
    env = {"_SGGUARD_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(last)}
    done = subprocess.run(
        [sys.executable, "-m", "sgguard"], env=env, capture_output=True, text=True, check=True
    )
    assert sorted(line.rpartition(",")[2] for line in done.stdout.split()) == expected
    assert done.stderr == ""


def test_python_runs_the_package_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "sgguard", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("sgguard, version ")


@pytest.mark.parametrize("name", ["check", "explain", "doctor"])
@pytest.mark.sampled(2)
def test_a_command_that_only_reads_waits_for_nothing_that_changes_need(name):
    ask = f"import sys, sgguard.cli.{name}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    late = {"sgguard.engine.execute", "sgguard.remedy.apply", "zoneinfo", "csv"}
    assert not late & set(done.stdout.split())
