"""From a cloud in which something goes wrong to the smallest one in which the same still does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from sgguard.emulator.state import Cloud
from tests.false_verdicts.decide import ask, ask_for_each
from tests.false_verdicts.case import Case

Check = Callable[[Case], str]
"""Returns what is wrong with the answer about a case, empty when nothing is."""

_TRIES_MAX = 600
_LISTS = ("groups", "instances", "interfaces", "attachments", "accounts")


def shrunk(case: Case, check: Check) -> tuple[Case, str]:
    """The smallest case found that still has a problem of the same sort, and the problem."""
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
    """What a problem is without ids and numbers: shrinking must not slip into another one."""
    return " ".join(word for word in problem.split() if word.isalpha())[:60]


def _try(case: Case, check: Check) -> str:
    try:
        return check(case)
    except Exception:  # noqa: BLE001 - a case may become impossible by what was taken away
        return ""


def _smaller(case: Case) -> Iterator[Case]:
    """Every case with one thing less, the large things first."""
    for name in _LISTS:
        for number, thing in reversed(list(enumerate(getattr(case.cloud, name)))):
            if thing.id not in (*case.asked, case.asker.id):
                yield _without(case, lambda c, n=name, i=number: getattr(c, n).pop(i))
    for key in list(case.cloud.quirks):
        yield _without(case, lambda c, k=key: c.quirks.pop(k))
    yield from _with_a_smaller_question(case)
    for kind, name in (("groups", "rules"), ("groups", "shared_with"), ("interfaces", "groups")):
        for number, thing in enumerate(getattr(case.cloud, kind)):
            for at in range(len(getattr(thing, name))):
                yield _without(case, partial(_pop, kind, number, name, at))


def _with_a_smaller_question(case: Case) -> Iterator[Case]:
    if len(case.asked) > 1:
        for one in case.asked:
            yield replace(case, asked=tuple(other for other in case.asked if other != one))
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
    """Everything a person needs to see it again: the problem, the question and the cloud."""
    cloud = {name: [_told(thing) for thing in getattr(case.cloud, name)] for name in _LISTS}
    scenario = {"provider": case.provider, "regions": case.cloud.regions, **cloud}
    scenario |= {"quirks": case.cloud.quirks, "limits": case.cloud.limits}
    wire = case.wire()
    (ask_for_each if case.is_batch else ask)(case, wire)
    told = "\n".join(f"  {line}" for line in getattr(wire, "told", ()))
    return (
        f"{case.provider} seed {case.seed!r} trouble {case.trouble!r}: {problem}\n"
        f"asked: {case.launch or ', '.join(case.asked)}; policy: {case.policy}\n"
        f"went wrong on the wire:\n{told or '  nothing'}\n"
        f"{json.dumps(scenario, indent=1, default=str)}"
    )


def _told(thing: Any) -> Any:
    """What differs from what a scenario may leave out, without secrets."""
    if isinstance(thing, list):
        return [_told(item) for item in thing]
    if not is_dataclass(thing):
        return thing
    told = {
        f.name: getattr(thing, f.name)
        for f in fields(thing)
        if f.name not in ("secret", "password", "app_credentials")
        and getattr(thing, f.name) not in (f.default, [], {})
    }
    return {key: _told(value) for key, value in told.items()}
