"""Lists of Neutron: filters, fields, sorting by id, pages with links, and their peculiarities.

A row that the caller may not see is dropped from its page only after the page was cut, as the real
policy engine does. The links are made from what remains: one hidden row on a page, and the page
has no ``next`` link although rows follow. A page has a ``previous`` link whenever there is a page
size at all, the first one too.

Quirks read here: ``page_max`` (the page maximum of the server, with or without ``limit``),
``ignores_unknown_filters`` (an older cloud: unknown filters have no effect),
``ignored_filters`` (names of filters that other clouds apply and this one accepts without effect),
``refused_filters`` (names that other clouds apply and this one refuses), ``ids_any_case`` (ids are
compared without regard to case, as the usual collations of MySQL do), ``stale_marker_refused``
(a marker of a deleted row is a 400, as in clouds derived from Neutron; without it the list begins
again at page one, and that of ports is a 404), ``policy_unloaded`` (a Neutron that has just
started: its policy engine hides every row, and a resource is "not found").
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import httpx

from sgguard.emulator.faces._openstack.neutron.filter import matcher
from sgguard.emulator.faces._openstack.neutron.response import bad_request, refused
from sgguard.emulator.faces._rows import whole
from sgguard.emulator.state import Cloud

Row = dict[str, Any]
_Found = tuple[list[Row], Mapping[str, int]]
"""The rows of a list in their order, and the place of each by its id."""

_CONTROLS = frozenset({"limit", "marker", "page_reverse", "fields", "sort_key", "sort_dir"})
_WITHOUT_PAGES = frozenset({"rbac_policies"})
_WITHOUT_EFFECT = frozenset({"belongs_to_default_sg", "normalized_cidr"})
"""Filters that Neutron accepts and does not apply: the fields are computed after the query."""


def listing(
    request: httpx.Request,
    cloud: Cloud,
    collection: str,
    rows: Callable[[], Sequence[Row]],
    *,
    of: Hashable,
    known: frozenset[str],
    is_hidden: Callable[[Row], bool],
) -> httpx.Response:
    """Return one page of a list.

    ``rows`` depend on the state, the query and ``of``: they are found once for all pages.
    ``known`` are the filters the collection has; rows that are ``is_hidden`` count for the page
    and are not shown.

    Raises:
        RefusedError: an unknown filter or value, a limit that is no number, or a refused marker.
    """
    params = request.url.params
    maximum = cloud.quirks.get("page_max")
    limit = 0 if collection in _WITHOUT_PAGES else _limit(params.get("limit"), maximum)

    def find() -> _Found:
        found = sorted(_filtered(rows(), params, cloud, known), key=lambda row: str(row["id"]))
        return found, {row["id"]: place for place, row in reversed(list(enumerate(found)))}

    asked = tuple(sorted(one for one in params.multi_items() if one[0] not in _CONTROLS))
    found, places = cloud.kept((collection, of, asked), find)
    # Without a page size a marker has no effect here; clouds derived from Neutron take it.
    is_paged = bool(limit) or cloud.provider != "openstack"
    start = _start(places, params.get("marker"), cloud, collection) if is_paged else 0
    page = found[start : start + limit] if limit else found[start:]
    shown = [whole(row) for row in page if not is_hidden(row)]
    body: dict[str, Any] = {collection: [_only_fields(row, params) for row in shown]}
    if limit:
        body[f"{collection}_links"] = _links(request, shown, limit)
    return httpx.Response(200, json=body)


def _limit(text: str | None, maximum: int | None) -> int:
    """Return the page size, 0 for no paging."""
    try:
        requested = int(text) if text is not None else 0
    except ValueError:
        requested = -1
    if requested < 0:
        message = f"Bad limit request: Limit must be an integer 0 or greater and not '{text}'."
        raise refused(400, "BadRequest", message)
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
        raise bad_request(f"{unknown} is invalid attribute for filtering")
    ignored = {*unknown, *cloud.quirks.get("ignored_filters", []), *_WITHOUT_EFFECT}
    found = list(rows)
    for name in requested:
        if name not in ignored:
            is_any_case = bool(cloud.quirks.get("ids_any_case"))
            matches = matcher(name, params.get_list(name), is_any_case=is_any_case)
            found = [row for row in found if matches(row)]
    return found


def effective_filters(params: httpx.QueryParams, cloud: Cloud) -> set[str]:
    """Return the filters of a query that this cloud neither ignores nor refuses."""
    if cloud.quirks.get("ids_any_case"):
        return set()
    names = ("ignored_filters", "refused_filters")
    return set(params).difference(_CONTROLS, *(cloud.quirks.get(name, []) for name in names))


def _start(places: Mapping[str, int], marker: str | None, cloud: Cloud, collection: str) -> int:
    """Return where the page begins; with the marker of a deleted row, at page one again."""
    if marker and marker not in places:
        if cloud.quirks.get("stale_marker_refused"):
            raise bad_request(f"Invalid marker: {marker}.")
        if collection == "ports":
            raise refused(404, "PortNotFound", f"Port {marker} could not be found.")
    return places[marker] + 1 if marker and marker in places else 0


def _only_fields(row: Row, params: httpx.QueryParams) -> Row:
    fields = set(params.get_list("fields"))
    return {key: value for key, value in row.items() if not fields or key in fields}


def _links(request: httpx.Request, shown: list[Row], limit: int) -> list[dict[str, str]]:
    """Return the links of a page; an exactly full one has a next page, which may be empty."""
    links = []
    if len(shown) == limit:
        links.append(_link("next", request, str(shown[-1]["id"])))
    links.append(_link("previous", request, str(shown[0]["id"]) if shown else ""))
    return links


def _link(rel: str, request: httpx.Request, marker: str) -> dict[str, str]:
    dropped = {"marker", "page_reverse"}
    params = [(k, v) for k, v in request.url.params.multi_items() if k not in dropped]
    params += [("marker", marker)] if marker else []
    if rel == "previous":
        params.append(("page_reverse", "True"))
    return {"rel": rel, "href": str(request.url.copy_with(params=params))}
