"""Lists of Neutron and its copies, read completely page by page, or refused.

A page names the marker of the next one, often the id of its last row, in ``<collection>_links``. A
server with a page maximum pages whether or not the client sent a limit. The number of rows proves
nothing, and a missing ``next`` link proves that a list is complete only where the server hides no
row of it: Neutron makes the link of a list of rules from the rows that the policy left on the page
(see :mod:`sgguard.providers.openstack.references`).

1. Each page is read with the marker of the page before it, until there is no marker.
2. Rows that are deleted while the list is read make a marker stale: Neutron then begins again at
   page one with a 200, so a marker repeats; for ports it responds with 404, its copies with 400.
   The list is read again from its beginning, up to ``MAX_STARTS`` times in all.
3. A marker that repeats every time, or more than ``MAX_PAGES`` pages, is an error. A part of a list
   is never returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx

from sgguard.errors import CloudError, NotFoundError
from sgguard.wire.shape import Json, Shape

Params = Sequence[tuple[str, str]]
Fetch = Callable[[Params], object]
"""Reads one page with these query parameters and returns its JSON."""
Following = Callable[[Json, Sequence[Json]], str]
"""Returns the marker of the page after this one (its body, its rows), empty after the last."""

MAX_STARTS = 3
MAX_PAGES = 10_000
"""Loop guard: no account has that many pages of a reasonable size."""


def read_to_end(
    fetch: Fetch, params: Params, collection: str, shape: Shape, following: Following
) -> list[Json]:
    """Return every row of a list, each id once and as read last, in the cloud's order.

    The parameters are sent with every page as they were given; ``following`` reads the marker of
    the next page.

    Raises:
        CloudError: the markers were refused every time.
        UnknownShapeError: a page without its list, a marker that repeats, or too many pages.
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
    """The list changed while it was read; ``error`` is raised if that happens every time."""

    def __init__(self, error: CloudError) -> None:
        super().__init__()
        self.error = error


class _Pages:
    """One list, which can be read from its beginning several times."""

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
            # Step 1: no marker, no further page.
            marker = self._following(body, page)
            if not marker:
                return list(rows.values())
            # Step 2: a marker that repeats means that Neutron has begun again at page one.
            if marker in markers:
                raise _StaleError(self._wrong(f"repeated a page marker {MAX_STARTS} times"))
            markers.add(marker)
        raise self._wrong(f"did not end within {MAX_PAGES} pages")

    def _page(self, marker: str) -> object:
        if not marker:
            return self._fetch(self._params)
        try:
            return self._fetch([*self._params, ("marker", marker)])
        except CloudError as error:
            # Step 2: the list of ports, and the copies of Neutron, refuse a stale marker.
            if error.status == httpx.codes.BAD_REQUEST:
                raise _StaleError(error) from error
            if isinstance(error, NotFoundError):
                # The row of the marker is gone, not what the list is about.
                raise _StaleError(self._wrong("lost its place every time")) from error
            raise

    def _wrong(self, what: str) -> CloudError:
        return self._shape.wrong(f"{self._collection}: paging {what}")


def read_all(fetch: Fetch, params: Params, collection: str, shape: Shape) -> list[Json]:
    """Return every row of a list, each id once, in the cloud's order.

    Raises:
        UnknownShapeError: a page without its list, a link without a marker, or a marker that
            repeats: a part of a list is never returned.
    """

    def following(body: Json, page: Sequence[Json]) -> str:
        del page
        return next_marker(body, collection, shape)

    return read_to_end(fetch, params, collection, shape, following)


def next_marker(body: Json, collection: str, shape: Shape) -> str:
    """Return the marker the next link names, empty after the last page.

    Nothing else of the link is used. Its scheme, host and port are often wrong behind a proxy, and
    a token must not be sent to another host; its filters may have lost values (of a repeated
    parameter only the last one may be left).

    Raises:
        UnknownShapeError: links that are no list, a link without ``rel``, or a next link without
            a marker.
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
