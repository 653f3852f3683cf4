"""The mutants fit the code, and the simulator finds each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim import mutants
from tests.sim.test_stories import OPEN, code_of

ROOT = Path(__file__).parents[2]
SEEDS = 2000


def test_every_edit_replaces_a_text_that_stands_once_in_its_file():
    for mutant in mutants.mutants():
        for edit in mutant.edits:
            text = (ROOT / "shared" / "sgguard" / edit.file).read_text(encoding="utf-8")
            assert text.count(edit.old) == 1, (mutant.name, edit.file, edit.old)
            compile(text.replace(edit.old, edit.new), edit.file, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("mutant", mutants.mutants(), ids=lambda one: one.name)
def test_a_broken_promise_is_found(mutant, tmp_path):
    tree = mutants.copy_of_tree(tmp_path / "tree")
    known = ",".join(map(code_of, OPEN))
    assert mutants.search(tree, mutant, SEEDS, known)
