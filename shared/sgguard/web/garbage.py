"""Garbage while a function starts: none is looked for, since what a start makes, it keeps.

A start makes some hundred thousand objects, and the collector looks through them again and again:
a tenth of what importing a function costs. What there is at its end is never looked at either, also
not by the workers that its server forks: a worker that looks at an object has to copy its page, and
one that ends would look at all of them once more.
"""

from __future__ import annotations

import gc

_ignored: list[bool] = []
"""Whether this process has begun to ignore garbage, for each time that it did."""


def ignore() -> None:
    """Look for no garbage from now on, until :func:`heed`; the first thing that a function does.

    Where somebody else does so already, as an artifact's entry file, it stays theirs to end.
    """
    if gc.isenabled():
        gc.disable()
        _ignored.append(True)


def heed() -> None:
    """Look for garbage again, where it was this that did not; what was made until here stays."""
    if gc.isenabled() or not _ignored:
        return
    if len(_ignored) == 1:  # of a process that starts several functions, what the first needs
        gc.freeze()
    gc.enable()
