from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from sgguard import lazy, store
from sgguard.errors import SettingsError, StoreError
from sgguard.settings import Settings
from sgguard.store import open_store
from tests.stores import claimed


def refusal(url):
    with pytest.raises(SettingsError) as caught:
        open_store(url)
    assert "SGGUARD_STORE" in str(caught.value)
    return str(caught.value)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///relative.db", "relative.db"),
        ("sqlite:///sub/relative.db", "sub/relative.db"),
        ("sqlite:///{here}/absolute.db", "absolute.db"),
        ("SQLite:///a%20b%3F.db", "a b?.db"),
        ("sqlite:///sgguard/own.db", "sgguard/own.db"),
        ("sqlite:///deep/er/sgguard/own.db", "deep/er/sgguard/own.db"),
    ],
)
@pytest.mark.sampled(3)
def test_a_sqlite_url_is_the_path_of_a_file(here, url, path):
    (here / "sub").mkdir()
    store = open_store(url.format(here=here))
    claimed(store)
    store.close()
    assert (here / path).stat().st_size > 0


def test_the_file_and_its_folder_are_for_their_owner_alone(here):
    store = open_store("sqlite:///sgguard/own.db")
    claimed(store)
    for path in (here / "sgguard").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((here / "sgguard").stat().st_mode) == 0o700
    store.close()


def test_the_file_stays_where_it_was_when_the_working_directory_changes(here, monkeypatch):
    store = open_store("sqlite:///a.db")
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    claimed(store)
    store.close()
    assert (here / "a.db").stat().st_size > 0


def test_the_default_place_can_be_used_out_of_the_box(here):
    url = Settings.from_env({"HOME": str(here)}).store_url
    store = open_store(url)
    claimed(store)
    store.close()
    assert (here / ".local/state/sgguard/sgguard.db").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "expected sqlite:///"),
        ("mysql://guard:s3cret@db/guard", "expected sqlite:///"),
        ("/var/lib/sgguard.db", "expected sqlite:///"),
        ("postgresqll://guard:s3cret@db/guard", "expected sqlite:///"),
        ("sqlite:", "three slashes"),
        ("sqlite://relative.db", "three slashes"),
        ("sqlite://guard:s3cret@db/guard", "three slashes"),
        ("sqlite:///", "the path of a file"),
        ("sqlite:///sub/", "the path of a file"),
        ("sqlite:///a%00b", "the path of a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:///a.db?mode=ro", "no options"),
        ("sqlite:///a.db#x", "no options"),
        ("sqlite:///missing/a.db", "there is no folder missing"),
        ("sqlite:////missing/folder/a.db", "there is no folder /missing/folder"),
        ("sqlite:///file/a.db", "there is no folder file"),
        ("sqlite:///file/sgguard/a.db", "cannot be made"),
        ("sqlite:///sub", "is a folder"),
        ("sqlite:////proc/a.db", "cannot be written"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_with_the_reason(here, url, said):
    (here / "sub").mkdir()
    (here / "file").touch()
    message = refusal(url)
    assert said in message
    assert "s3cret" not in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_or_folder_without_permission_is_refused(here, what):
    folder = here / "shut"
    folder.mkdir()
    (folder / "a.db").touch()
    (folder if what == "folder" else folder / "a.db").chmod(0o500)
    assert "cannot be written: Permission denied" in refusal("sqlite:///shut/a.db")


def test_permission_is_asked_for_and_not_tried_by_opening(here, monkeypatch):
    # Opening and closing the file would free the locks of this process's connections to it.
    (here / "a.db").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "cannot be written: Permission denied" in refusal("sqlite:///a.db")


def test_a_sqlite_that_is_too_old_is_refused(here, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    assert "3.35 is needed" in refusal("sqlite:///a.db")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://guard:s3%zzcret@db/guard", "cannot read"),
        ("postgresql://guard:pw@[::1/guard?application_name=s3cret", "cannot read"),
        ("postgresql://guard:pw@db/guard?s3cret=1", "cannot read"),
        ("postgresql:s3cret", "cannot read"),
        ("postgresql://guard:pw@s3cret@db/guard", "%40"),
        ("postgresql://guard:pw/s3cret@db/guard", "%40"),
        ("postgresql://guard:5432/s3cret@db/guard", "%40"),
        ("postgres://guard:s3cret/x", "%40"),
    ],
)
def test_a_postgresql_url_that_cannot_be_read_is_refused_without_naming_the_password(url, said):
    message = refusal(url)
    assert said in message
    assert "s3" not in message
    assert "cret" not in message


def shown(error):
    chain = []
    while error is not None:
        chain.append(f"{error} {error!r}")
        error = error.__cause__ or error.__context__
    return " ".join(chain)


def test_a_server_that_is_not_there_is_named_without_its_password():
    store = open_store("postgres://guard:s3cret@127.0.0.1:1/guard?connect_timeout=2")
    with pytest.raises(StoreError, match=r"postgresql://127\.0\.0\.1:1/guard: .*refused") as caught:
        store.halted()
    assert "s3cret" not in shown(caught.value) + repr(store) + repr(vars(store))


def test_what_is_missing_for_postgresql_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("sgguard.store.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(store, "postgres", lazy("sgguard.store.postgres"))
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "install sgguard[postgres]" in refusal("postgresql://guard:s3cret@db/guard")


def test_only_what_a_store_needs_is_imported(tmp_path):
    program = (
        "import sys, sgguard.store; before = set(sys.modules);"
        "assert not {'sqlite3', 'psycopg'} & before;"
        "sgguard.store.open_store('sqlite:///x.db').halted();"
        "assert 'psycopg' not in sys.modules"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
