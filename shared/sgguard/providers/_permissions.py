"""Least privilege: which permission each mode and remedy needs, as a document of the cloud's own.

Every cloud has a module ``permissions`` in its package, with ``PERMISSIONS`` and ``document``. What
a remedy changes has to be undone and restored too, so its permissions include the way back. A test
makes every kind of decision on the emulator and compares the calls with these tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from sgguard.model.codes import DeleteRemedy, LaunchRemedy

Json = dict[str, Any]

READ, CHANGE = "read", "change"
"""Needed in every mode, and in every mode but observe, whatever remedies are permitted."""

RULES = (DeleteRemedy.REVOKE, DeleteRemedy.REWRITE)
"""The remedies that change rules."""

REMEDIES = tuple(dict.fromkeys((*map(str, DeleteRemedy), *map(str, LaunchRemedy))))
"""Every remedy by its name; ``unbind`` is one of deletes and of launches."""


class Permission(msgspec.Struct, frozen=True):
    """One call that a cloud permits by itself.

    ``action`` is the cloud's own name for the call, ``grants`` the names under which it is granted,
    ``brings`` what it is needed for. ``needs`` has :data:`READ`, :data:`CHANGE` or names of
    remedies.
    """

    action: str
    grants: tuple[str, ...]
    brings: str
    needs: tuple[str, ...] = (READ,)


class Documented(Protocol):
    """The module ``permissions`` of a cloud."""

    PERMISSIONS: Sequence[Permission]
    HOW: str
    """Where the document is attached, in one sentence."""

    def document(self, permissions: Sequence[Permission]) -> Json:
        """Return the cloud's own document that grants these and nothing else."""
        ...


def needed(
    permissions: Iterable[Permission], *, changes: bool, remedies: Collection[str]
) -> tuple[Permission, ...]:
    """Return what is needed: to read, and with ``changes`` to delete and for these remedies."""
    wanted = {READ, *((CHANGE, *remedies) if changes else ())}
    return tuple(one for one in permissions if wanted & set(one.needs))


def granted(permissions: Iterable[Permission]) -> list[str]:
    """Return the names under which these are granted, each once, sorted."""
    return sorted({name for one in permissions for name in one.grants})
