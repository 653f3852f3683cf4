"""A command that reads makes no store, no folder and no home; recorded facts are their owner's."""

from __future__ import annotations

import os
import sqlite3
import stat

import pytest

from sgguard.errors import StoreError
from sgguard.store import find_store, open_store
from tests.commands import place, sgguard

__all__ = ["place", "sgguard"]  # fixtures

READING = [
    ["decisions", "list"],
    ["decisions", "show", "d"],
    ["decisions", "purge"],
    ["approvals", "list"],
    ["approvals", "show", "a"],
    ["approvals", "approve", "a"],
    ["approvals", "deny", "a"],
    ["approvals", "link", "a"],
    ["halt", "status"],
    ["halt", "off"],
    ["resume"],
    ["resume", "d"],
    ["resume", "d", "--accept"],
    ["restore", "d"],
]


@pytest.fixture
def nowhere(place, tmp_path, monkeypatch):
    """A home that is not there, and no place for a store but in it."""
    monkeypatch.delenv("SGGUARD_STORE")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    home = tmp_path / "nobody"
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.mark.parametrize("args", READING, ids=" ".join)
@pytest.mark.sampled(6)
def test_a_command_that_reads_the_store_says_that_there_is_none(nowhere, sgguard, args):
    code, out, err = sgguard(*args)
    assert (code, out) == (2, "")
    assert "there is no store at" in err
    assert str(nowhere) in err
    assert not nowhere.exists()


@pytest.mark.parametrize("args", READING, ids=" ".join)
@pytest.mark.sampled(6)
def test_a_store_that_is_named_and_not_there_is_not_made(
    place, sgguard, tmp_path, monkeypatch, args
):
    monkeypatch.setenv("SGGUARD_STORE", f"sqlite:///{tmp_path}/misspelt.db")
    code, out, err = sgguard(*args)
    assert (code, out) == (2, "")
    assert "misspelt.db" in err
    assert not (tmp_path / "misspelt.db").exists()


def test_a_check_makes_no_home(nowhere, place, sgguard):
    assert sgguard("check", "delete", place.target)[0] in (1, 3)
    assert sgguard("explain", place.target)[0] == 0
    assert not nowhere.exists()


def test_a_halt_makes_the_store_and_is_found_in_it(nowhere, sgguard):
    assert sgguard("halt", "status")[0] == 2
    assert sgguard("halt", "on", "--reason", "incident")[0] == 0
    assert sgguard("halt", "status")[0] == 1
    assert (nowhere / ".local/state/sgguard/sgguard.db").exists()


@pytest.mark.parametrize("args", [["--reason", " "], ["--reason", "x", "--by", " "]])
def test_a_halt_that_is_refused_makes_no_store(nowhere, sgguard, args):
    assert sgguard("halt", "on", *args)[0] == 2
    assert not nowhere.exists()


def test_a_database_of_others_is_no_store_and_stays_as_it_is(place, sgguard, tmp_path, monkeypatch):
    path = tmp_path / "others.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE birds (name TEXT)")
    connection.close()
    before = path.read_bytes()
    monkeypatch.setenv("SGGUARD_STORE", f"sqlite:///{path}")
    code, out, err = sgguard("decisions", "list")
    assert (code, out, "there is no store in" in err) == (2, "", True)
    assert path.read_bytes() == before


def test_a_store_that_is_there_is_found(tmp_path):
    url = f"sqlite:///{tmp_path}/a b?.db".replace("?", "%3F")
    assert find_store(url) is None
    made = open_store(url)
    made.halt("ada", "x")
    found = find_store(url)
    assert found.halted().by == "ada"
    made.close()
    found.close()


def test_a_store_that_is_taken_away_is_not_made_again(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    open_store(url).close()
    found = find_store(url)
    (tmp_path / "a.db").unlink()
    with pytest.raises(StoreError, match=r"cannot be used|unable to open"):
        found.halted()
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize("before", [None, 0o644], ids=["new", "there"])
@pytest.mark.sampled(2)
def test_recorded_facts_are_for_their_owner_only(place, sgguard, tmp_path, before):
    path = tmp_path / "facts.json"
    if before is not None:
        path.write_text("x" * 1_000_000)
        path.chmod(before)
    mask = os.umask(0)
    try:
        sgguard("check", "delete", place.target, "--record", str(path))
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("{")
    assert not path.read_text().endswith("x")
