"""The parts that artifacts are made of: files, versions, wheels, byte code, archives, lists."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import InputError, SettingsError
from sgguard.packaging import archive, bytecode, modules, requirement, runtime, sbom, wheel
from sgguard.packaging.requirement import Pin
from sgguard.packaging.runtime import RUNTIMES, target
from tests.commands import sgguard

__all__ = ["sgguard"]  # a fixture

OURS = "{}.{}".format(*sys.version_info)
EVENT = target("tencent-scf-event")
NAMES = st.text("abc/_.", min_size=1, max_size=8).filter(lambda one: one.strip("/.") == one)
FILES = st.dictionaries(NAMES, st.binary(max_size=64), max_size=6)


# -- archives ----------------------------------------------------------------------------------


@given(FILES)
def test_an_archive_depends_on_its_files_and_not_on_their_order(files):
    turned = dict(reversed(files.items()))
    assert archive.zipped(files) == archive.zipped(turned)
    with zipfile.ZipFile(io.BytesIO(archive.zipped(files))) as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == files


def test_an_archive_has_one_time_one_owner_and_two_modes():
    files = {"bootstrap": b"#!/bin/bash\n", "pkg/code.py": b"x = 1\n"}
    with zipfile.ZipFile(io.BytesIO(archive.zipped(files, {"bootstrap"}))) as packed:
        entries = packed.infolist()
    assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [oct(one.external_attr >> 16) for one in entries] == ["0o100755", "0o100644"]
    with tarfile.open(fileobj=io.BytesIO(archive.tarred(files, {"bootstrap"}))) as packed:
        found = {one.name: (one.mode, one.uid, one.gid, one.mtime) for one in packed.getmembers()}
    assert found == {
        "bootstrap": (0o755, 0, 0, 0),
        "pkg": (0o755, 0, 0, 0),
        "pkg/code.py": (0o644, 0, 0, 0),
    }


# -- what is in it -----------------------------------------------------------------------------


@pytest.mark.slow
def test_only_the_folders_that_the_function_reaches_are_taken():
    files = modules.files_for("delete_request")
    rooms = {name.split("/")[1] for name in files if name.count("/") > 1}
    assert not rooms & {"cli", "demo", "emulator", "packaging", "operations", "chat", "approvals"}
    assert {"engine", "guards", "providers", "runtimes", "web", "wire"} <= rooms
    assert "sgguard/schemas/policy.schema.json" in files
    functions = [name for name in files if name.startswith("sgguard/_functions/")]
    assert functions == ["sgguard/_functions/delete_request/main.py"]
    assert not [name for name in files if name.endswith((".md", ".pyc")) or "test" in name]


def test_a_function_that_needs_more_gets_more():
    rooms = {name.split("/")[1] for name in modules.files_for("chat") if name.count("/") > 1}
    assert {"chat", "approvals", "operations"} <= rooms
    assert not rooms & {"cli", "demo", "emulator", "packaging"}


def test_an_unknown_function_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"'delete'.*delete_request"):
        modules.files_for("delete")


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_start_files_of_a_runtime_name_its_function_and_policy(name):
    one = target(name)
    files = runtime.entry_files(one, "delete_request", "policy.toml")
    text = b"".join(files.values()).decode()
    assert "delete_request" in text
    assert '"SGGUARD_POLICY", os.path.join(HERE, "policy.toml")' in text
    assert "{" not in text
    assert "\r" not in text
    for file, content in files.items():
        if file.endswith(".py"):
            compile(content, file, "exec")
    assert "SGGUARD_POLICY" not in str(runtime.entry_files(one, "delete_request"))


@pytest.mark.parametrize("name", RUNTIMES)
def test_headers_with_credentials_are_believed_only_where_the_platform_sets_them(name):
    text = b"".join(runtime.entry_files(target(name), "delete_request").values()).decode()
    (platform,) = set(re.findall(r"platforms import (\w+)", text)) or {"container"}
    clouds = ("tencent_scf", "alibaba_fc", "huawei_functiongraph")
    own = [one for one in clouds if name.startswith(one.replace("_", "-"))]
    assert platform == (own[0] if own else "container")


# -- versions and wheels -----------------------------------------------------------------------


def test_markers_are_judged_for_the_python_of_the_target():
    """``referencing`` needs ``typing-extensions`` where ``python_version < "3.13"``."""
    needing = metadata.distribution("referencing")
    older, newer = (
        {
            one.name
            for one in requirement._needed(
                needing, (), requirement.environment(target("google-cloud-run", python))
            )
        }
        for python in ("3.12", "3.13")
    )
    assert older - newer == {"typing-extensions"}


def test_what_no_function_imports_is_left_out():
    names = {pin.name for pin in requirement.pins(EVENT)}
    assert not names & {"starlette", "uvicorn", "uvicorn-worker", "watchdog", "gunicorn", "pytest"}
    assert {"flask", "httpx", "jsonschema", "msgspec"} <= names
    assert "gunicorn" in {pin.name for pin in requirement.pins(target("tencent-scf-web"))}
    with_store = {pin.name for pin in requirement.pins(EVENT, ["postgres"])}
    assert {"psycopg", "psycopg-binary"} <= with_store - names


@pytest.mark.parametrize(
    ("file", "is_usable"),
    [
        ("msgspec-0.20.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("msgspec-0.20.0-cp311-cp311-manylinux_2_28_x86_64.whl", False),
        ("msgspec-0.20.0-cp312-cp312-manylinux2014_x86_64.whl", False),
        ("msgspec-0.20.0-cp311-cp311-manylinux2014_aarch64.whl", False),
        ("msgspec-0.20.0-cp311-cp311-musllinux_1_2_x86_64.whl", False),
        ("msgspec-0.20.0-cp39-abi3-manylinux1_x86_64.whl", True),
        ("msgspec-0.20.0-py3-none-any.whl", True),
        ("msgspec-0.20.1-py3-none-any.whl", False),
        ("other-0.20.0-py3-none-any.whl", False),
        ("msgspec-0.20.0.whl", False),
    ],
)
def test_a_kept_wheel_is_used_only_where_the_target_can_run_it(tmp_path, file, is_usable):
    (tmp_path / file).write_bytes(b"a wheel")
    pins = [Pin("msgspec", "0.20.0")]
    if is_usable:
        (found,) = wheel.wheels(pins, EVENT, tmp_path, is_offline=True)
        assert found.path.name == file
    else:
        with pytest.raises(
            SettingsError, match=r"CPython 3\.11 .* glibc 2\.17 .*msgspec==0\.20\.0"
        ):
            wheel.wheels(pins, EVENT, tmp_path, is_offline=True)


def test_of_a_wheel_go_its_modules_and_its_licence(tmp_path):
    names = {
        "pkg/__init__.py": True,
        "pkg/data.json": True,
        "pkg/fast.so": True,
        "pkg/types.pyi": False,
        "pkg/tests/test_it.py": False,
        "pkg/__pycache__/x.cpython-311.pyc": False,
        "nspkg.pth": False,
        "pkg-1.dist-info/METADATA": True,
        "pkg-1.dist-info/licenses/LICENSE": True,
        "pkg-1.dist-info/RECORD": False,
        "pkg-1.dist-info/entry_points.txt": True,
        "pkg-1.data/scripts/run": False,
    }
    path = tmp_path / "pkg-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for name in names:
            packed.writestr(name, name)
    found = [name for name, _ in wheel.Wheel(Pin("pkg", "1"), path, "").files()]
    assert found == sorted(name for name, is_taken in names.items() if is_taken)


# -- byte code ---------------------------------------------------------------------------------

SOURCES = {
    "b.py": b"X = {'a', 'b', 'c'}\n\ndef f(x):\n    return x in {'p', 'q', 'r'}\n",
    "pkg/a.py": b"from b import f\nY = f('p')\n",
    "data.json": b"{}",
}


def test_byte_code_is_read_without_its_source_being_checked(tmp_path):
    one = runtime.Target(EVENT.runtime, OURS)
    made, why = bytecode.compiled(SOURCES, one)
    assert why == ""
    tag = sys.implementation.cache_tag
    assert set(made) == {f"__pycache__/b.{tag}.pyc", f"pkg/__pycache__/a.{tag}.pyc"}
    assert {int.from_bytes(content[4:8], "little") for content in made.values()} == {0b01}
    for name, content in {**SOURCES, **made, "b.py": b"X = 'changed'\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    said = subprocess.run(
        [sys.executable, "-c", "import b; print(sorted(b.X), b.f('p'))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "['a', 'b', 'c'] True\n"


def test_byte_code_of_the_same_sources_is_the_same_in_any_order():
    one = runtime.Target(EVENT.runtime, OURS)
    turned = dict(reversed(SOURCES.items()))
    assert bytecode.compiled(SOURCES, one) == bytecode.compiled(turned, one)


def test_for_another_python_there_is_no_byte_code_and_the_reason_is_told():
    other = "3.12" if OURS != "3.12" else "3.13"
    one = runtime.Target(EVENT.runtime, other)
    made, why = bytecode.compiled(SOURCES, one)
    assert made == {}
    assert f"this is Python {OURS}, the target is {other}" in why
    with pytest.raises(SettingsError, match=f"is Python {OURS}, and the target is {other}"):
        bytecode.compiled(SOURCES, one, sys.executable)


def test_a_python_to_compile_with_is_found_on_the_path(tmp_path, monkeypatch):
    one = runtime.Target(EVENT.runtime, OURS)
    (tmp_path / "python-of-ours").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bytecode.compiled(SOURCES, one, "python-of-ours") == bytecode.compiled(SOURCES, one)


def test_a_file_that_does_not_compile_ends_the_build():
    with pytest.raises(SettingsError, match="compiles nothing"):
        bytecode.compiled({"a.py": b"def"}, runtime.Target(EVENT.runtime, OURS))


# -- the list ----------------------------------------------------------------------------------


def test_the_list_names_every_package_with_the_hash_of_its_wheel():
    one = wheel.Wheel(Pin("httpx", "0.28.1"), Path("httpx.whl"), "a" * 64)
    listed = sbom.document("delete_request", EVENT, [one], "b" * 64)
    found = json.loads(listed)
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    ours, theirs = found["components"]
    assert (ours["name"], theirs["purl"]) == ("sgguard", "pkg:pypi/httpx@0.28.1")
    assert theirs["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert found["metadata"]["component"]["hashes"][0]["content"] == "b" * 64
    assert listed == sbom.document("delete_request", EVENT, [one], "b" * 64)
    other = json.loads(sbom.document("delete_request", EVENT, [one], "c" * 64))
    assert other["serialNumber"] != found["serialNumber"]


# -- the command -------------------------------------------------------------------------------


def test_a_wrong_wish_is_an_error_and_writes_nothing(sgguard, tmp_path):
    out = tmp_path / "out.zip"
    wish = ("package", "delete_request", "--runtime", "alibaba-fc-event", "-o", str(out))
    empty = ("--offline", "--wheels", str(tmp_path / "wheels"))
    code, _, err = sgguard(*wish, *empty)
    assert (code, out.exists()) == (2, False)
    assert "no wheel for CPython 3.12" in err
    code, _, err = sgguard(*wish, "--python", "3.10")
    assert (code, out.exists()) == (2, False)
    assert "has no Python 3.10 that sgguard runs on: expected one of 3.12" in err
    policy = tmp_path / "policy.toml"
    policy.write_text("mod = 1\n")
    code, _, err = sgguard(*wish, *empty, "--policy", str(policy))
    assert (code, out.exists()) == (2, False)
    assert "mod is not known here" in err


def test_a_policy_whose_callers_could_not_be_proven_is_not_packaged(sgguard, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[caller]]\nname = "broker"\nfunctions = ["cloud_event"]\n'
        'proof = { jwt = { issuer = "https://i", audience = "a", jwks = "https://i/k", '
        'subjects = ["s"] } }\n'
    )
    for function, told in (("cloud_event", "needs --extra jwt"), ("approval", "no wheel for")):
        wish = ("package", function, "--runtime", "oci", "--policy", str(policy), "--offline")
        place = ("--wheels", str(tmp_path / "wheels"), "-o", str(tmp_path / "app.tar"))
        code, _, err = sgguard(*wish, *place)
        assert code == 2
        assert told in err
