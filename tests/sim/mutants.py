"""Break what makes the engine's promises true, and see how many seeds it takes to notice.

Each mutant of ``mutants.toml`` is applied in a copy of the tree, where the simulator then runs. The
clouds take turns, so that a seed is one story of one of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

from tests.mutation.mutants import Edit
from tests.sim.generate import PROVIDERS

ROOT = Path(__file__).parents[2]
_TABLE = Path(__file__).with_name("mutants.toml")
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "*_cache", "__pycache__", ".hypothesis", "dist", "build"
)
_FOUND = re.compile(r"^  (\S+): \d+ seeds, the first (\d+):", re.MULTILINE)
_CHUNK = 50


@dataclass(frozen=True)
class Mutant:
    """What is broken, and how.

    ``holes`` are those of the earlier engine that it opens again (``README.md`` has their list),
    ``story`` is one of ``stories/`` that breaks an invariant then, and ``kind`` is that of the
    stories that are searched.
    """

    name: str
    edits: tuple[Edit, ...]
    holes: tuple[int, ...] = ()
    story: str = ""
    kind: str = ""


def mutants() -> list[Mutant]:
    """Every mutant."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return [
        Mutant(
            row["name"],
            tuple(Edit(**edit) for edit in row["edits"]),
            tuple(row.get("holes", ())),
            row.get("story", ""),
            row.get("kind", ""),
        )
        for row in table["mutant"]
    ]


def main(seeds: int, jobs: int, without: str = "", only: str = "") -> int:
    """Try every mutant, or those that ``only`` names, with at most so many seeds each.

    ``without`` are codes that do not count. Returns the exit code.
    """
    chosen = [one for one in mutants() if only in one.name]
    with tempfile.TemporaryDirectory(prefix="sgguard-sim-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            trees.put(copy_of_tree(Path(folder) / str(number)))
        with ThreadPoolExecutor(jobs) as pool:
            found = list(
                pool.map(lambda mutant: _try_on_any(mutant, trees, seeds, without), chosen)
            )
    survived = found.count("")
    print(f"{len(found) - survived} of {len(found)} mutants were found")
    return 1 if survived else 0


def _try_on_any(mutant: Mutant, trees: SimpleQueue[Path], seeds: int, without: str) -> str:
    tree = trees.get()
    try:
        how = search(tree, mutant, seeds, without)
    finally:
        trees.put(tree)
    print(f"| {mutant.name} | {how or 'NOT FOUND'} |", flush=True)
    return how


def copy_of_tree(target: Path) -> Path:
    """Copy the working tree to where it may be broken."""
    shutil.copytree(ROOT, target, ignore=_LEFT_OUT)
    # A search begins many processes. By its hash each of them sees which file is broken now.
    for folder in ("shared", "tests/sim"):
        compile_dir(target / folder, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return target


def search(tree: Path, mutant: Mutant, seeds: int, without: str = "") -> str:
    """Return which invariant a mutant breaks and after how many seeds; empty where none."""
    with broken(tree, mutant):
        return _searched(tree, mutant.kind, seeds, without)


def told(tree: Path, mutant: Mutant) -> str:
    """Return what the story of a mutant prints; it ends with the invariants that it breaks."""
    story = str(tree / "tests/sim/stories" / f"{mutant.story}.json")
    with broken(tree, mutant):
        return _ran(tree, "--story", story)


@contextmanager
def broken(tree: Path, mutant: Mutant) -> Iterator[None]:
    """Break a copy of the tree for a while."""
    before = {edit.file: (tree / "shared/sgguard" / edit.file).read_text() for edit in mutant.edits}
    try:
        for edit in mutant.edits:
            path = tree / "shared/sgguard" / edit.file
            text = path.read_text()
            if text.count(edit.old) != 1:
                raise LookupError(f"{edit.file} has {edit.old!r} {text.count(edit.old)} times")
            path.write_text(text.replace(edit.old, edit.new))
        yield
    finally:
        for name, text in before.items():
            (tree / "shared/sgguard" / name).write_text(text)


def _searched(tree: Path, kind: str, seeds: int, without: str) -> str:
    tried = 0
    for first in range(0, seeds // len(PROVIDERS), _CHUNK):
        for provider in PROVIDERS:
            number = min(_CHUNK, seeds // len(PROVIDERS) - first)
            said = _run(tree, kind, provider, range(first, first + number), without)
            if found := _FOUND.findall(said):
                code, seed = min(found, key=lambda one: int(one[1]))
                return f"{code} after {tried + int(seed) - first + 1} seeds ({provider} {seed})"
            tried += number
    return ""


def _run(tree: Path, kind: str, provider: str, seeds: range, without: str) -> str:
    few = ("--kind", kind, "--seeds", str(len(seeds)), "--from", str(seeds[0]))
    return _ran(
        tree, "--brief", "--store", "sqlite", "--provider", provider, *few, "--without", without
    )


def _ran(tree: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-B", "-m", "tests.sim", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree / 'shared'}{os.pathsep}{tree}"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if ended.returncode not in (0, 1) or not ended.stdout:
        raise RuntimeError(ended.stderr[-2000:])
    return ended.stdout
