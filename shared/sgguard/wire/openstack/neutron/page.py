"""Following Neutron's ``<collection>_links`` to the end of a list, whole or not at all.

A server with a page maximum pages whether or not the client sent a limit, so only a missing
``next`` link says that a list is complete; fewer rows than asked for says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx

from sgguard.errors import CloudError
from sgguard.wire.shape import Json, Shape

# Following markers to the end of a list, whole or not at all.
#
# What every list of Neutron and of its copies has in common: a page names the marker of the next,
# often the id of its last row. Nothing else says how long a list is: fewer rows than asked for, or
# none, only say that this page is short. Rows that are deleted while the list is read make markers
# stale: Neutron then begins again at page one with a 200, its copies answer 400.

Params = Sequence[tuple[str, str]]
Fetch = Callable[[Params], object]
"""Asks for one page with these query parameters and returns its JSON."""
Following = Callable[[Json, Sequence[Json]], str]
"""Returns the marker of the page after this one (its body, its rows), empty after the last."""

MAX_STARTS = 3
MAX_PAGES = 10_000
"""No account is that large with pages of any sense: a server that never ends is an error."""


def read_to_end(
    fetch: Fetch, params: Params, collection: str, shape: Shape, following: Following
) -> list[Json]:
    """Return every row of a list, each id once and as read last, in the cloud's order.

    The parameters go along to every page as they were given. A marker that comes back, or that
    the server refuses, means that rows vanished between two pages: the list is read anew, up to
    ``MAX_STARTS`` times in all.

    Raises:
        CloudError: the markers were refused every time.
        UnknownShapeError: a page without its list, or a list that goes in circles or never ends:
            a part of a list is never returned.
    """
    pages = _Pages(fetch, params, collection, shape, following)
    for _ in range(MAX_STARTS - 1):
        try:
            return pages.rows()
        except _StaleError:
            continue
    try:
        return pages.rows()
    except _StaleError as stale:
        raise stale.error from None


class _StaleError(Exception):
    """The list changed while it was read; ``error`` is what to raise if that never ends."""

    def __init__(self, error: CloudError) -> None:
        super().__init__()
        self.error = error


class _Pages:
    """One list, read from its beginning as often as it takes."""

    def __init__(
        self, fetch: Fetch, params: Params, collection: str, shape: Shape, following: Following
    ) -> None:
        self._fetch, self._params = fetch, params
        self._collection, self._shape, self._following = collection, shape, following

    def rows(self) -> list[Json]:
        """Read the list once, from its beginning."""
        rows: dict[str, Json] = {}
        markers: set[str] = set()
        marker = ""
        for _ in range(MAX_PAGES):
            body = self._shape.table(self._page(marker), "answer")
            page = self._shape.tables(body.get(self._collection), self._collection)
            rows |= {self._shape.text(row, "id", self._collection): row for row in page}
            marker = self._following(body, page)
            if not marker:
                return list(rows.values())
            if marker in markers:
                raise _StaleError(
                    self._wrong(f"came back to a page it had passed {MAX_STARTS} times")
                )
            markers.add(marker)
        raise self._wrong(f"did not end within {MAX_PAGES} pages")

    def _page(self, marker: str) -> object:
        if not marker:
            return self._fetch(self._params)
        try:
            return self._fetch([*self._params, ("marker", marker)])
        except CloudError as error:
            if error.status == httpx.codes.BAD_REQUEST:
                raise _StaleError(error) from error
            raise

    def _wrong(self, what: str) -> CloudError:
        return self._shape.wrong(f"{self._collection}: paging {what}")


def read_all(fetch: Fetch, params: Params, collection: str, shape: Shape) -> list[Json]:
    """Return every row of a list, each id once, in the cloud's order.

    Raises:
        UnknownShapeError: a page without its list, a link that leads nowhere, or a list that
            goes in circles: a part of a list is never returned.
    """

    def following(body: Json, page: Sequence[Json]) -> str:
        del page
        return next_marker(body, collection, shape)

    return read_to_end(fetch, params, collection, shape, following)


def read_all_without_links(
    fetch: Fetch, params: Params, collection: str, shape: Shape
) -> list[Json]:
    """Return every row of a list whose pages may come without links.

    Such a page is followed by one that begins after its last row, until a page is empty: the
    copies of Neutron page at a maximum of their own, and not every deployment sends links.

    Raises:
        UnknownShapeError: as for :func:`read_all`.
    """

    def following(body: Json, page: Sequence[Json]) -> str:
        if f"{collection}_links" in body or not page:
            return next_marker(body, collection, shape)
        return shape.text(page[-1], "id", collection)

    return read_to_end(fetch, params, collection, shape, following)


def next_marker(body: Json, collection: str, shape: Shape) -> str:
    """Return the marker the next link names, empty after the last page.

    Nothing else of the link is used. Its scheme, host and port are what the server believes of
    itself, often wrong behind a proxy, and a token must not follow it to another host; its
    filters may have lost values on the way (a repeated parameter, folded into its last one).

    Raises:
        UnknownShapeError: links that are no list, one that does not say what it leads to, or a
            next link without a marker.
    """
    key = f"{collection}_links"
    links = shape.tables(body.get(key, []), key)
    href = next(
        (shape.text(link, "href", key) for link in links if shape.text(link, "rel", key) == "next"),
        None,
    )
    if href is None:
        return ""
    try:
        marker = str(httpx.URL(href).params.get("marker", ""))
    except httpx.InvalidURL as error:
        raise shape.wrong(f"{key}: a next link that is no address") from error
    if not marker:
        raise shape.wrong(f"{key}: a next link without a marker")
    return marker
