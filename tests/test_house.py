"""Rules that the tests themselves keep."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parsed import uncollected

TESTS = Path(__file__).resolve().parent
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "time"}
CLOCKS |= {f"{name}_ns" for name in CLOCKS}
MENTIONS = (*CLOCKS - {"time", "time_ns"}, "time.time", "cpu_s", "datetime.now")
COSTS = {"cpu_s", "megabyte_s"}
"""Functions of ``tests.effort``: their results are compared with each other."""


def seconds_asserted(source: str) -> list[int]:
    """Return the lines of asserts that compare a measured time with anything but another one.

    A time is measured where a clock is read and subtracted from, or to, another reading; it is
    followed through the names, attributes and functions of the module that it is given to.
    """
    tree = ast.parse(source)
    read, measured = _names(tree)
    return sorted(
        node.lineno
        for check in ast.walk(tree)
        if isinstance(check, ast.Assert)
        for node in ast.walk(check)
        if isinstance(node, ast.Compare)
        and {_is_measured(one, read, measured) for one in (node.left, *node.comparators)}
        == {True, False}
    )


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return what holds the reading of a clock, and what holds a time that was measured."""
    read: set[str] = set()
    measured = set(COSTS)
    # An attribute that is set to a reading is a test's own clock: it moves when the test says so.
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    while True:
        before = len(read), len(measured)
        for names, value in _given(tree):
            if _is_measured(value, read, measured):
                measured |= names
            elif _has_reading(value, read):
                read |= names - attributes
        if before == (len(read), len(measured)):
            return read, measured


def _given(tree: ast.Module) -> Iterator[tuple[set[str], ast.expr]]:
    """Yield the names that a value goes to: variables, keywords, and functions that return it."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield {name for one in targets for name in _named(one)}, value
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield set(_named(target)), value
            case ast.NamedExpr(target=target, value=value):
                yield set(_named(target)), value
            case ast.keyword(arg=str() as name, value=value):
                yield {name}, value
            case ast.FunctionDef(name=name):
                for one in ast.walk(node):
                    if isinstance(one, ast.Return) and one.value is not None:
                        yield {name}, one.value
            case _:
                pass


def _named(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _has_reading(value: ast.AST, read: set[str]) -> bool:
    """Say whether a clock is read in the expression, or a reading is used in it."""
    return any(_is_clock(node) or _name(node) in read for node in ast.walk(value))


def _is_clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        clock = (getattr(node.func.value, "id", ""), node.func.attr)
        return (clock[0] == "time" and clock[1] in CLOCKS) or clock == ("datetime", "now")
    return getattr(node.func, "id", "") in CLOCKS - {"time", "time_ns"}


def _name(node: ast.AST) -> str:
    return getattr(node, "id", "") or getattr(node, "attr", "")


def _is_measured(value: ast.AST, read: set[str], measured: set[str]) -> bool:
    """Say whether the expression is a time between two readings, or made of one."""
    return any(
        _is_difference(node, read) or _name(node) in measured or _called(node) in measured
        for node in ast.walk(value)
    )


def _is_difference(node: ast.AST, read: set[str]) -> bool:
    """Say whether a reading is subtracted, or anything but a constant from a reading."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    is_constant = isinstance(node.right, ast.Constant) or _name(node.right).isupper()
    return _has_reading(node.right, read) or (_has_reading(node.left, read) and not is_constant)


@pytest.mark.parametrize(
    "source",
    [
        "begun = time.monotonic()\nassert time.monotonic() - begun < 2",
        "begun = perf_counter()\nact()\ntook_s = perf_counter() - begun\nassert 1 < took_s < 2",
        "def cost():\n    b = process_time()\n    return process_time() - b\nassert cost() < 0.5",
        "b = time.time()\nasked = Asked(answer, took_s=time.time() - b)\nassert asked.took_s < 9",
        "assert abs(store.now_s() - time.time()) < 5",
        "from tests.effort import cpu_s\nassert cpu_s(act) < 1",
        "assert (datetime.now(UTC) - row.at).total_seconds() < 60\nat = datetime.now(UTC)",
    ],
    ids=["difference", "variable", "function", "attribute", "distance", "cost", "date"],
)
def test_an_assert_that_compares_seconds_is_found(source):
    assert len(seconds_asserted(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from tests.effort import cpu_s\nassert cpu_s(one) < 40 * cpu_s(other)",
        "before = time.time()\nassert before - ROUNDED_S <= store.now_s() <= time.time()",
        "give_up = time.monotonic() + 60\nif time.monotonic() > give_up:\n    raise TimeoutError",
        "assert len(calls) - before < 5",
        "clock.now_s = time.time()\nassert row.count < 3",
    ],
    ids=["ratio", "order", "watchdog", "count", "clock"],
)
def test_an_assert_that_measures_no_time_is_left_alone(source):
    assert seconds_asserted(source) == []


def test_no_test_asserts_seconds():
    with uncollected():
        found = [
            f"{path.relative_to(TESTS)}:{line}"
            for path in sorted(TESTS.rglob("*.py"))
            if path != Path(__file__).resolve()
            if any(name in (source := path.read_text(encoding="utf-8")) for name in MENTIONS)
            for line in seconds_asserted(source)
        ]
    assert found == []


# Only sources with a set near a parametrize are parsed: it costs far more than the search.
_MAY_BE_SET = re.compile(
    r"parametrize\([^\n]*(set\(|\{)|parametrize\(\s*[^,]*,\s*(\w+\()?(set\(|\{)"
)


def unordered_cases(source: str) -> list[int]:
    """Return the lines of ``parametrize`` whose cases come in another order in every process."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and _called(call) == "parametrize"
        for value in call.args[1:2]
        if _is_set(value)
    ]


def _is_set(value: ast.expr) -> bool:
    match value:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name("set" | "frozenset")):
            return True
        case ast.BinOp(left=left, op=ast.Sub() | ast.BitOr() | ast.BitAnd(), right=right):
            return _is_set(left) or _is_set(right)
        case ast.Call(func=ast.Name("list" | "tuple"), args=[inner]):
            return _is_set(inner)
        case _:
            return False


@pytest.mark.parametrize("cases", ["set(A) - {'a'}", "{'a', 'b'}", "list({x for x in A})"])
def test_cases_without_an_order_are_found(cases):
    assert unordered_cases(f"@pytest.mark.parametrize('a', {cases})\ndef test_it(a): ...") == [1]


@pytest.mark.parametrize("cases", ["sorted(set(A) - {'a'})", "['a', 'b']", "list(A)", "A"])
def test_cases_with_an_order_are_left_alone(cases):
    assert not unordered_cases(f"@pytest.mark.parametrize('a', {cases})\ndef test_it(a): ...")


def test_the_cases_of_every_test_come_in_the_same_order_in_every_process():
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        if _MAY_BE_SET.search(source := path.read_text(encoding="utf-8"))
        for line in unordered_cases(source)
    ]
    assert found == []
