"""Rows of an emulated VPC v3 and v1 as a request filters, pages and sees them.

Quirks read here: ``page_max`` (rows on a page, at most 2000), ``no_page_info`` (pages do not say
when they end), ``upper_ids`` (ids that are shown in upper case, as they were once written; a filter
finds them in any case), ``silent_rows`` (ids of rows that answer a filter and do not show a group).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._rows import whole
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.state import Cloud

Row = dict[str, Any]

PAGE_MAX = 2000


def filtered(rows: Sequence[Row], params: httpx.QueryParams, known: Sequence[str]) -> list[Row]:
    """Filter by repeatable parameters: several values mean "or"; unknown parameters are ignored."""
    found = list(rows)
    for name in known:
        if wanted := {value.lower() for value in params.get_list(name)}:
            found = [row for row in found if wanted & set(_values(row[name]))]
    return found


def _values(value: object) -> list[str]:
    """Return the values of a column as they are compared: without letter case."""
    values = value if isinstance(value, list) else [value or ""]
    return [str(item).lower() for item in values]


def shown_by_default(rows: Sequence[Row], params: httpx.QueryParams) -> list[Row]:
    """Leave out ports that are down and groups of other enterprise projects, unless requested."""
    is_up = params.get("admin_state_up", "true") == "true"
    eps = params.get("enterprise_project_id", "0")
    return [
        row
        for row in rows
        if row.get("admin_state_up", is_up) is is_up
        and (eps == "all_granted_eps" or row.get("enterprise_project_id", eps) == eps)
    ]


class Found(NamedTuple):
    """The rows of a list in their order, and the place of each by its id in lower case."""

    rows: Sequence[Row]
    places: Mapping[str, int]


def kept(
    cloud: Cloud,
    caller: Caller,
    of: tuple[str, str],
    params: httpx.QueryParams,
    find: Callable[[], list[Row]],
) -> Found:
    """Return what a list has, whatever the page: found once in a state of the cloud.

    ``of`` are region and path. The rows are not to be changed.
    """

    def find_all() -> Found:
        rows = sorted(find(), key=lambda row: str(row["id"]))
        ids = [str(row["id"]).lower() for row in rows]
        return Found(rows, {one: place for place, one in reversed(list(enumerate(ids)))})

    asked = tuple(sorted(one for one in params.multi_items() if one[0] not in ("limit", "marker")))
    return cloud.kept((of, caller.project, caller.sees_all, asked), find_all)


def page_of(
    cloud: Cloud, params: httpx.QueryParams, collection: str, listed: Found
) -> httpx.Response:
    """Return one page; every page but the last has ``next_marker``."""
    found = listed.rows
    requested, marker = params.get("limit", str(PAGE_MAX)), params.get("marker", "").lower()
    if not requested.isdigit() or int(requested) > PAGE_MAX:
        return response.error("VPC.0601", "Query resource by id fail: limit is invalid.")
    if marker and marker not in listed.places:
        return response.error("VPC.0601", "Query resource by id fail: marker is invalid.")
    limit = min(int(requested) or PAGE_MAX, cloud.quirks.get("page_max", PAGE_MAX))
    start = listed.places[marker] + 1 if marker else 0
    page = [spelt_row(cloud, row) for row in found[start : start + limit]]
    if cloud.quirks.get("no_page_info"):
        return response.ok(**{collection: page})
    info: Row = {"current_count": len(page)}
    if page:
        info["previous_marker"] = page[0]["id"]
    if start + limit < len(found):
        info["next_marker"] = page[-1]["id"]
    return response.ok(**{collection: page, "page_info": info})


def spelt_row(cloud: Cloud, row: Row) -> Row:
    """Return a row as it is shown: ids as they were once written, or groups not at all."""
    row, upper = whole(row), cloud.quirks.get("upper_ids", [])

    def spelt(value: Any) -> Any:
        if isinstance(value, list):
            return [spelt(one) for one in value]
        return value.upper() if isinstance(value, str) and value in upper else value

    shown = {key: spelt(value) for key, value in row.items()}
    if row["id"] in cloud.quirks.get("silent_rows", []):
        nothing: Row = {"security_groups": [], "remote_group_id": None}
        shown |= {key: value for key, value in nothing.items() if key in row}
    return shown
