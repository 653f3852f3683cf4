"""The shape of the code: which folder imports which, what is explained, and how long things are.

ARROWS is the whole map: every import between two folders stands here, and nothing that does not
exist. A new folder or a new arrow fails until it is written down, which is the moment to think
about where it belongs. `python -m tests.test_layers` prints the map as it is.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tests import parsed

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "shared" / "sgguard"

AT_THE_ROOT = {
    "README.md",
    "__init__.py",
    "__main__.py",
    "clouds.py",
    "errors.py",
    "settings.py",
    "py.typed",
}

# Left imports right. `sgguard` is the package itself (its version), and a module at its root
# stands for itself.
ARROWS = {
    "__main__": "cli",
    "approvals": (
        "engine errors events model remedy render render.graph render.language schemas settings "
        "sgguard store telemetry web"
    ),
    "callers": ("callers.proofs errors events model policy render.language sgguard telemetry wire"),
    "callers.proofs": "callers errors events policy sgguard telemetry wire",
    "chat": (
        "approvals chat.channels engine errors events model operations outbox policy render "
        "render.language restores settings sgguard store telemetry web wire"
    ),
    "chat.channels": "chat errors events policy render.language wire",
    "cli": (
        "approvals callers chat clouds demo emulator engine errors events model operations "
        "operations.doctor outbox packaging policy providers render render.graph "
        "render.language render.text schemas settings sgguard store telemetry web webhooks wire"
    ),
    "demo": (
        "callers emulator engine errors events model operations render render.graph render.text web"
    ),
    "emulator": "emulator.faces wire",
    "emulator.faces": "emulator",
    "emulator.faces._openstack": "emulator emulator.faces emulator.faces._openstack.neutron",
    "emulator.faces._openstack.neutron": "emulator emulator.faces emulator.faces._openstack",
    "emulator.faces.alibaba": "emulator emulator.faces wire",
    "emulator.faces.huawei": (
        "emulator emulator.faces emulator.faces._openstack emulator.faces._openstack.neutron wire"
    ),
    "emulator.faces.openstack": (
        "emulator emulator.faces emulator.faces._openstack emulator.faces._openstack.neutron"
    ),
    "emulator.faces.tencent": "emulator emulator.faces wire",
    "emulator.faces.tencent_dfw": "emulator emulator.faces wire",
    "engine": (
        "clouds engine.accounts engine.bulk errors facts guards guards.bind guards.delete "
        "guards.launch model outbox policy providers remedy render render.language settings "
        "sgguard store telemetry wire"
    ),
    "engine.accounts": "clouds errors model providers settings sgguard telemetry",
    "engine.bulk": "errors model providers render render.language sgguard store wire",
    "errors": "telemetry",
    "events": "errors events.sources model render.language schemas telemetry",
    "events.sources": "errors events model render.language schemas",
    "facts": "errors model providers wire",
    "functions": "approvals chat engine events restores web",
    "guards": "model",
    "guards.bind": "guards model policy render.language",
    "guards.delete": "guards model policy render.language",
    "guards.launch": "guards model policy render render.language",
    "model": "errors sgguard",
    "operations": (
        "approvals clouds engine engine.bulk errors facts guards.delete guards.launch model "
        "policy providers remedy render render.language schemas settings sgguard store "
        "telemetry"
    ),
    "operations.doctor": (
        "callers clouds engine engine.accounts errors model operations outbox policy providers "
        "render render.language "
        "settings store webhooks wire"
    ),
    "outbox": "errors model policy store telemetry",
    "packaging": "callers errors policy sgguard web",
    "policy": "clouds errors model render.language schemas sgguard",
    "providers": "clouds errors model sgguard telemetry wire",
    "providers.alibaba": "errors model providers sgguard wire",
    "providers.huawei": "errors model providers sgguard wire wire.openstack wire.openstack.neutron",
    "providers.openstack": (
        "errors model providers sgguard wire wire.openstack wire.openstack.neutron"
    ),
    "providers.tencent": "errors model providers sgguard wire",
    "providers.tencent_dfw": "errors model providers sgguard wire",
    "remedy": "errors model policy providers render render.language sgguard store wire",
    "render": "model render.language store",
    "render.graph": "model render render.language",
    "render.language": "errors model render render.language.catalogue",
    "render.language.catalogue": (
        "render.language render.language.pages render.language.sentences.en "
        "render.language.sentences.zh"
    ),
    "render.language.sentences.en": "render.language",
    "render.language.sentences.zh": "render.language",
    "render.text": "model render render.language",
    "restores": (
        "approvals engine errors events model operations render render.language store web"
    ),
    "runtimes": "clouds engine errors settings sgguard telemetry web wire",
    "runtimes.platforms": "runtimes",
    "schemas": "errors model sgguard",
    "settings": "errors model sgguard telemetry",
    "store": "errors sgguard telemetry",
    "telemetry": "clouds sgguard",
    "web": (
        "callers clouds engine errors events events.sources model outbox policy render "
        "render.language schemas settings sgguard store telemetry web.openapi webhooks wire"
    ),
    "web.openapi": (
        "callers engine errors events events.sources model render.language schemas sgguard web"
    ),
    "webhooks": (
        "callers engine errors model outbox policy render render.language sgguard store telemetry "
        "wire"
    ),
    "wire": "errors sgguard telemetry",
    "wire.openstack": "errors sgguard telemetry wire wire.openstack.neutron",
    "wire.openstack.neutron": "errors model wire",
}

# An event's way, left to right: none of these imports one to its left.
WAY = [
    "functions",
    "web",
    "callers",
    "events",
    "engine",
    "facts",
    "guards",
    "remedy",
    "providers",
    "wire",
]

# Folders of alternatives: one does not know the other. Shared ground has another name.
AXES = {
    "providers": "connect",
    "chat.channels": "CHANNEL",
    "emulator.faces": "FACE",
    "callers.proofs": "verify",
    "events.sources": "claims",
    "guards": "judge",
    "runtimes.platforms": "given",
}

# Decided by facts and policy alone: no cloud, no store, no clock, no environment.
PURE = ("guards", "model", "policy", "render")
IMPURE = {"time", "random", "secrets", "socket", "subprocess", "threading", "httpx", "os"}

LINES_MAX, FUNCTION_LINES_MAX = 300, 50


@dataclass(frozen=True)
class Module:
    """One shipped file; parsed once, whatever is asked about it."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        tree = self.nodes[0]
        assert isinstance(tree, ast.Module)
        return tree

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        return parsed.nodes(self.path)

    @property
    def folder(self) -> str:
        """The folder below the package; a module at the root is its own."""
        if self.name.startswith("functions."):
            return "functions"
        parts = self.path.relative_to(PACKAGE).parts[:-1]
        return ".".join(parts) or self.name or "sgguard"

    @cached_property
    def imported(self) -> frozenset[str]:
        """Every name that is imported anywhere in the file, functions' bodies included."""
        found = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: relative import"
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return frozenset(found)

    def knows(self) -> set[str]:
        """The modules of this package that the file imports."""
        found = set()
        for name in self.imported:
            if name.split(".")[0] == "sgguard":
                below = name.removeprefix("sgguard").removeprefix(".")
                found.add(below if below in MODULES else below.rpartition(".")[0])
        return found - {self.name}

    def top_level_names(self) -> set[str]:
        found = set()
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Assign):
                found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
        return found


def modules() -> dict[str, Module]:
    """Every shipped module by its name below the package, functions as ``functions.<name>``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = Module(name, path)
    for path in sorted((ROOT / "functions").glob("*/main.py")):
        name = f"functions.{path.parent.name}"
        found[name] = Module(name, path)
    return found


MODULES = modules()


def arrows() -> dict[str, set[str]]:
    """Which folder imports which."""
    found: dict[str, set[str]] = {}
    for module in MODULES.values():
        known = {MODULES[name].folder for name in module.knows()} - {module.folder}
        if known:
            found.setdefault(module.folder, set()).update(known)
    return found


def written() -> dict[str, set[str]]:
    return {folder: set(known.split()) for folder, known in ARROWS.items()}


def test_the_map_of_imports_is_exactly_what_is_written_down():
    assert arrows() == written()


def test_only_the_ground_lies_at_the_root_of_the_package():
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert files == AT_THE_ROOT


def test_no_rooms_import_each_other_in_a_circle():
    graph: dict[str, set[str]] = {}
    for folder, known in arrows().items():
        room = folder.split(".")[0]
        graph.setdefault(room, set()).update({one.split(".")[0] for one in known} - {room})
    assert not circle(graph)


def test_no_modules_import_each_other_in_a_circle():
    assert not circle({name: module.knows() for name, module in MODULES.items()})


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of the graph, or nothing: a depth-first walk that meets its own path."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        for known in sorted(graph.get(name, ())):
            if known in path:
                return [*path[path.index(known) :], known]
            if known not in done and (found := walk(known, [*path, known])):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, [name]))), [])


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_an_events_way_never_goes_back():
    for folder, known in written().items():
        room = folder.split(".")[0]
        if room in WAY:
            left = set(WAY[: WAY.index(room)])
            assert not left & {one.split(".")[0] for one in known}, folder


@pytest.mark.parametrize("axis", AXES)
def test_alternatives_do_not_know_each_other(axis):
    members = {
        name
        for name, module in MODULES.items()
        if name.startswith(f"{axis}.")
        and name.count(".") == axis.count(".") + 1
        and not name.rpartition(".")[2].startswith("_")
        and AXES[axis] in module.top_level_names()
    }
    assert len(members) > 1
    for module in MODULES.values():
        own = member(module.name, members)
        if own:
            others = {member(known, members) for known in module.knows()} - {own, None}
            assert not others, f"{module.name} knows {others}"


def member(name: str, members: set[str]) -> str | None:
    return next((one for one in members if name == one or name.startswith(f"{one}.")), None)


def test_every_module_is_explained_short_and_pure_where_it_must_be():
    checks = (unexplained, too_long, unlisted, impure, imported_late)
    assert not [
        f"{name or 'sgguard'}: {problem}"
        for name, module in MODULES.items()
        for check in checks
        for problem in check(module)
    ]


def unexplained(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield "no docstring of the module"
    classes = [n for n in module.tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_"]
    for owner in (module.tree, *classes):
        for node in owner.body:
            is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
            if is_public and not ast.get_docstring(node):
                yield f"no docstring: {node.name} (line {node.lineno})"


def too_long(module: Module) -> Iterator[str]:
    if (lines := len(module.text.splitlines())) > LINES_MAX:
        yield f"{lines} lines"
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and length(node) > FUNCTION_LINES_MAX:
            yield f"{node.name}: {length(node)} lines"


def length(function: ast.FunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def unlisted(module: Module) -> Iterator[str]:
    """What ``__all__`` lists exists, each once."""
    if "__all__" not in module.top_level_names():
        return
    imported = importlib.import_module(f"sgguard.{module.name}".rstrip("."))
    if len(set(imported.__all__)) < len(imported.__all__):
        yield "__all__ lists a name twice"
    yield from (f"__all__: no {n}" for n in imported.__all__ if not hasattr(imported, n))


def impure(module: Module) -> Iterator[str]:
    if module.name.split(".")[0] in PURE:
        found = {name.split(".")[0] for name in module.imported} & IMPURE
        yield from (f"imports {name}" for name in sorted(found))


def imported_late(module: Module) -> Iterator[str]:
    """Late imports stand at the top, as ``lazy``: inside a function no reader looks for one."""
    functions = [node for node in module.nodes if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{function.name} imports (line {node.lineno}): declare it with sgguard.lazy"


FUNCTIONS = [name for name in MODULES if name.startswith("functions.")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_only_hands_its_request_to_the_endpoint(name):
    module = MODULES[name]
    statements = [n for n in module.tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    [handler] = [n for n in statements if getattr(n, "name", "") == name.split(".")[1]]
    [last] = [n for n in handler.body if not isinstance(n, ast.Expr)]
    assert ast.unparse(last).startswith("return endpoint.serve(http, ")
    assert len(module.text.splitlines()) <= 24


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_ignores_garbage_before_it_imports_anything(name):
    _docstring, _future, first, call = MODULES[name].tree.body[:4]
    assert ast.unparse(first) == "from sgguard.web import garbage"
    assert ast.unparse(call) == "garbage.ignore()"


if __name__ == "__main__":
    for left, right in sorted(arrows().items()):
        print(f"{left}: {' '.join(sorted(right))}")
