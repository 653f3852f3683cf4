"""The shape of the code: who may import whom, what is explained, and how long things are."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "shared" / "sgguard"

FOUNDATION = {
    "clouds",
    "address",
    "question",
    "model",
    "decision",
    "errors",
    "policy",
    "settings",
    "logs",
    "schemas",
}
SAYING = {"document", "text", "graph", "wording"}

# Left may import right; the longest name that fits a module decides. A module of a new kind
# fails until it is written down here, which is the moment to think about where it belongs.
MAY_IMPORT = {
    "": set(),
    "errors": set(),
    "clouds": set(),
    "schemas": {"errors"},
    "address": {"errors"},
    "question": {"address"},
    "capabilities": set(),
    "model": {"address", "question", "capabilities", "errors"},
    "decision": {"model"},
    "change": {"model"},
    "codec": {"errors"},
    "store": {"errors", "settings", "store"},
    "remedy": FOUNDATION
    | {"permission", "change", "codec", "store", "wording", "providers", "wire", "remedy"},
    "policy": {"clouds", "decision", "errors", "model", "schemas"},
    "settings": {"decision", "errors"},
    "logs": {"errors", "settings"},
    "wire": FOUNDATION | {"wire"},
    "wording": {"model"},
    "permission": {"model", "decision", "errors", "policy", "wording"},
    "guards": {"model", "decision", "policy", "permission", "wording", "guards"},
    "providers": FOUNDATION | {"change", "wire", "providers"},
    "facts": FOUNDATION | {"wire", "providers"},
    "explanation": FOUNDATION | {"providers", "facts"},
    "document": {"model", "decision"} | SAYING,
    "document_outcome": {"decision", "document", "store"},
    "text": {"model", "decision"} | SAYING,
    "graph": {"model", "decision"} | SAYING,
    "events": FOUNDATION | {"events"},
    "request": FOUNDATION | {"events"},
    "batch": FOUNDATION | {"wire", "providers", "facts"},
    "means": FOUNDATION | {"wire", "providers", "store"},
    "pipeline": FOUNDATION
    | {"wire", "providers", "facts", "explanation", "batch", "means", "guards", "events"}
    | {"permission"}
    | {"remedy"},
    "retention": FOUNDATION | {"means", "store"},
    "outcome": FOUNDATION
    | {
        "change",
        "codec",
        "document",
        "document_outcome",
        "facts",
        "guards",
        "means",
        "pipeline",
        "providers",
        "retention",
    }
    | {"remedy", "store"},
    "approving": FOUNDATION
    | SAYING
    | {"answer", "codec", "document_outcome", "events", "handling", "means", "outcome"}
    | {"pipeline", "problem", "remedy", "store", "approving"},
    "resuming": FOUNDATION | {"approving", "means", "outcome", "store"},
    "handling": FOUNDATION
    | {"document", "events", "means", "outcome", "pipeline", "store", "wire"},
    "rehearsal": FOUNDATION | {"codec", "guards", "permission"},
    "restoring": FOUNDATION
    | {"codec", "document", "document_outcome", "means", "outcome", "providers", "remedy", "store"},
    "doctor": FOUNDATION | {"wire", "providers", "means", "doctor"},
    "arrival": {"errors", "wire"},
    "problem": FOUNDATION,
    "answer": FOUNDATION | SAYING | {"events", "problem", "wire"},
    "emulator": {"model", "wire", "emulator"},
    "functions": FOUNDATION
    | SAYING
    | {"events", "request", "handling", "means", "answer", "wire"}
    | {"arrival", "approving"},
    "serve": FOUNDATION,
    "processes": {"errors"},
    "demo": {
        "demo_answer",
        "errors",
        "model",
        "pipeline",
        "request",
        "restoring",
        "serve",
        "processes",
        "emulator",
    }
    | SAYING,
    "demo_answer": {"emulator"} | SAYING,
    "cli": FOUNDATION
    | SAYING
    | {"request", "pipeline", "doctor", "providers", "wire", "emulator", "demo", "serve"}
    | {"processes", "rehearsal", "restoring", "cli"}
    | {"approving", "resuming", "retention", "means", "outcome", "store"},
}

# Folders of alternatives: one does not know the other. Shared ground has another name.
AXES = {
    "providers": "connect",
    "emulator.faces": "FACE",
    "guards": "judge",
}


def modules() -> dict[str, Path]:
    """Every shipped module by its name below the package, functions as ``functions.<name>``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(p for p in parts if p != "__init__")] = path
    for path in sorted((ROOT / "functions").glob("*/main.py")):
        found[f"functions.{path.parent.name}"] = path
    return found


MODULES = modules()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """The modules of this package that a file imports anywhere, functions' bodies included."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "sgguard":
                below = name.removeprefix("sgguard").removeprefix(".")
                found.add(below if below in MODULES else below.rpartition(".")[0])
    return found


def layer(module: str, names) -> str | None:
    """The longest of the names that the module is, or lies below."""
    fitting = [n for n in names if module == n or module.startswith(f"{n}.")]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_the_layers_only(module):
    own = layer(module, MAY_IMPORT) if module else ""
    assert own is not None, f"{module} belongs to no layer yet: say in MAY_IMPORT what it may know"
    wrong = {
        known
        for known in imports(MODULES[module])
        if known and not (layer(known, MAY_IMPORT[own]) or layer(known, [own]))
    }
    assert not wrong, f"{module} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("axis", AXES)
def test_alternatives_do_not_know_each_other(axis):
    members = {
        name
        for name, path in MODULES.items()
        if name.startswith(f"{axis}.") and AXES[axis] in top_level_names(path)
    }
    assert len(members) > 1
    for module in MODULES:
        own = layer(module, members)
        if own is None:
            continue
        others = {known for known in imports(MODULES[module]) if layer(known, members - {own})}
        assert not others, f"{module} knows {', '.join(others)}"


def top_level_names(path: Path) -> set[str]:
    found = set()
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_is_explained(module):
    root = tree(MODULES[module])
    silent = [] if ast.get_docstring(root) else [module or "sgguard"]
    for owner in (root, *(n for n in root.body if isinstance(n, ast.ClassDef))):
        if isinstance(owner, ast.ClassDef) and owner.name.startswith("_"):
            continue
        silent += [
            f"{module}:{node.lineno} {node.name}"
            for node in owner.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert not silent, f"no docstring: {', '.join(silent)}"


@pytest.mark.parametrize("module", [m for m, p in MODULES.items() if "__all__" in p.read_text()])
def test_every_name_listed_as_public_exists(module):
    imported = importlib.import_module(f"sgguard.{module}".rstrip("."))
    assert sorted(set(imported.__all__)) == sorted(imported.__all__)
    assert all(hasattr(imported, name) for name in imported.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_no_module_has_more_than_300_lines_and_no_function_more_than_50(module):
    text = MODULES[module].read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines <= 300
    long = [
        f"{node.name}: {length(node)}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and length(node) > 50
    ]
    assert not long


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("functions.")])
def test_a_function_is_parse_call_answer_in_at_most_40_lines(module):
    name = module.removeprefix("functions.")
    [handler] = [n for n in tree(MODULES[module]).body if getattr(n, "name", "") == name]
    assert length(handler) <= 40


def length(function: ast.FunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1
