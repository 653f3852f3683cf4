"""Lists of Neutron: filters, fields, sorting by id, pages with links, and their peculiarities.

Quirks read here: ``page_max`` (the page maximum of the server, with or without ``limit``),
``ignores_unknown_filters`` (an older cloud: unknown filters have no effect),
``ignored_filters`` (names of filters that other clouds apply and this one accepts without effect),
``refused_filters`` (names that other clouds apply and this one refuses), ``stale_marker_refused``
(a marker of a deleted row is a 400, as in clouds derived from Neutron; without it the list begins
again at page one).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from sgguard.emulator.state import Cloud

Row = dict[str, Any]

_CONTROLS = frozenset({"limit", "marker", "page_reverse", "fields", "sort_key", "sort_dir"})


class BadRequestError(Exception):
    """The query is invalid; the message is Neutron's own."""


def listing(
    request: httpx.Request,
    cloud: Cloud,
    collection: str,
    rows: Sequence[Row],
    known: frozenset[str],
) -> httpx.Response:
    """Return one page of a list. ``known`` are the filters the collection has.

    Raises:
        BadRequestError: an unknown filter, a limit that is not a number, or a refused marker.
    """
    params = request.url.params
    maximum = cloud.quirks.get("page_max")
    limit = _limit(params.get("limit"), maximum)
    found = sorted(_filtered(rows, params, cloud, known), key=lambda row: str(row["id"]))
    start = _start(found, params.get("marker"), cloud)
    page = found[start : start + limit] if limit else found[start:]
    body: dict[str, Any] = {collection: [_only_fields(row, params) for row in page]}
    if limit:
        links = _links(request, page, limit, is_dropping_limit=maximum is not None)
        if links:
            body[f"{collection}_links"] = links
    return httpx.Response(200, json=body)


def _limit(text: str | None, maximum: int | None) -> int:
    """Return the page size, 0 for no paging."""
    try:
        requested = int(text) if text is not None else 0
    except ValueError:
        requested = -1
    if requested < 0:
        raise BadRequestError(f"Bad limit request: Limit must be an integer 0 or greater: {text}.")
    if maximum is None:
        return requested
    return min(requested, maximum) if requested else maximum


def _filtered(
    rows: Sequence[Row], params: httpx.QueryParams, cloud: Cloud, known: frozenset[str]
) -> list[Row]:
    requested = [name for name in params if name not in _CONTROLS]
    known -= set(cloud.quirks.get("refused_filters", []))
    unknown = [name for name in requested if name not in known]
    if unknown and not cloud.quirks.get("ignores_unknown_filters"):
        raise BadRequestError(f"{unknown} is invalid attribute for filtering")
    ignored = {*unknown, *cloud.quirks.get("ignored_filters", [])}
    found = list(rows)
    for name in requested:
        if name not in ignored:
            wanted = set(params.get_list(name))
            found = [row for row in found if _has(row.get(name), wanted)]
    return found


def effective_filters(params: httpx.QueryParams, cloud: Cloud) -> set[str]:
    """Return the filters of a query that this cloud neither ignores nor refuses."""
    names = ("ignored_filters", "refused_filters")
    return set(params).difference(_CONTROLS, *(cloud.quirks.get(name, []) for name in names))


def _has(value: object, wanted: set[str]) -> bool:
    """Return whether a value matches a filter; several values of one filter mean "or"."""
    if isinstance(value, list):
        return bool(wanted & {str(item) for item in value})
    if isinstance(value, bool):
        return str(value).lower() in {text.lower() for text in wanted}
    return ("" if value is None else str(value)) in wanted


def _start(found: list[Row], marker: str | None, cloud: Cloud) -> int:
    """Return where the page begins; with the marker of a deleted row, at page one again."""
    ids = [row["id"] for row in found]
    if marker and marker not in ids and cloud.quirks.get("stale_marker_refused"):
        raise BadRequestError(f"Invalid marker: {marker}.")
    return ids.index(marker) + 1 if marker in ids else 0


def _only_fields(row: Row, params: httpx.QueryParams) -> Row:
    fields = set(params.get_list("fields"))
    return {key: value for key, value in row.items() if not fields or key in fields}


def _links(
    request: httpx.Request, page: list[Row], limit: int, *, is_dropping_limit: bool
) -> list[dict[str, str]]:
    """Return the links of a page; an exactly full one has a next page, which may be empty."""
    links = []
    if len(page) == limit:
        links.append(_link("next", request, str(page[-1]["id"]), is_dropping_limit))
    if request.url.params.get("marker"):
        first = str(page[0]["id"]) if page else request.url.params["marker"]
        links.append(_link("previous", request, first, is_dropping_limit))
    return links


def _link(
    rel: str,
    request: httpx.Request,
    marker: str,
    is_dropping_limit: bool,  # noqa: FBT001 - one of two ways a link is written
) -> dict[str, str]:
    dropped = {"marker", "page_reverse"} | ({"limit"} if is_dropping_limit else set())
    params = [(k, v) for k, v in request.url.params.multi_items() if k not in dropped]
    params.append(("marker", marker))
    if rel == "previous":
        params.append(("page_reverse", "True"))
    return {"rel": rel, "href": str(request.url.copy_with(params=params))}
