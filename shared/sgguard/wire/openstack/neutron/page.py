"""Following Neutron's ``<collection>_links`` to the end of a list, whole or not at all.

A server with a page maximum pages whether or not the client sent a limit, so only a missing
``next`` link says that a list is complete; fewer rows than asked for says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from sgguard.wire.openstack.marker_page import Fetch, Params, read_to_end
from sgguard.wire.shape import Json, Shape


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
