"""Lists of VPC v3, v2.0 and v1, read to their ends.

https://docs.otc.t-systems.com/virtual-private-cloud/api-ref/ ("Pagination", read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.wire.openstack.neutron.page import Fetch, Params, next_marker, read_to_end
from sgguard.wire.shape import Json, Shape

PAGE_MAX = 2000


def read_pages(fetch: Fetch, params: Params, collection: str, shape: Shape) -> list[Json]:
    """Return every row of a v3 list, each id once.

    A page without ``next_marker`` is the last one. ``current_count`` proves that a page arrived
    with all its rows. Where there is no ``page_info`` at all nothing says that a page is the last
    one: pages are read until one is empty.

    Raises:
        UnknownShapeError: a page without its list, with another number of rows than its count, or
            a marker that repeats: a part of a list is never returned.
    """

    def following(body: Json, page: Sequence[Json]) -> str:
        if body.get("page_info") is None:
            return _last_id(page, collection, shape)
        info = shape.table(body["page_info"], "page_info")
        counted = shape.integer_or_none(info, "current_count", "page_info")
        if counted not in (None, len(page)):
            raise shape.wrong(f"{collection}: {len(page)} rows, but current_count is {counted}")
        return shape.text_or_empty(info, "next_marker", "page_info")

    whole = [*params, ("limit", str(PAGE_MAX))]
    return read_to_end(fetch, whole, collection, shape, following)


def read_pages_until_empty(
    fetch: Fetch, params: Params, collection: str, shape: Shape
) -> list[Json]:
    """Return every row of a v2.0 or v1 list, each id once.

    Not every deployment sends links, and a link may be missing although rows follow: Neutron
    computes it from the rows that remain once hidden ones are taken out. So only an empty page
    ends a list.

    Raises:
        UnknownShapeError: as for :func:`read_pages`.
    """

    def following(body: Json, page: Sequence[Json]) -> str:
        return next_marker(body, collection, shape) or _last_id(page, collection, shape)

    return read_to_end(fetch, params, collection, shape, following)


def _last_id(page: Sequence[Json], collection: str, shape: Shape) -> str:
    return shape.text(page[-1], "id", collection) if page else ""
