"""Lists of the Alibaba Cloud ECS API, read completely or refused.

A list is proven complete in two steps:

1. It is read page by page with tokens. A server that knows tokens ends its last page with an empty
   ``NextToken``: the list is complete, unless it has fewer entries than its total.
2. Where there is no token at all (a server from before tokens), or fewer entries than the total,
   it is read again by page numbers. ``TotalCount`` is exact there, and must be reached.

Beside a token the total is no proof ("meaningless"); only a total above the entries is noted.

Source: the paging parameters of each action, alibabacloud.com/help/en/ecs, and the vendor's SDK
("when you use MaxResults and NextToken, the returned TotalCount is meaningless"), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.response import Response, number

Row = dict[str, Any]
"""One entry of a list, as the cloud spells it."""

EMPTY_PAGES_MAX = 20
"""Loop guard: a page may be empty and have a successor, but not more than this many in a row."""

_NUMBERED_PAGE_SIZE = 50
_DEFAULT_PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class Listing:
    """One action that lists; ``key`` is the member that identifies an entry.

    ``page_size`` is its largest page. An empty ``key``: entries have no id of their own, and the
    action has no page numbers.
    """

    action: str
    container: str
    item: str
    key: str
    page_size: int


GROUPS = Listing(
    "DescribeSecurityGroups", "SecurityGroups", "SecurityGroup", "SecurityGroupId", 100
)
RULES = Listing("DescribeSecurityGroupAttribute", "Permissions", "Permission", "", 1000)
INSTANCES = Listing("DescribeInstances", "Instances", "Instance", "InstanceId", 100)
INTERFACES = Listing(
    "DescribeNetworkInterfaces",
    "NetworkInterfaceSets",
    "NetworkInterfaceSet",
    "NetworkInterfaceId",
    500,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A complete list, with the response of its last page."""

    response: Response
    rows: tuple[Row, ...]


def read_all(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> Listed:
    """Return every entry of a list, each once.

    Raises:
        UnknownShapeError: the list does not end, or nothing proves that it is complete.
        CloudError: a call was refused, got no response, or one of unknown shape.
    """
    by_token = _by_token(ecs, listing, params)
    if _is_complete(listing, by_token):
        return by_token
    if not listing.key:
        raise by_token.response.unknown("a full page of a list says nothing of a next one")
    return _by_number(ecs, listing, params)


def count_all(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> int:
    """Return how many entries a list has: its total, or the entries where it has no total.

    Raises:
        CloudError: as :func:`read_all`.
    """
    response = ecs.read(listing.action, {**params, "PageNumber": "1", "PageSize": "1"})
    rows = response.items(listing.container, listing.item)
    total = number(response.fields.get("TotalCount"))
    if total is None or total < len(rows):
        return len(read_all(ecs, listing, params).rows)
    return total


def _by_token(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> Listed:
    """Follow the page tokens to the end."""
    rows: list[Row] = []
    tokens: set[str] = set()
    empty_pages = 0
    page = {**params, "MaxResults": str(listing.page_size)}
    while True:
        response = ecs.read(listing.action, page)
        entries = response.items(listing.container, listing.item)
        rows += entries
        token = response.fields.get("NextToken")
        if token is None or token == "":
            return Listed(response, _distinct(listing, response, rows))
        if not isinstance(token, str):
            raise response.unknown("NextToken is no text")
        # Loop guards: a token that repeats, or empty pages without end.
        if token in tokens:
            raise response.unknown("the list does not end: its page token came twice")
        empty_pages = 0 if entries else empty_pages + 1
        if empty_pages > EMPTY_PAGES_MAX:
            raise response.unknown(f"the list does not end: {empty_pages} empty pages in a row")
        tokens.add(token)
        page["NextToken"] = token


def _is_complete(listing: Listing, listed: Listed) -> bool:
    """Return whether a list read by tokens is proven complete.

    A list without page numbers had no tokens either in its older form. Without an end mark it is
    taken as complete as long as it is smaller than a default page.
    """
    fields = listed.response.fields
    is_end_marked = fields.get("NextToken") == ""
    if not listing.key:
        return is_end_marked or len(listed.rows) < _DEFAULT_PAGE_SIZE
    total = number(fields.get("TotalCount"))
    return is_end_marked and (total is None or total <= len(listed.rows))


def _by_number(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> Listed:
    """Read the list by page numbers until its total is reached."""
    rows: tuple[Row, ...] = ()
    page_number = 1
    while True:
        page = {"PageNumber": str(page_number), "PageSize": str(_NUMBERED_PAGE_SIZE)}
        response = ecs.read(listing.action, {**params, **page})
        total = number(response.fields.get("TotalCount"))
        if total is None:
            raise response.unknown("the list has neither a page token nor a total")
        known = len(rows)
        entries = response.items(listing.container, listing.item)
        rows = _distinct(listing, response, [*rows, *entries])
        if len(rows) >= total:
            return Listed(response, rows)
        # Loop guard: a page without a new entry.
        if len(rows) == known:
            raise response.unknown(f"the list says {total} entries and ends after {known}")
        page_number += 1


def _distinct(listing: Listing, response: Response, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the entries, each once: pages overlap when an entry is added while they are read."""
    if not listing.key:
        return tuple(rows)
    found: dict[str, Row] = {}
    for row in rows:
        key = row.get(listing.key)
        if not isinstance(key, str) or not key:
            raise response.unknown(f"an entry without {listing.key}")
        found[key] = row
    return tuple(found.values())
