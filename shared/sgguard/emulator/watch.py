"""Whether anything of a state was changed: each change to a resource leaves a new mark.

Resources are plain records that anybody may change at any time: a face, a test, another thread. So
records note that an attribute is set, and their lists and tables that something is put into them or
taken out. What lies deeper, a list in a table of ``quirks``, is not watched.

One mark is for all states of a process: a change of one makes what was found in another one be
looked for again, which is never wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


class _Latest:
    mark = object()


def latest() -> object:
    """Return the mark of the latest change: as long as it is the same one, nothing was changed."""
    return _Latest.mark


def _noting(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Any, *args: Any, **given: Any) -> Any:
        try:
            return method(self, *args, **given)
        finally:
            _Latest.mark = object()

    return call


class WatchedList(list[Any]):
    """A list that notes changes of itself."""

    __slots__ = ()
    append = _noting(list.append)
    clear = _noting(list.clear)
    extend = _noting(list.extend)
    insert = _noting(list.insert)
    pop = _noting(list.pop)
    remove = _noting(list.remove)
    reverse = _noting(list.reverse)
    sort = _noting(list.sort)
    __delitem__ = _noting(list.__delitem__)
    __iadd__ = _noting(list.__iadd__)
    __imul__ = _noting(list.__imul__)
    __setitem__ = _noting(list.__setitem__)


class WatchedTable(dict[str, Any]):
    """A table that notes changes of itself."""

    __slots__ = ()
    clear = _noting(dict.clear)
    pop = _noting(dict.pop)
    popitem = _noting(dict.popitem)
    setdefault = _noting(dict.setdefault)
    update = _noting(dict.update)
    __delitem__ = _noting(dict.__delitem__)
    __ior__ = _noting(dict.__ior__)
    __setitem__ = _noting(dict.__setitem__)


_WATCHED: dict[type, type] = {list: WatchedList, dict: WatchedTable}


class Watched:
    """A record whose attributes are watched, and the lists and tables in them."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        # What is being made is in no state yet; it is noted where it is put into one.
        is_change = hasattr(self, name)
        kind = _WATCHED.get(type(value))
        object.__setattr__(self, name, value if kind is None else kind(value))
        if is_change:
            _Latest.mark = object()
