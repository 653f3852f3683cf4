"""Plugins are found by the names of the modules in a folder; shared modules in it are skipped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from shutil import copytree
from types import ModuleType

import pytest

from sgguard import clouds, events
from sgguard.emulator import faces
from sgguard.events import sources

PLUGIN = '"""A module that every scan accepts."""\nFACE = object()\n'
UNUSABLE = 'raise RuntimeError("a shared module is not imported by a scan")\n'


def face_names() -> Collection[str]:
    return faces.all_faces.__wrapped__().keys()


def source_names() -> Collection[str]:
    return {source.__name__.rpartition(".")[2] for source in events._sources.__wrapped__()}


def provider_names() -> Collection[str]:
    return clouds.names.__wrapped__()


def extend(package: ModuleType) -> Callable[[pytest.MonkeyPatch, Path], Path]:
    """Return how to let a package's own scan see one more folder."""

    def extended(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        return folder

    return extended


def copy_providers(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    copied = copytree(clouds._FOLDER, folder / "providers")
    monkeypatch.setattr(clouds, "_FOLDER", copied)
    return copied


SCANS = {
    "faces": (face_names, extend(faces)),
    "event sources": (source_names, extend(sources)),
    "providers": (provider_names, copy_providers),
}


@pytest.fixture(params=list(SCANS))
def scan(request, monkeypatch, tmp_path) -> Iterator[tuple[Callable[[], Collection[str]], Path]]:
    """A scan, and a folder that it reads; what a test adds there is unloaded afterwards."""
    names, enter = SCANS[request.param]
    yield names, enter(monkeypatch, tmp_path)
    for package in (faces, sources):
        if sys.modules.pop(f"{package.__name__}.added", None):
            del package.added


def test_a_module_whose_name_begins_with_an_underscore_is_skipped(scan):
    names, folder = scan
    before = set(names())
    (folder / "_helper.py").write_text(UNUSABLE)

    assert set(names()) == before


def test_a_module_with_a_plain_name_in_the_same_folder_is_found(scan):
    names, folder = scan
    before = set(names())
    (folder / "added.py").write_text(PLUGIN)

    assert set(names()) == before | {"added"}
