"""The callers of a policy: built from its table ``[[caller]]``, and what contradicts itself there.

The schema says which keys there are; here stands what no schema can say. What a secret is and
whether it can be read is not looked at: that is known only where a function runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from sgguard.clouds import names
from sgguard.errors import Problem
from sgguard.model import person
from sgguard.model.caller import Budget, Caller
from sgguard.model.codes import Mode
from sgguard.policy import proof as proofs

_PARTS_OF_ADDRESS = 4


def build(entry: Mapping[str, Any]) -> Caller:
    """Turn one table that keeps the schema into a caller."""
    ((kind, proof),) = entry["proof"].items()
    expires = entry.get("expires")
    return Caller(
        name=entry["name"],
        kind=kind,
        proof=MappingProxyType(proofs.as_table(kind, proof)),
        functions=tuple(entry.get("functions", ())),
        targets=tuple(entry.get("targets", ())),
        sources=tuple(entry.get("sources", ())),
        types=tuple(entry.get("types", ())),
        mode=Mode(entry.get("mode", Mode.OBSERVE)),
        budget=Budget(**entry.get("budget", {})),
        speaks_for=tuple(entry.get("speaks_for", ())),
        expires=None if expires is None else date.fromisoformat(expires),
        sender=entry.get("sender", proofs.usual_sender(kind, proof)),
        note=entry.get("note", ""),
    )


def is_expired(caller: Caller, today: date) -> bool:
    """Return whether the caller's last day is over."""
    return caller.expires is not None and today > caller.expires


def mistakes(callers: Sequence[Caller], today: date) -> Iterator[Problem]:
    """Yield what is wrong with callers, each by itself and together."""
    for number, one in enumerate(callers):
        where = f"/caller/{number}"
        yield from _own(where, one, today)
        yield from proofs.mistakes(f"{where}/proof/{one.kind}", one.kind, one.proof)
        yield from _beside(where, one, callers[:number])


def _own(where: str, one: Caller, today: date) -> Iterator[Problem]:
    if is_expired(one, today):
        message = f"was {one.expires}: the caller {one.name} is not served any more"
        right = f"a day from {today.isoformat()} on, or no such caller"
        yield Problem(f"{where}/expires", message, right)
    for number, pattern in enumerate(one.targets):
        at, parts = f"{where}/targets/{number}", pattern.split(":")
        if len(parts) != _PARTS_OF_ADDRESS:
            right = "a pattern such as tencent::ap-*:* (* does not cross a colon)"
            yield Problem(at, f"is {pattern}, which is no pattern of addresses", right)
        elif not any(fnmatchcase(cloud, parts[0]) for cloud in names()):
            right = f"one of {', '.join(names())}, or a pattern of them"
            yield Problem(at, f"is {pattern}, of a cloud that does not exist", right)
    for number, name in enumerate(one.speaks_for):
        if problem := person.problem_of(name.replace("*", "x").replace("?", "x")):
            yield Problem(f"{where}/speaks_for/{number}", problem, "a name or a pattern of names")


def _beside(where: str, one: Caller, earlier: Sequence[Caller]) -> Iterator[Problem]:
    """Compare a caller with those before it: no request may prove to be of two of them."""
    if any(one.name == other.name for other in earlier):
        yield Problem(f"{where}/name", f"is {one.name}, as another caller's", "each name once")
    mine = set(proofs.hashes(one.kind, one.proof))
    for other in earlier:
        if mine & set(proofs.hashes(other.kind, other.proof)):
            message = f"has a secret that {other.name} has, too"
            yield Problem(f"{where}/proof/{one.kind}", message, "a secret for each caller")
        shared = sorted(set(one.functions) & set(other.functions))
        if shared and "platform" in (one.kind, other.kind):
            # Whoever could not prove to be the one would be the other.
            message = f"shares {', '.join(shared)} with {other.name}, and one of them is proven "
            message += "by the platform, which holds for every request"
            yield Problem(f"{where}/functions", message, "functions of its own for each of them")
