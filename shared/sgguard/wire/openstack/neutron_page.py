"""Following Neutron's ``<collection>_links`` to the end of a list, whole or not at all.

A server with a page maximum pages whether or not the client sent a limit, so only a missing
``next`` link says that a list is complete; fewer rows than asked for says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx

from sgguard.wire.shape import Json, Shape

Params = Sequence[tuple[str, str]]
Fetch = Callable[[Params], object]
"""Asks for one page with these query parameters and returns its JSON."""

MAX_STARTS = 3


def read_all(fetch: Fetch, params: Params, collection: str, shape: Shape) -> list[Json]:
    """Return every row of a list, each id once, in the cloud's order.

    A marker that comes back means that the row it named vanished between two pages and the
    server began again at page one (Neutron answers 200 then). The list is read anew, up to
    ``MAX_STARTS`` times.

    Raises:
        UnknownShapeError: a page without its list, a link that leads nowhere, or a list that
            goes in circles: a part of a list is never returned.
    """
    for _ in range(MAX_STARTS):
        rows = _read_once(fetch, params, collection, shape)
        if rows is not None:
            return rows
    raise shape.wrong(f"{collection}: paging came back to a page it had passed {MAX_STARTS} times")


def _read_once(fetch: Fetch, params: Params, collection: str, shape: Shape) -> list[Json] | None:
    """Return every row, or None when a marker came twice."""
    rows: dict[str, Json] = {}
    markers: set[str] = set()
    query: Params = params
    while True:
        body = shape.table(fetch(query), "answer")
        for row in shape.tables(body.get(collection), collection):
            rows.setdefault(shape.text(row, "id", collection), row)
        following = next_query(body, collection, shape)
        if following is None:
            return list(rows.values())
        marker = dict(following)["marker"]
        if marker in markers:
            return None
        markers.add(marker)
        query = following


def next_query(body: Json, collection: str, shape: Shape) -> Params | None:
    """Return the query of the next page, None after the last.

    Only the link's query is used: its scheme, host and port are what the server believes of
    itself, often wrong behind a proxy, and a token must not follow it to another host.

    Raises:
        UnknownShapeError: links that are no list, or a next link without a marker.
    """
    key = f"{collection}_links"
    links = shape.tables(body.get(key, []), key)
    href = next(
        (shape.text(link, "href", key) for link in links if link.get("rel") == "next"), None
    )
    if href is None:
        return None
    try:
        params = httpx.URL(href).params.multi_items()
    except httpx.InvalidURL as error:
        raise shape.wrong(f"{key}: a next link that is no address") from error
    if not dict(params).get("marker"):
        raise shape.wrong(f"{key}: a next link without a marker")
    return params
