"""The plugin for Neutron as a package: what it names is there, and what it needs is Neutron's."""

from __future__ import annotations

import ast
import re
import sys
import tomllib

import pytest

from tests.deploy.function import PLUGIN

SOURCES = sorted(PLUGIN.rglob("*.py"))
BROUGHT_BY_NEUTRON = {"neutron", "neutron_lib", "oslo_config", "oslo_log"}
ITS_OWN = "sgguard_neutron"
LINES_MAX = 300


def imported(path):
    """The packages that a module imports, by their first name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_only_what_neutron_brings_is_imported(path):
    assert set(imported(path)) <= {*sys.stdlib_module_names, *BROUGHT_BY_NEUTRON, ITS_OWN}


def test_what_asks_and_what_words_needs_no_neutron():
    for name in ("ask.py", "refusal.py"):
        assert set(imported(PLUGIN / ITS_OWN / name)) <= set(sys.stdlib_module_names)


def test_the_entry_points_are_there_and_nothing_is_installed_with_the_plugin():
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == []
    for points in project["entry-points"].values():
        for target in points.values():
            module, _, name = target.partition(":")
            source = (PLUGIN / f"{module.replace('.', '/')}.py").read_text()
            assert re.search(rf"^(class|def) {name}\b", source, re.MULTILINE), target


def test_the_documented_settings_are_those_it_reads_with_their_defaults():
    source = ast.parse((PLUGIN / ITS_OWN / "options.py").read_text())
    found = {}
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "").endswith("Opt"):
            (default,) = (one.value for one in node.keywords if one.arg == "default")
            value = ast.literal_eval(default)
            found[ast.literal_eval(node.args[0])] = (
                ",".join(value) if isinstance(value, list) else str(value)
            )
    readme = (PLUGIN / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\|", readme, re.MULTILINE)
    assert {name: default.strip("` ") for name, default in rows} == found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_module_is_short_and_explained(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_MAX
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            name = getattr(node, "name", "module")
            assert name.startswith("_") or ast.get_docstring(node), f"{path.name}: {name}"
