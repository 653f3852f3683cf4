"""Corrupt one value of a real response, of a kind that a careful reader can notice.

Dropped keys, nulls, values of another type, and lists shorter than the count beside them. Not
covered, because the answer would be a good one that the cloud could have given, is what
``SILENT`` lists: there the change itself is documented to mean something else.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.false_verdicts.random_source import RandomSource

_NO_PEER = "a rule without a peer group is a good rule, and older clouds ignore filters"
_DOCUMENTED = "a limit that is left out is the documented one, and its source says so"
SILENT: Mapping[str, Mapping[str, str]] = {
    "tencent": {
        "* SecurityGroupLimitSet.* dropped": _DOCUMENTED,
        "* SecurityGroupLimitSet.* nulled": _DOCUMENTED,
    },
    "tencent-dfw": {
        "* beAssociateCount dropped": "older servers do not count",
        "* beAssociateCount nulled": "older servers do not count",
    },
    "alibaba": {
        "* ServiceManaged dropped": "regions and older servers leave it out",
    },
    "huawei": {
        "* remote_group_id nulled": _NO_PEER,
        "*.next_marker dropped": "its absence is what says that a list ends",
        "*/quotas quota.* dropped": _DOCUMENTED,
        "*/quotas quota.* nulled": _DOCUMENTED,
    },
    "openstack": {
        "* remote_group_id nulled": _NO_PEER,
        "* shared dropped": "clouds before groups could be shared do not have it",
        "*_links dropped": "its absence is what says that a list ends",
        "*_links made an empty list": "so does a list without a next link",
    },
}
"""By provider, fnmatch of ``action path change``, and why no reader can notice."""

_COUNTS: Mapping[str, str] = {
    "TotalCount": "*",
    "totalCount": "*",
    "totalNum": "detail",
    "current_count": "*",
}

Path = tuple[str | int, ...]


def corrupted(rng: RandomSource, provider: str, action: str, body: Any) -> tuple[str, Any]:
    """A description of the change, and the changed response; the same where nothing can change."""
    candidates: dict[str, list[tuple[str, Path]]] = {}
    for change, path in (*_changes(body), *_dropped_rows(body)):
        where = ".".join("*" if isinstance(part, int) else part for part in path)
        candidates.setdefault(f"{action} {where} {change}", []).append((change, path))
    told = [
        expected
        for expected in candidates
        if not any(fnmatchcase(expected, pattern) for pattern in SILENT[provider])
    ]
    if not told:
        return "nothing", body
    # Each sort of change is as likely as any other, however many rows it could strike.
    expected = rng.choice(told)
    change, path = rng.choice(candidates[expected])
    return expected, _apply(rng, copy.deepcopy(body), path, change)


def _changes(body: Any, path: Path = ()) -> Iterator[tuple[str, Path]]:
    items: Any = ()
    if isinstance(body, dict):
        items = body.items()
        yield from (("dropped", (*path, key)) for key in body)
    elif isinstance(body, list):
        items = enumerate(body)
    for key, value in items:
        if value is not None:
            yield "nulled", (*path, key)
        yield from ((f"made {name}", (*path, key)) for name in _wrong_types(value))
        yield from _changes(value, (*path, key))


def _dropped_rows(body: Any, path: Path = ()) -> Iterator[tuple[str, Path]]:
    """Rows of a list that has a count, which stays as it is."""
    if isinstance(body, list):
        for number, value in enumerate(body):
            yield from _dropped_rows(value, (*path, number))
    if not isinstance(body, dict):
        return
    nested = body.get("page_info")
    counts = {**body, **nested} if isinstance(nested, dict) else body
    for key, value in body.items():
        if isinstance(value, list) and value and any(counts.get(c) for c in _COUNTS):
            yield "row lost", (*path, key, 0)
        yield from _dropped_rows(value, (*path, key))


def _apply(rng: RandomSource, body: Any, path: Path, change: str) -> Any:
    node = body
    for part in path[:-1]:
        node = node[part]
    last = path[-1]
    if change in ("dropped", "row lost"):
        if isinstance(node, list):
            node.pop(rng.randrange(len(node)))
        else:
            del node[last]
    elif change == "nulled":
        node[last] = None
    else:
        node[last] = _STRANGERS[change.removeprefix("made ")](node[last])
    return body


_STRANGERS: Mapping[str, Callable[[Any], Any]] = {
    "an empty list": lambda _: [],
    "an empty object": lambda _: {},
    "a text": lambda _: "many",
    "a number": lambda _: 7,
    "a list": lambda value: [value],
    "an object": lambda value: {"0": value},
}


def _wrong_types(value: Any) -> Iterator[str]:
    """Values of a JSON type that no document allows there."""
    if isinstance(value, dict):
        yield from ("an empty list", "a text", "a number", "a list")
    elif isinstance(value, list):
        yield from ("an empty object", "a text", "a number", "an object")
    elif isinstance(value, str):
        yield from ("an empty list", "an empty object", "a list", "an object")
    else:
        yield from ("an empty list", "an empty object", "a text", "a list")
