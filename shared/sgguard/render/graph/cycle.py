"""Groups that name each other in a circle: none can be deleted before a rule is revoked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

Neighbours = Mapping[str, tuple[str, ...]]


def cycles(edges: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return circles of ``(who names, who is named)``, each from its first group back to it.

    Every group that is in a circle is in one of them; each is a shortest one through its first
    group. A group that names itself is no circle: that does not block its delete.
    """
    onward = _core({one for one in edges if one[0] != one[1]})
    found: list[tuple[str, ...]] = []
    covered: set[str] = set()
    for start in onward:
        if start not in covered and (circle := _shortest(start, onward)):
            found.append((*circle, start))
            covered.update(circle)
    return tuple(found)


def _core(edges: set[tuple[str, str]]) -> Neighbours:
    """Return who names whom, without the groups that no other names or that name no other."""
    while edges:
        sources = {source for source, _ in edges}
        targets = {target for _, target in edges}
        kept = {one for one in edges if one[0] in targets and one[1] in sources}
        if len(kept) == len(edges):
            break
        edges = kept
    onward: dict[str, list[str]] = {}
    for source, target in sorted(edges):
        onward.setdefault(source, []).append(target)
    return {source: tuple(targets) for source, targets in onward.items()}


def _shortest(start: str, onward: Neighbours) -> tuple[str, ...]:
    """Return the groups of a shortest path from the start back to it, or nothing."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there in onward.get(here, ()):
            if there == start:
                return _way(start, here, came_from)
            if there not in came_from:
                came_from[there] = here
                waiting.append(there)
    return ()


def _way(start: str, last: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    way = [last]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
