"""What the documents say is true: tables come from the code, commands and examples run.

``python -m tests.docs`` writes every generated section of every document again.
"""

from __future__ import annotations

import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

from sgguard import providers
from sgguard.cli import _COMMANDS
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.emulator import control
from sgguard.emulator.faces import all_faces
from sgguard.emulator.faults import KINDS
from sgguard.model.codes import DeleteRemedy, LaunchRemedy, Mode
from sgguard.settings import SETTINGS
from sgguard.web import server as functions_server
from tests.docs import GENERATED
from tests.docs.sections import (
    CHINESE,
    DOCUMENTS,
    PACKAGE,
    README,
    ROOT,
    cells,
    home,
    names,
    section,
    with_blocks,
)

# Commands that are shown and not run here, with what holds instead.
NOT_RUN = {"one-suite", "regenerate", "doctor-run", "layout"}


def by_document():
    return pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# -- every document ------------------------------------------------------------------------


# The demo runs as a process of its own for some seconds; every other section is made in this one.
SLOW = {"demo"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in GENERATED]
)
def test_what_is_generated_is_up_to_date(name):
    assert section(name) == GENERATED[name](), "run: python -m tests.docs"


def test_each_mark_stands_in_one_document_and_has_a_test():
    counts = Counter(name for path in DOCUMENTS for name in names(path))
    assert set(counts.values()) == {1}
    sources = text_of(Path(__file__)) + text_of(ROOT / "tests" / "docs" / "test_examples.py")
    tested = re.findall(r'(?:section|run|loaded|emulated|home)\("([a-z-]+)"', sources)
    assert set(counts) == {*GENERATED, *tested, *NOT_RUN, "bench"}


@by_document()
def test_every_code_block_has_a_mark(path):
    lines = text_of(path).splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    unmarked = [n + 1 for n in fences[::2] if not re.fullmatch("<!-- .* -->", lines[n - 1])]
    assert not unmarked


@by_document()
def test_the_cells_written_by_hand_are_filled_in(path):
    for name in names(path):
        if name in ("reasons", "gaps", "outcomes", "statuses", "imports"):
            rows = [cells(row) for row in section(name).splitlines()[2:]]
            assert not [row[0] for row in rows if not row[-1]]


@by_document()
def test_every_link_leads_to_a_document_and_a_heading_that_exist(path):
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text_of(path)):
        file, _, anchor = target.partition("#")
        linked = path.parent / file if file else path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text_of(linked), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}


@by_document()
def test_every_path_that_is_named_exists(path):
    for span in re.findall(r"`([^`\n]+)`", prose(path)):
        if re.fullmatch(r"[\w.<>*-]+(/[\w.<>*-]+)*/?", span) and is_path(span):
            pattern = re.sub("<[^>]*>", "*", span).rstrip("/")
            places = (ROOT, PACKAGE, path.parent)
            assert any(any(place.glob(pattern)) for place in places), f"{path.name}: {span}"


def is_path(span: str) -> bool:
    """Whether it names a file or folder of the repository: files of a user have no folder."""
    return "/" in span and (span.endswith("/") or Path(span).suffix in (".py", ".md", ".toml"))


def prose(path: Path) -> str:
    """A document without its code blocks and its generated tables."""
    text = re.sub(r"^```.*?^```$", "", text_of(path), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^.*https?://.*$", "", text, flags=re.MULTILINE)


@by_document()
def test_every_setting_that_is_named_exists(path):
    stems = {setting.name.split("_<")[0] for setting in SETTINGS}
    known = stems | {
        f"{stem}_{p.upper().replace('-', '_')}" for stem in stems for p in providers.names()
    }
    assert set(re.findall(r"SGGUARD_[A-Z_]*[A-Z]", text_of(path))) <= known


@by_document()
def test_every_command_that_is_named_exists(path):
    commands = set(re.findall(r"`(?:\.venv/bin/)?sgguard ([a-z]+)", text_of(path)))
    assert commands <= set(_COMMANDS)


@by_document()
def test_every_module_that_is_run_exists(path):
    for module in re.findall(r"python -m ([\w.]+)", text_of(path)):
        assert any((ROOT / f"{module.replace('.', '/')}{end}").exists() for end in (".py", "/"))


@by_document()
def test_every_dotted_name_of_the_package_exists(path):
    for name in re.findall(r"`(sgguard(?:\.\w+)+)`", text_of(path)):
        if not re.search(r"\.v\d+$", name):  # the type of an event
            pkgutil.resolve_name(name)


@by_document()
def test_every_make_target_that_is_named_exists(path):
    targets = re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)`", text_of(path))) <= set(targets)


def test_every_variable_that_the_code_reads_is_a_setting():
    named = set()
    for path in PACKAGE.rglob("*.py"):
        named |= set(re.findall(r"SGGUARD_[A-Z_]*[A-Z]", text_of(path)))
    stems = {setting.name.split("_<")[0] for setting in SETTINGS}
    known = stems | {
        f"{stem}_{p.upper().replace('-', '_')}" for stem in stems for p in providers.names()
    }
    assert named <= known


# -- the Chinese README --------------------------------------------------------------------


def test_the_chinese_readme_has_the_commands_of_the_english_one():
    text = text_of(CHINESE)
    assert text == with_blocks(text)
    assert text.count("```") == 2 * text.count("<!-- ")


def test_the_chinese_readme_leads_where_something_is():
    for target in re.findall(r"\]\(([^)#]+)", text_of(CHINESE)):
        assert target.startswith("https://") or (ROOT / target).exists(), target
    assert "[简体中文](README.zh-CN.md)" in text_of(README)


# -- the README ----------------------------------------------------------------------------


def test_the_readme_is_short_and_its_first_screen_ends_with_the_exit_code():
    lines = text_of(README).splitlines()
    assert len(lines) <= 250
    assert any("exit code is the verdict" in line for line in lines[:50])


def test_every_provider_has_a_row_with_its_variables():
    rows = dict(re.findall(r"^\| `([a-z-]+)` (\|.*)$", text_of(README), re.MULTILINE))
    assert set(providers.names()) <= set(rows)
    code = "".join(text_of(path) for path in PACKAGE.rglob("*.py"))
    for name in providers.names():
        pattern = r"`((?:TENCENTCLOUD|ALIBABA|HUAWEICLOUD)_[A-Z_]+)`"
        for variable in re.findall(pattern, rows[name]):
            assert f'"{variable}"' in code, f"{name}: nothing reads {variable}"


def test_every_command_and_exit_code_is_listed():
    text = text_of(README)
    listed = {row.split()[0] for row in re.findall(r"^\| `sgguard ([^`]+)`", text, re.MULTILINE)}
    assert listed == set(_COMMANDS)
    told = text[text.index("Exit codes:") :].split("\n\n")[0]
    codes = dict(re.findall(r"(\d) ([a-z]+)", told))
    assert codes == {str(c): v.value for v, c in EXIT_CODES.items()} | {"2": "error"}
    for code, verdict in codes.items():
        assert f"**{code}** {verdict}" in text


def test_every_function_is_named():
    assert all(f"`{name}`" in text_of(README) for name in functions_server.functions())


def test_the_layout_names_folders_that_exist_and_all_of_the_package():
    words = section("layout").split()
    named = {word.rstrip("/") for word in words if word.endswith("/")}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= named
    for name in named:
        places = (ROOT, PACKAGE, PACKAGE / "guards")
        assert any((place / name).is_dir() for place in places), name


# -- the other documents -------------------------------------------------------------------


def test_every_mode_and_remedy_has_its_words():
    text = text_of(home("policy-reference"))
    remedies = re.findall(r"^\| `([a-z]+)` \| (?!`)[a-z]", text, re.MULTILINE)
    assert sorted(remedies) == sorted([*DeleteRemedy, *LaunchRemedy])
    assert all(f"`{mode}`" in text for mode in Mode)


def test_every_face_fault_and_control_request_of_the_emulator_is_listed():
    text = text_of(home("fault"))
    rows = {found[0].strip("`") for found in map(cells, re.findall(r"^\| .*$", text, re.MULTILINE))}
    faces = {f"faces/{name.replace('-', '_')}/" for name in all_faces()}
    requests = {f"{method} {control.PREFIX}/{name}" for method, name in control._ACTIONS}
    assert {*faces, *requests, *KINDS} == rows - {"face", "request", "kind"}


def test_every_suite_is_listed():
    text = text_of(ROOT / "tests" / "README.md")
    listed = set(re.findall(r"^\| `tests/(\w+)/` ", text, re.MULTILINE))
    suites = {path.parent.relative_to(ROOT / "tests") for path in ROOT.glob("tests/**/test_*.py")}
    assert listed == {path.parts[0] for path in suites if path.parts} | {"mutation"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("deploy/*.md")))
def test_no_mark_of_an_unfinished_merge_is_left_in_a_document(path):
    marks = ("<<<<<<<", "=======", ">>>>>>>")
    assert not [line for line in text_of(path).splitlines() if line.startswith(marks)]


def test_every_belief_names_a_test_that_is_there_and_what_it_rests_on():
    text = text_of(ROOT / "tests" / "README.md").split("## What provider and emulator believe")[1]
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 30
    for belief, proof, test in rows:
        assert belief.strip(), test
        assert proof.strip(), belief
        assert (ROOT / test.strip().strip("`")).is_file(), test
