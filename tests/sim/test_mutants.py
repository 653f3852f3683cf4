"""The mutants fit the code, and the simulator finds each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sim import mutants
from tests.sim.test_stories import KEPT

ROOT = Path(__file__).parents[2]


def test_every_edit_replaces_a_text_that_stands_once_in_its_file():
    for mutant in mutants.mutants():
        for edit in mutant.edits:
            text = (ROOT / "shared" / "sgguard" / edit.file).read_text(encoding="utf-8")
            assert text.count(edit.old) == 1, (mutant.name, edit.file, edit.old)
            compile(text.replace(edit.old, edit.new), edit.file, "exec")


def test_every_mutant_names_a_story_that_is_kept():
    stories = {path.stem for path in KEPT}
    assert [one.name for one in mutants.mutants() if one.story not in stories] == []


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return mutants.copy_of_tree(tmp_path_factory.mktemp("broken") / "tree")


@pytest.mark.slow
@pytest.mark.parametrize("mutant", mutants.mutants(), ids=lambda one: one.name)
def test_a_broken_promise_is_found_by_its_story(mutant, tree):
    *_, last = mutants.told(tree, mutant).strip().splitlines()
    assert re.match(r"  (I\d-[a-z-]+|I1) at ", last), last
