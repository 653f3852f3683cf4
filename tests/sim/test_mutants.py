"""The mutants fit the code, and the simulator finds each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sim import mutants
from tests.sim.test_stories import KEPT

ROOT = Path(__file__).parents[2]
README = Path(__file__).with_name("README.md")


def test_every_edit_replaces_a_text_that_stands_once_in_its_file():
    for mutant in mutants.mutants():
        for edit in mutant.edits:
            text = (ROOT / "shared" / "sgguard" / edit.file).read_text(encoding="utf-8")
            assert text.count(edit.old) == 1, (mutant.name, edit.file, edit.old)
            compile(text.replace(edit.old, edit.new), edit.file, "exec")


def test_every_mutant_names_a_story_that_is_kept():
    stories = {path.stem for path in KEPT}
    assert [one.name for one in mutants.mutants() if one.story not in stories] == []


def test_every_hole_of_the_earlier_engine_has_its_mutants_or_its_tests():
    table = README.read_text(encoding="utf-8").partition("## The holes")[2]
    rows = re.findall(r"^\| (\d+) [^|]*\|([^|]*)\|([^|]*)\|$", table, re.MULTILINE)
    assert {int(hole) for hole, _, _ in rows} == set(range(1, 12))
    opened = {hole for one in mutants.mutants() for hole in one.holes}
    assert opened == {int(hole) for hole, by, _ in rows if "*" in by}
    for _, _, held in rows:
        files = re.findall(r"`((?:tests/)?[\w/]+\.py)`", held)
        texts = [(ROOT / one if "/" in one else README.with_name(one)).read_text() for one in files]
        assert texts
        for name in re.findall(r"`(test_\w+)`", held):
            assert any(f"def {name}(" in text for text in texts), name


def test_every_mutant_is_in_the_table_with_its_story():
    text = README.read_text(encoding="utf-8")
    rows = [f"| {one.name} | `{one.story}` |" for one in mutants.mutants()]
    assert [row for row in rows if row not in text] == []


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return mutants.copy_of_tree(tmp_path_factory.mktemp("broken") / "tree")


@pytest.mark.slow
@pytest.mark.parametrize("mutant", mutants.mutants(), ids=lambda one: one.name)
def test_a_broken_promise_is_found_by_its_story(mutant, tree):
    *_, last = mutants.told(tree, mutant).strip().splitlines()
    assert re.match(r"  (I\d-[a-z-]+|I1) at ", last), last
