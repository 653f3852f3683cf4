"""Earlier versions of sgguard, built as wheels from this repository: what an upgrade begins at."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from sgguard.store import schema

ROOT = Path(__file__).resolve().parents[2]
_SCHEMA = ("shared/sgguard/store/schema.py", "shared/sgguard/store/schema_*.py")
_SHOW = "import json; from sgguard.store.schema import MIGRATIONS; print(json.dumps(MIGRATIONS))"
_LOOKED_BACK = 12


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@cache
def commits() -> dict[str, str]:
    """The commits to upgrade from, by what their store is; empty without a history.

    ``released`` is the newest tag; until there is one, nothing. The others are on the main line,
    because no commit inside of a branch is a version that anybody ran: ``older schema`` is the
    newest whose tables are those of this version as far as they go, ``same schema`` the one that
    brought the last of them.
    """
    found = {"released": _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*")}
    changes = _git("log", "--first-parent", "-s", "--format=%H", "--", *_SCHEMA).split()
    now = list(map(list, schema.MIGRATIONS))
    for change in changes[:_LOOKED_BACK]:
        if "same schema" not in found and _migrations(change) == now:
            found["same schema"] = change
        before = _migrations(f"{change}^")
        if before and len(before) < len(now) and before == now[: len(before)]:
            found["older schema"] = f"{change}^"
            break
    return {name: commit for name, commit in found.items() if commit}


def _migrations(commit: str) -> list[list[str]]:
    """Return what leads to the tables of a commit; nothing where that cannot be told."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "archive", commit, "shared"], cwd=ROOT, capture_output=True, check=False
        )
        if packed.returncode:
            return []
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        env = {**os.environ, "PYTHONPATH": f"{folder}/shared"}
        asked = [sys.executable, "-c", _SHOW]
        told = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    found: list[list[str]] = json.loads(told.stdout) if told.returncode == 0 else []
    return found


def package(commit: str, folder: Path) -> Path:
    """Return a folder with the unpacked wheel of a commit."""
    source, dist, unpacked = folder / "source", folder / "dist", folder / "package"
    clone = ["git", "clone", "-q", "--shared", "--no-checkout", str(ROOT), str(source)]
    subprocess.run(clone, check=True, capture_output=True)
    checkout = ["git", "-C", str(source), "checkout", "-q", commit]
    subprocess.run(checkout, check=True, capture_output=True)
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(dist)]
    subprocess.run([*build, str(source)], check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    return unpacked


def is_imported_from(found: Path) -> bool:
    """Whether a process that is told of a folder imports its sgguard, and not this one."""
    asked = [sys.executable, "-c", "import sgguard; print(sgguard.__file__)"]
    env = {**os.environ, "PYTHONPATH": str(found)}
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).is_relative_to(found)
