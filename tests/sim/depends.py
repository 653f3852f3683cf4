"""What the answer to a read depends on: found by watching what it looks at in the cloud.

A watched cloud tells which of its groups, interfaces and instances are looked up or gone through,
and whose rules and groups are read. Each such look has a name, and a number that stands for what it
found, the same number in every story: where all looks of an answer find the same, it is the same.

=============  ==================================================================================
``groups``     all groups, without rules; so ``interfaces`` (without groups) and ``instances``
``?g1``        the group, interface or instance of that id, or that there is none
``g1``         the rules of that group, or the groups of that interface
``>g1``        the rules that name that group
``@g1``        the interfaces that have that group
``~``          what every answer may depend on: ceilings, quirks, and operations on instances
=============  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from itertools import count
from operator import attrgetter
from typing import Any, TypeVar

from sgguard.emulator.resource import Group, Instance, Interface, Rule
from sgguard.emulator.state import Cloud

T = TypeVar("T")

_NUMBERS_MAX = 200_000
EVERYWHERE = "~"
"""The look that is a part of every answer."""
_OPERATIONS = "tencent-binding-tasks"
_numbers: dict[Any, int] = {}
_next = count()
_seen: set[str] = set()
"""The names of the looks since the last read was begun."""


def _names(kind: Any, *without: str) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.name not in without)


def _of(one: Any) -> Any:
    """What something is, without what has a look of its own."""
    if isinstance(one, Group):
        return _group(one), repr(one.tags), tuple(one.shared_with)
    return _interface(one) if isinstance(one, Interface) else _instance(one)


_rule = attrgetter(*_names(Rule))
_group = attrgetter(*_names(Group, "rules", "version", "tags", "shared_with"))
_interface = attrgetter(*_names(Interface, "groups", "version"))
_instance = attrgetter(*_names(Instance, "tags"))
_all = {kind: attrgetter(*_names(kind)) for kind in (Cloud, Group, Interface)}


def _watched(kind: Any, name: str, told: Callable[[Any], str]) -> property:
    """An attribute of which each look is noted."""
    member = getattr(kind, name)

    def get(self: Any) -> Any:
        _seen.add(told(self))
        return member.__get__(self)

    return property(get, member.__set__)


_id = attrgetter("id")


class _Group(Group):
    __slots__ = ()
    rules = _watched(Group, "rules", _id)  # type: ignore[assignment]
    version = _watched(Group, "version", _id)  # type: ignore[assignment]


class _Interface(Interface):
    __slots__ = ()
    groups = _watched(Interface, "groups", _id)  # type: ignore[assignment]
    version = _watched(Interface, "version", _id)  # type: ignore[assignment]


class _Cloud(Cloud):
    """A cloud whose looks are noted; the narrow ones are noted as such."""

    __slots__ = ()
    groups = _watched(Cloud, "groups", lambda _: "groups")  # type: ignore[assignment]
    interfaces = _watched(Cloud, "interfaces", lambda _: "interfaces")  # type: ignore[assignment]
    instances = _watched(Cloud, "instances", lambda _: "instances")  # type: ignore[assignment]

    def kept(self, key: Hashable, find: Callable[[], T]) -> T:
        del key  # what was found is not kept: each answer has looks of its own
        return find()

    def group(self, group_id: str) -> Group | None:
        return _one(Cloud.groups, self, group_id)

    def instance(self, instance_id: str) -> Instance | None:
        return _one(Cloud.instances, self, instance_id)

    def interface(self, interface_id: str) -> Interface | None:
        return _one(Cloud.interfaces, self, interface_id)

    def naming(self, group_id: str) -> list[tuple[Group, Rule]]:
        _seen.add(f">{group_id}")
        return _naming(self, group_id)

    def interfaces_with(self, group_id: str) -> list[Interface]:
        _seen.add(f"@{group_id}")
        return _with(self, group_id)

    def interfaces_of(self, instance_id: str) -> list[Interface]:
        found = [one for one in self.interfaces if one.instance == instance_id]
        return sorted(found, key=lambda one: one.kind != "primary")


def _one(member: Any, cloud: Cloud, wanted: str) -> Any:
    _seen.add(f"?{wanted}")
    return next((one for one in member.__get__(cloud) if one.id == wanted), None)


def _naming(cloud: Cloud, group_id: str) -> list[tuple[Group, Rule]]:
    return [
        (group, rule)
        for group in Cloud.groups.__get__(cloud)  # type: ignore[attr-defined]
        for rule in Group.rules.__get__(group)  # type: ignore[attr-defined]
        if rule.peer_group == group_id
    ]


def _with(cloud: Cloud, group_id: str) -> list[Interface]:
    found = Cloud.interfaces.__get__(cloud)  # type: ignore[attr-defined]
    return [one for one in found if group_id in Interface.groups.__get__(one)]  # type: ignore[attr-defined]


def watched(cloud: Cloud) -> Cloud:
    """The same cloud, watched."""
    return _Cloud(*_all[Cloud](cloud))


@contextmanager
def watching() -> Iterator[set[str]]:
    """Give the names of all looks meanwhile."""
    _seen.clear()
    yield _seen


class Content:
    """What looks at a cloud find as long as it is not changed, as numbers.

    ``answers`` are those of this content that were found already, by what was asked and what an
    operation that goes on shows by then.
    """

    def __init__(self, cloud: Cloud, now: Callable[[], float] = lambda: 0.0) -> None:
        """What is new in the cloud is watched from now on."""
        self._cloud = cloud
        self._now = now
        self._always = _number((tuple(sorted(cloud.limits.items())), repr(cloud.quirks)))
        _watch(cloud.groups, Group, _Group)
        _watch(cloud.interfaces, Interface, _Interface)
        self._known: dict[str, int] = {}
        self.answers: dict[Any, Any] = {}
        self._ids = {one.id: one for one in (*cloud.groups, *cloud.interfaces, *cloud.instances)}

    def number(self, name: str) -> int:
        """What stands for what a look of that name finds."""
        if name == EVERYWHERE:
            return self.everywhere()
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = _number((name, self._found(name)))
        return found

    def everywhere(self) -> int:
        """What stands for ceilings, quirks and operations; these end by themselves."""
        operations = self._cloud.tokens.get(_OPERATIONS)
        if not operations:
            return self._always
        now_s = self._now()
        told = [(one, task.request_id, now_s < task.until_s) for one, task in operations.items()]
        return _number((self._always, *told))

    def _found(self, name: str) -> Any:
        cloud, wanted = self._cloud, name[1:]
        if name in ("groups", "interfaces", "instances"):
            return tuple(map(_of, getattr(cloud, name)))
        if name[0] == "?":
            return _of(self._ids[wanted]) if wanted in self._ids else None
        if name[0] == ">":
            return tuple((_of(group), _rule(rule)) for group, rule in _naming(cloud, wanted))
        if name[0] == "@":
            return tuple(_of(one) for one in _with(cloud, wanted))
        one = self._ids.get(name)
        if isinstance(one, Group):
            return (one.version, *map(_rule, one.rules))
        return (one.version, *one.groups) if isinstance(one, Interface) else None


def _watch(found: list[Any], plain: Any, kind: Any) -> None:
    for number, one in enumerate(found):
        if type(one) is plain:
            found[number] = kind(*_all[plain](one))


def _number(content: Any) -> int:
    if len(_numbers) > _NUMBERS_MAX:
        _numbers.clear()
    found = _numbers.get(content)
    if found is None:
        found = _numbers[content] = next(_next)
    return found
