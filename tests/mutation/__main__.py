"""Run every mutant: ``python -m tests.mutation [--quick] [TEXT…]``, or those whose name has it.

Each rule is broken in a copy of the working tree; the named tests of its area run there, then the
false-verdict search where it covers the rule (with ``--quick`` only where no named test failed).
A table lists which test killed each mutant. The exit code is 1 when a mutant survived, or when the
text that a mutant changes does not exist any more: the list of mutants must then be updated.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Edit, Mutant, mutants

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "*_cache", "__pycache__", ".hypothesis", "dist", "build"
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_SEARCH = "tests/false_verdicts/test_search.py::test_no_verdict_on_a_random_cloud_is_false"
_NOTHING_RAN = 5
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile", "thorough")
_TIMEOUT_S = 900


@dataclass(frozen=True)
class Killed:
    """The test that killed a mutant, by suite, or ""; ``error`` is why it could not be tried."""

    by_name: str = ""
    by_search: str = ""
    error: str = ""
    took_s: float = 0.0


def main(arguments: Sequence[str]) -> int:
    is_quick = "--quick" in arguments
    wanted = [one for one in arguments if one != "--quick"]
    chosen = [m for m in mutants() if not wanted or any(text in str(m) for text in wanted)]
    workers = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="sgguard-mutants-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            trees.put(_copy(Path(folder) / str(number)))
        with ThreadPoolExecutor(workers) as pool:
            areas = dict.fromkeys(mutant.tests for mutant in chosen)
            if failing := [one for one in pool.map(lambda a: _unbroken(a, trees), areas) if one]:
                print(f"without a mutant, this fails: {', '.join(failing)}")
                return 1
            results = list(
                pool.map(lambda mutant: _try_on_any(mutant, trees, is_quick=is_quick), chosen)
            )
    survived = 0
    for mutant, killed in zip(chosen, results, strict=True):
        is_dead = bool(killed.by_name or killed.by_search) and not killed.error
        survived += not is_dead
        print(_row(mutant, killed))
    print(f"{len(chosen) - survived} of {len(chosen)} mutants were killed")
    return 1 if survived else 0


def _row(mutant: Mutant, killed: Killed) -> str:
    other = "ONLY THE FALSE-VERDICT SEARCH" if killed.by_search else "SURVIVED"
    by_name = killed.error or killed.by_name or other
    return f"| {mutant} | {by_name} | {killed.by_search or '-'} | {killed.took_s:.0f} s |"


def _copy(target: Path) -> Path:
    shutil.copytree(ROOT, target, ignore=_LEFT_OUT)
    return target


def _unbroken(tests: Sequence[str], trees: SimpleQueue[Path]) -> str:
    """Return the test of an area that fails without any mutant; empty when all pass."""
    tree = trees.get()
    try:
        return _first_failure(tree, _named(tree, tests))
    finally:
        trees.put(tree)


def _try_on_any(mutant: Mutant, trees: SimpleQueue[Path], *, is_quick: bool) -> Killed:
    tree = trees.get()
    try:
        killed = _try(mutant, tree, is_quick=is_quick)
    finally:
        trees.put(tree)
    print(f"  {mutant}: {killed}", file=sys.stderr)
    return killed


def _try(mutant: Mutant, tree: Path, *, is_quick: bool) -> Killed:
    begun_s = time.monotonic()
    before: dict[Path, str] = {}
    try:
        for edit in mutant.edits:
            if error := _apply(tree, edit, before):
                return Killed(error=error)
        for path in before:
            try:
                compile(path.read_text(), path, "exec")
            except SyntaxError as error:
                return Killed(error=f"{path.name} is not Python any more: {error}")
        by_name = _first_failure(tree, _named(tree, mutant.tests))
        is_asked = bool(mutant.search) and not (is_quick and by_name)
        by_search = _first_failure(tree, [_SEARCH, "-k", _which(mutant)]) if is_asked else ""
        return Killed(by_name, by_search, took_s=time.monotonic() - begun_s)
    finally:
        for path, text in before.items():
            path.write_text(text)


def _named(tree: Path, patterns: Sequence[str]) -> list[str]:
    """Return the arguments of pytest that run these tests, in the order of the patterns."""
    found = [path for pattern in patterns for path in sorted(tree.glob(pattern))]
    files = dict.fromkeys(str(path.relative_to(tree)) for path in found)
    return [*files, "-m", "(not slow or sampled) and not interop and not live"]


def _which(mutant: Mutant) -> str:
    kinds = ("delete", "batch", "launch")
    return " or ".join(f"{cloud}-{kind}" for cloud in mutant.search for kind in kinds)


def _apply(tree: Path, edit: Edit, before: dict[Path, str]) -> str:
    """Change one text; return why it cannot be done, empty when it was."""
    path = tree / "shared" / "sgguard" / edit.file
    if not path.exists():
        return f"there is no {edit.file} any more"
    text = path.read_text()
    if text.count(edit.old) != 1:
        return f"{edit.file} has {edit.old!r} {text.count(edit.old)} times, expected once"
    before.setdefault(path, text)
    path.write_text(text.replace(edit.old, edit.new))
    return ""


def _first_failure(tree: Path, arguments: Sequence[str]) -> str:
    """Return the name of the first test that fails, empty when all pass."""
    path = f"{tree / 'shared'}{os.pathsep}{tree}"
    run = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", *_OPTIONS, *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path, "SEARCH_FACTOR": "3"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if run.returncode in (0, _NOTHING_RAN):
        return ""
    found = _FAILED.search(run.stdout)
    if found is None:
        return f"pytest itself failed: {run.stdout[-200:]!r}"
    return found[1].replace("tests/", "", 1).replace(_SEARCH.replace("tests/", "", 1), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
