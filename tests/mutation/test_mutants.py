"""The table of mutants fits the code and the tests it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.mutants import mutants

ROOT = Path(__file__).parents[2]
MUTANTS = mutants()


def test_every_edit_replaces_a_text_that_stands_once_in_its_file():
    wrong = []
    for mutant in MUTANTS:
        for edit in mutant.edits:
            path = ROOT / "shared" / "sgguard" / edit.file
            count = path.read_text(encoding="utf-8").count(edit.old) if path.is_file() else 0
            if count != 1:
                wrong.append(f"{mutant}: {edit.file} has {edit.old!r} {count} times")
    assert wrong == []


def test_every_mutant_makes_valid_python():
    for mutant in MUTANTS:
        texts: dict[str, str] = {}
        for edit in mutant.edits:
            path = ROOT / "shared" / "sgguard" / edit.file
            text = texts.get(edit.file) or path.read_text(encoding="utf-8")
            texts[edit.file] = text.replace(edit.old, edit.new)
        for file, text in texts.items():
            compile(text, f"{mutant}: {file}", "exec")


@pytest.mark.parametrize("area", sorted({mutant.area for mutant in MUTANTS}))
@pytest.mark.sampled(6)
def test_every_pattern_of_an_area_matches_tests(area):
    patterns = next(mutant.tests for mutant in MUTANTS if mutant.area == area)
    for pattern in patterns:
        matches = [*ROOT.glob(pattern)]
        files = [file for one in matches for file in (one, *one.rglob("test_*.py"))]
        assert any(file.match("test_*.py") for file in files), pattern
