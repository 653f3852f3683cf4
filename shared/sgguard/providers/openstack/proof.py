"""Whether a list of Neutron says what it seems to say: rows that answer a filter, empty lists.

Neutron does not refuse a list that is not permitted: its policy engine drops the rows, so the list
is empty. In the moments after a start it does so for everybody. So an empty list is believed only
when something proves that it could have shown a row:

1. A canary is asked for: one row of the same kind, whichever. If there is one, this token sees
   such rows, and the policy engine is loaded.
2. Then the list is read once more, for it may have been read before that moment.
3. Without a canary a different question has to say that there is nothing of the kind at all, and
   the list is read once more as well.

What names or carries a group is mostly nothing where a delete is allowed. There an early canary
comes before the list, which then is read once (:func:`has_early_canary`); where both are empty the
steps above follow.

And a row that answered a filter without showing why is never dropped in silence. An older Neutron
ignores filters it does not know: it is asked, once per process and scope, for an id that cannot
exist. If rows come back the filter has no effect; else the row has a meaning that is not
understood, and that is a gap.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

import httpx

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ForbiddenError,
    InvalidRequestError,
    UnknownShapeError,
)
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Unseen
from sgguard.model.sentence import Sentence, Text, listed, said
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.providers.openstack.quota import ports_used
from sgguard.wire.openstack.neutron.page import Params
from sgguard.wire.shape import Json

IMPOSSIBLE_ID = "00000000-0000-4000-8000-000000000000"
"""Neutron makes random UUIDs: none of them is this one."""

READERS = frozenset({"reader", "member", "manager", "admin"})
"""The roles that Neutron's default policy lets read the lists of their project."""

GRANT = said("remedy.reader")

_KEPT_MAX = 256
_ONE = ("limit", "1")

Key = tuple[httpx.BaseTransport | None, str, str, str, str]


class FilterEffect:
    """Which filters have no effect, by network, caller and region; safe to use from threads."""

    def __init__(self) -> None:
        self._ignored: dict[Key, bool] = {}
        self._guard = threading.Lock()

    def is_ignored(self, api: OpenStackApi, collection: str, name: str) -> bool:
        """Return whether a list has the same rows with and without the filter; asked once.

        Raises:
            CloudError: it could not be asked.
        """
        key = (api.wire.transport, api.auth.identity.name, api.region, collection, name)
        with self._guard:
            known = self._ignored.get(key)
        if known is None:
            known = self._ask(api, collection, name)
            with self._guard:
                while len(self._ignored) >= _KEPT_MAX:
                    del self._ignored[next(iter(self._ignored))]
                self._ignored[key] = known
        return known

    def _ask(self, api: OpenStackApi, collection: str, name: str) -> bool:
        try:
            return bool(api.page(collection, [(name, IMPOSSIBLE_ID), _ONE]))
        except InvalidRequestError:
            return True  # refused: the list was read without it


EFFECT = FilterEffect()
"""What this process knows of filters; dropping it only costs a call."""


def unexplained(
    api: OpenStackApi, collection: str, name: str, row_ids: Sequence[str], group_ids: Iterable[str]
) -> tuple[Unseen, ...]:
    """Return a gap for rows that answered a filter and do not show any of the ids asked for.

    None where there are no such rows (``row_ids``), or the filter has no effect at all.
    """
    if not row_ids or EFFECT.is_ignored(api, collection, name):
        return ()
    shown = listed(sorted(row_ids)[:3])
    return tuple(
        Unseen(
            code=UnseenCode.UNKNOWN_SHAPE,
            what=said("part.why-returned", collection=collection),
            why=said(
                "why.rows-unexplained",
                rows=len(row_ids),
                collection=collection,
                asked=f"{name}={group_id}",
                shown=shown,
            ),
            remedy=said("remedy.report-rows"),
            group_id=group_id,
        )
        for group_id in group_ids
    )


def has_canary(api: OpenStackApi, collection: str, of: Params = ()) -> bool:
    """Return whether the list shows this token any row at all, of those that ``of`` filters."""
    return bool(api.page(collection, [*of, _ONE]))


def has_early_canary(api: OpenStackApi, collection: str, of: Params = ()) -> bool:
    """Return whether there is a canary right before a list is read; its error proves nothing."""
    try:
        return has_canary(api, collection, of)
    except CloudError:
        return False  # a list with rows needs none; of an empty one it is asked for again


def proved(
    api: OpenStackApi,
    collection: str,
    ask: Callable[[], list[Json]],
    is_nothing_there: Callable[[], bool] = lambda: False,
    *,
    is_mostly_empty: bool = False,
) -> tuple[list[Json], Text]:
    """Read a list; where it is empty, prove that. Return its rows, and what is not proved.

    ``is_nothing_there`` is the different question, for where there is no canary. A list that
    ``is_mostly_empty`` has an early canary.
    """
    is_shown = is_mostly_empty and has_early_canary(api, collection)
    rows = ask()
    if rows or is_shown:
        return rows, ""
    if has_canary(api, collection) or is_nothing_there():
        return ask(), ""
    return [], doubt(collection)


def doubt(collection: str) -> Sentence:
    """Return why an empty list proves nothing; errors quote its English text."""
    text = f"the list of {collection} is empty, and shows this token nothing else either"
    return said("why.list-empty", text=text, collection=collection)


def is_without_ports(api: OpenStackApi, projects: Iterable[str] = ()) -> bool:
    """Return whether there are no ports at all, by another question than their list.

    The quota of a project says how many ports it has: that of the token's project, and of the
    ``projects`` of the groups. Ports of a third project, with which a group is shared, are in none
    of them, so any group has to be shown as well: it shows that the policies are loaded. Without
    that API of quotas, a token with a role that may read ports and that sees groups now is shown
    ports now (their policies have the same rule by default).
    """
    try:
        is_free = all(ports_used(api, one) == 0 for one in {api.token().project_id, *projects})
    except (ApiAbsentError, ForbiddenError, UnknownShapeError):
        is_free = not READERS.isdisjoint(api.token().roles)
    return is_free and has_canary(api, "security-groups")


def is_hidden(error: CloudError) -> bool:
    """Return whether a 404 comes from the policy engine: the resource may well exist."""
    return error.code == "HTTPNotFound"
