"""Run every mutant: ``python -m tests.mutation [--quick] [TEXT…]``, or those whose name has it.

Each rule is broken in a copy of the working tree; the named tests of its area run there, and the
lie detector where it asks about such things (with ``--quick`` only where no named test noticed).
A table says what noticed. The exit code is 1 when nothing noticed a mutant, or when the text that
a mutant changes is not there any more: the list of mutants must then be brought up to date.
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
_LIES = "tests/false_verdicts/test_search.py::test_no_answer_about_a_random_cloud_is_a_lie"
_NOTHING_RAN = 5
_TIMEOUT_S = 900


@dataclass(frozen=True)
class Killed:
    """What noticed a mutant: a test's name or "" each; ``trouble`` is why it could not be tried."""

    by_name: str = ""
    by_lies: str = ""
    trouble: str = ""
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
            if red := [one for one in pool.map(lambda a: _unbroken(a, trees), areas) if one]:
                print(f"nothing is broken yet, and this fails: {', '.join(red)}")
                return 1
            results = list(
                pool.map(lambda mutant: _try_on_any(mutant, trees, is_quick=is_quick), chosen)
            )
    survived = 0
    for mutant, killed in zip(chosen, results, strict=True):
        is_dead = bool(killed.by_name or killed.by_lies) and not killed.trouble
        survived += not is_dead
        print(_row(mutant, killed))
    print(f"{len(chosen) - survived} of {len(chosen)} mutants were noticed")
    return 1 if survived else 0


def _row(mutant: Mutant, killed: Killed) -> str:
    nobody = "NOBODY BUT THE LIE DETECTOR" if killed.by_lies else "NOBODY"
    said = killed.trouble or killed.by_name or nobody
    lies = killed.by_lies or "-"
    return f"| {mutant} | {said} | {lies} | {killed.took_s:.0f} s |"


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
            if trouble := _apply(tree, edit, before):
                return Killed(trouble=trouble)
        for path in before:
            try:
                compile(path.read_text(), path, "exec")
            except SyntaxError as error:
                return Killed(trouble=f"what it makes of {path.name} is no Python: {error}")
        by_name = _first_failure(tree, _named(tree, mutant.tests))
        is_asked = bool(mutant.lies) and not (is_quick and by_name)
        by_lies = _first_failure(tree, [_LIES, "-k", _which(mutant)]) if is_asked else ""
        return Killed(by_name, by_lies, took_s=time.monotonic() - begun_s)
    finally:
        for path, text in before.items():
            path.write_text(text)


def _named(tree: Path, patterns: Sequence[str]) -> list[str]:
    """Return how pytest is told to run these tests, in the order of the patterns."""
    found = [path for pattern in patterns for path in sorted(tree.glob(pattern))]
    files = dict.fromkeys(str(path.relative_to(tree)) for path in found)
    return [*files, "-m", "not slow and not interop"]


def _which(mutant: Mutant) -> str:
    questions = ("delete", "batch", "launch")
    return " or ".join(f"{who}-{question}" for who in mutant.lies for question in questions)


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
    run = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree / 'shared'}{os.pathsep}{tree}"},
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
    return found[1].replace("tests/", "", 1).replace(_LIES.replace("tests/", "", 1), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
