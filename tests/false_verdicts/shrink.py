"""Minimise a case: the smallest cloud that still shows the same problem."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from sgguard.emulator.state import Cloud
from tests.false_verdicts.case import Case
from tests.false_verdicts.decide import decide_each, decision_on

Check = Callable[[Case], str]
"""Returns what is wrong with the decision on a case, empty when nothing is."""

_TRIES_MAX = 600
_LISTS = ("groups", "instances", "interfaces", "attachments", "accounts")


def minimised(case: Case, check: Check) -> tuple[Case, str]:
    """The smallest case found that still has a problem of the same kind, and the problem."""
    problem = check(case)
    sort = _sort(problem)
    tries = 0
    is_smaller = True
    while is_smaller and tries < _TRIES_MAX:
        is_smaller = False
        for candidate in _smaller(case):
            tries += 1
            found = _try(candidate, check)
            if found and _sort(found) == sort:
                case, problem, is_smaller = candidate, found, True
                break
            if tries >= _TRIES_MAX:
                break
    return case, problem


def _sort(problem: str) -> str:
    """The problem without ids and numbers: minimising must not change to another one."""
    return " ".join(word for word in problem.split() if word.isalpha())[:60]


def _try(case: Case, check: Check) -> str:
    try:
        return check(case)
    except Exception:  # noqa: BLE001 - a smaller case may be impossible
        return ""


def _smaller(case: Case) -> Iterator[Case]:
    """Every case with one thing less, the large things first."""
    for name in _LISTS:
        for number, thing in reversed(list(enumerate(getattr(case.cloud, name)))):
            if thing.id not in (*case.targets, case.caller.id):
                yield _without(case, lambda c, n=name, i=number: getattr(c, n).pop(i))
    for key in list(case.cloud.quirks):
        yield _without(case, lambda c, k=key: c.quirks.pop(k))
    yield from _with_a_smaller_request(case)
    for kind, name in (("groups", "rules"), ("groups", "shared_with"), ("interfaces", "groups")):
        for number, thing in enumerate(getattr(case.cloud, kind)):
            for at in range(len(getattr(thing, name))):
                yield _without(case, partial(_pop, kind, number, name, at))


def _with_a_smaller_request(case: Case) -> Iterator[Case]:
    if len(case.targets) > 1:
        for one in case.targets:
            yield replace(case, targets=tuple(other for other in case.targets if other != one))
    if case.launch is not None:
        for one in case.launch.group_ids:
            left = tuple(other for other in case.launch.group_ids if other != one)
            yield replace(case, launch=replace(case.launch, group_ids=left))


def _pop(kind: str, number: int, name: str, at: int, cloud: Cloud) -> None:
    getattr(getattr(cloud, kind)[number], name).pop(at)


def _without(case: Case, take: Callable[[Cloud], Any]) -> Case:
    smaller = case.fork()
    take(smaller.cloud)
    return smaller


def report(case: Case, problem: str) -> str:
    """What is needed to reproduce it: the problem, the request and the cloud."""
    cloud = {name: [_summary(thing) for thing in getattr(case.cloud, name)] for name in _LISTS}
    scenario = {"provider": case.provider, "regions": case.cloud.regions, **cloud}
    scenario |= {"quirks": case.cloud.quirks, "limits": case.cloud.limits}
    wire = case.wire()
    (decide_each if case.is_batch else decision_on)(case, wire)
    injected = "\n".join(f"  {line}" for line in getattr(wire, "injected", ()))
    return (
        f"{case.provider} seed {case.seed!r} faults {case.fault_seed!r}: {problem}\n"
        f"targets: {case.launch or ', '.join(case.targets)}; policy: {case.policy}\n"
        f"injected faults:\n{injected or '  none'}\n"
        f"{json.dumps(scenario, indent=1, default=str)}"
    )


def _summary(thing: Any) -> Any:
    """The fields that differ from a scenario's defaults, without secrets."""
    if isinstance(thing, list):
        return [_summary(item) for item in thing]
    if not is_dataclass(thing):
        return thing
    injected = {
        f.name: getattr(thing, f.name)
        for f in fields(thing)
        if f.name not in ("secret", "password", "app_credentials")
        and getattr(thing, f.name) not in (f.default, [], {})
    }
    return {key: _summary(value) for key, value in injected.items()}
