"""Lists of Tencent's API 3.0, read completely, or with the reason why rows may be missing.

A list is proven complete when every page has the same ``TotalCount`` and that many *different* rows
were read. Rows that shift while pages are read are returned twice or not at all, some servers
return fewer rows than ``Limit``, and a count that changes between two pages shows that the list
was changed.

1. The first page is read, then all others in parallel, at fixed offsets.
2. Where that is not proven complete, the list is read again page after page, each from the number
   of rows read so far.
3. Where that is not either, the rows of both reads are returned with a gap.

A list of more than ``MAX_PAGES`` pages is not read: its first page is returned with a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Unseen
from sgguard.model.sentence import Sentence, Text, as_told, listed, said
from sgguard.providers.tencent.api import Service, TencentApi
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json

PAGE = 100
"""The largest page of every list read here."""

MAX_PAGES = 50


class Listing(msgspec.Struct, frozen=True):
    """One action that lists: the key of its rows, and the member that identifies a row.

    ``number`` writes ``Offset`` and ``Limit``, which one action takes as texts.
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


class Listed(msgspec.Struct, frozen=True):
    """The different rows that were read, in order, and why they may not be all of them.

    ``gap`` is empty for a complete list. ``is_too_long``: there are more pages than are read, and
    only the first one was.
    """

    rows: tuple[Json, ...]
    gap: Text = ""
    is_too_long: bool = False

    def unseen(self, action: str, group_id: str = "") -> tuple[Unseen, ...]:
        """Return the gap as facts have it, nothing for a complete list."""
        if not self.gap:
            return ()
        code = UnseenCode.RECORD_CEILING if self.is_too_long else UnseenCode.NOT_TOLD
        remedy = said("remedy.check-console") if self.is_too_long else said("remedy.when-steady")
        return (Unseen(code, what=action, why=self.gap, remedy=remedy, group_id=group_id),)


class _Page(msgspec.Struct, frozen=True):
    rows: tuple[Json, ...]
    total: int


def list_once(
    api: TencentApi, listing: Listing, params: Mapping[str, object], most: int = MAX_PAGES
) -> Listed:
    """Read the first page, then all others in parallel (step 1); at most so many pages.

    Raises:
        CloudError: a page could not be read.
    """
    first = _page(api, listing, params, 0)
    if first.total > most * PAGE:
        text = f"{len(first.rows)} of {first.total} were read"
        gap = said("why.read-part", text=text, read=len(first.rows), total=first.total)
        return Listed(_distinct(api, listing, [first]), gap, is_too_long=True)
    pages = [first]
    # A first page that is not full ends the list, or belongs to a server with smaller pages.
    if len(first.rows) >= PAGE:
        offsets = range(PAGE, first.total, PAGE)
        pages += parallel([partial(_page, api, listing, params, offset) for offset in offsets])
    return _joined(api, listing, pages)


def list_complete(api: TencentApi, listing: Listing, params: Mapping[str, object]) -> Listed:
    """Read the list, and once more, page after page, where it was not proven complete.

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
    return replace(again, rows=(*again.rows, *more), gap=_twice(again.gap))


def _twice(gap: Text) -> Sentence:
    return said("why.twice", text=f"{as_told(gap)}, twice", gap=gap)


def _page_after_page(api: TencentApi, listing: Listing, params: Mapping[str, object]) -> Listed:
    """Advance by the rows that were read: a server may return fewer than ``Limit`` (step 2)."""
    pages: list[_Page] = []
    offset = known = 0
    while len(pages) < MAX_PAGES:
        pages.append(_page(api, listing, params, offset))
        offset += len(pages[-1].rows)
        before, known = known, len(_distinct(api, listing, pages))
        # Stop at the total, or at a page without a new row (loop guard).
        if known == before or known >= pages[-1].total:
            break
    return _joined(api, listing, pages)


def _joined(api: TencentApi, listing: Listing, pages: list[_Page]) -> Listed:
    rows = _distinct(api, listing, pages)
    counts = sorted({page.total for page in pages})
    if counts == [len(rows)]:
        return Listed(rows)
    totals = [str(total) for total in counts]
    text = f"TotalCount is {' and '.join(totals)}, but {len(rows)} different rows were read"
    gap = said("why.totals", text=text, totals=listed(totals), rows=len(rows))
    return Listed(rows, gap)


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
    body = api.read(listing.service, listing.action, {**params, **span})
    rows = shape.tables(body.get(listing.key), listing.key)
    return _Page(tuple(rows), shape.integer(body, "TotalCount", "Response"))
