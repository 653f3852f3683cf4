"""Whole lists out of the pages of Tencent's API 3.0, or a word about what does not add up.

A list is whole when every page told the same ``TotalCount`` and as many *different* rows came:
rows that move while pages are read come twice or not at all, some servers give fewer rows than
``Limit`` asks for, and a count that changes between two pages says that the list did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Unseen
from sgguard.providers.tencent.api import Service, TencentApi
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json

PAGE = 100
"""The largest page of every list read here."""

MAX_PAGES = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """One action that lists: where its rows are, what tells two rows apart.

    ``number`` writes ``Offset`` and ``Limit``, which one action wants as texts.
    """

    service: Service
    action: str
    key: str
    row_id: str
    number: Callable[[int], object] = int


GROUPS = Listing("vpc", "DescribeSecurityGroups", "SecurityGroupSet", "SecurityGroupId", str)
INSTANCES = Listing("cvm", "DescribeInstances", "InstanceSet", "InstanceId")
INTERFACES = Listing(
    "vpc", "DescribeNetworkInterfaces", "NetworkInterfaceSet", "NetworkInterfaceId"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """The different rows that came, in their order, and why they may not be all of them.

    ``gap`` is empty for a whole list. ``is_too_long`` says that there are more pages than are
    read; only the first was.
    """

    rows: tuple[Json, ...]
    gap: str = ""
    is_too_long: bool = False

    def unseen(self, action: str, group_id: str = "") -> tuple[Unseen, ...]:
        """Return the doubt as a gap, nothing for a whole list."""
        if not self.gap:
            return ()
        code = UnseenCode.RECORD_CEILING if self.is_too_long else UnseenCode.NOT_TOLD
        remedy = (
            "none: so many holders need a look by a person"
            if self.is_too_long
            else "ask again when the list does not change"
        )
        return (Unseen(code, what=action, why=self.gap, remedy=remedy, group_id=group_id),)


@dataclass(frozen=True, slots=True)
class _Page:
    rows: tuple[Json, ...]
    total: int


def list_once(api: TencentApi, listing: Listing, params: Mapping[str, object]) -> Listed:
    """Read the first page, then all others at once.

    Raises:
        CloudError: a page could not be read.
    """
    first = _page(api, listing, params, 0)
    if first.total > MAX_PAGES * PAGE:
        gap = f"{len(first.rows)} of {first.total} were read"
        return Listed(_distinct(api, listing, [first]), gap, is_too_long=True)
    pages = [first]
    if len(first.rows) >= PAGE:
        offsets = range(PAGE, first.total, PAGE)
        pages += parallel([partial(_page, api, listing, params, offset) for offset in offsets])
    return _joined(api, listing, pages)


def list_whole(api: TencentApi, listing: Listing, params: Mapping[str, object]) -> Listed:
    """Read the list, and once more where it was not whole: page after page this time.

    Raises:
        CloudError: a page could not be read.
    """
    once = list_once(api, listing, params)
    if not once.gap or once.is_too_long:
        return once
    again = _page_after_page(api, listing, params)
    if not again.gap:
        return again
    seen = {row[listing.row_id] for row in again.rows}
    more = tuple(row for row in once.rows if row[listing.row_id] not in seen)
    return replace(again, rows=(*again.rows, *more), gap=f"{again.gap}, twice")


def _page_after_page(api: TencentApi, listing: Listing, params: Mapping[str, object]) -> Listed:
    """Step by the rows that came: a server may give fewer than were asked for."""
    pages: list[_Page] = []
    offset = known = 0
    while len(pages) < MAX_PAGES:
        pages.append(_page(api, listing, params, offset))
        offset += len(pages[-1].rows)
        before, known = known, len(_distinct(api, listing, pages))
        if known == before or known >= pages[-1].total:
            break
    return _joined(api, listing, pages)


def _joined(api: TencentApi, listing: Listing, pages: list[_Page]) -> Listed:
    rows = _distinct(api, listing, pages)
    counts = sorted({page.total for page in pages})
    if counts == [len(rows)]:
        return Listed(rows)
    totals = " and ".join(str(total) for total in counts)
    return Listed(rows, f"TotalCount said {totals}, but {len(rows)} different rows came")


def _distinct(api: TencentApi, listing: Listing, pages: list[_Page]) -> tuple[Json, ...]:
    shape = api.shape(listing.action)
    rows: dict[str, Json] = {}
    for page in pages:
        for row in page.rows:
            rows.setdefault(shape.text(row, listing.row_id, f"{listing.key}[]"), row)
    return tuple(rows.values())


def _page(api: TencentApi, listing: Listing, params: Mapping[str, object], offset: int) -> _Page:
    shape = api.shape(listing.action)
    span = {"Offset": listing.number(offset), "Limit": listing.number(PAGE)}
    answer = api.read(listing.service, listing.action, {**params, **span})
    rows = shape.tables(answer.get(listing.key), listing.key)
    return _Page(tuple(rows), shape.whole(answer, "TotalCount", "Response"))
