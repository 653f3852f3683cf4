"""Lists of the Alibaba Cloud ECS API, read completely or refused.

A list is read page by page with tokens. It is complete where the documents say so:

1. The last page has an empty ``NextToken``, or none after a page that had one.
2. Entries that have no id of their own (rules) have no page numbers: a page without a token is the
   last one, whatever its length.
3. There was no token at all, and the page has fewer entries than were asked for, and its total.

Where a total is above the entries, or missing beside a missing token, the list is read again by
page numbers: a server from before tokens ignores the page size that we ask for, and its
``TotalCount`` is exact and must be reached. A server that has retired page numbers, or tells no
total with them either, knows tokens: then a page without one is the last one, as the document says.

Source: DescribeSecurityGroups ("a response without NextToken is the last page"; TotalCount is not
returned beside tokens; page numbers go offline) and the paging parameters of the other actions,
help.aliyun.com, and the vendor's SDK ("when you use MaxResults and NextToken, the returned
TotalCount is meaningless"), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sgguard.errors import ApiAbsentError
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.codes import NUMBERS_RETIRED
from sgguard.providers.alibaba.response import Response, number

Row = dict[str, Any]
"""One entry of a list, as the cloud spells it."""

EMPTY_PAGES_MAX = 20
"""Loop guard: a page may be empty and have a successor, but not more than this many in a row."""

_NUMBERED_PAGE_SIZE = 50


class Listing(msgspec.Struct, frozen=True):
    """One action that lists; ``key`` is the member that identifies an entry.

    ``page_size`` is its largest page. An empty ``key``: entries have no id of their own, and the
    action has no page numbers.
    """

    action: str
    container: str
    item: str
    key: str
    page_size: int

    @property
    def where(self) -> tuple[str, str]:
        """The members of a response that lead to the entries."""
        return self.container, self.item


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


class Listed(msgspec.Struct, frozen=True):
    """A complete list, with the response of its last page."""

    response: Response
    rows: tuple[Row, ...]


def read_all(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> Listed:
    """Return every entry of a list, each once.

    Raises:
        UnknownShapeError: the list does not end, or nothing proves that it is complete.
        CloudError: a call was refused, got no response, or one of unknown shape.
    """
    by_token, is_token_known = _by_token(ecs, listing, params)
    if _is_complete(listing, by_token, is_token_known=is_token_known):
        return by_token
    try:
        by_number = _by_number(ecs, listing, params)
    except ApiAbsentError as error:
        if error.code != NUMBERS_RETIRED or _is_short(by_token):
            raise
        return by_token
    if by_number is None and (_is_short(by_token) or _is_full(listing, by_token)):
        raise by_token.response.unknown("the list has neither a page token nor a total")
    return by_number or by_token


def count_all(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> int:
    """Return how many entries a list has: its total, or the entries where it has no total.

    Raises:
        CloudError: as :func:`read_all`.
    """
    try:
        response = ecs.read(listing.action, {**params, "PageNumber": "1", "PageSize": "1"})
    except ApiAbsentError as error:
        if error.code != NUMBERS_RETIRED:
            raise
        return len(read_all(ecs, listing, params).rows)
    rows = response.items(listing.container, listing.item)
    total = number(response.fields.get("TotalCount"))
    if total is None or total < len(rows):
        return len(read_all(ecs, listing, params).rows)
    return total


def _by_token(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> tuple[Listed, bool]:
    """Follow the page tokens to the end; also return whether the server knows tokens."""
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
            is_token_known = token == "" or bool(tokens)
            return Listed(response, _distinct(listing, response, rows)), is_token_known
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


def _is_complete(listing: Listing, listed: Listed, *, is_token_known: bool) -> bool:
    """Return whether a list read by tokens is complete by the documents' rule."""
    if not listing.key:
        return True
    if _is_short(listed):
        return False
    has_total = number(listed.response.fields.get("TotalCount")) is not None
    return is_token_known or (has_total and not _is_full(listing, listed))


def _is_short(listed: Listed) -> bool:
    """Return whether the list has fewer entries than its total."""
    total = number(listed.response.fields.get("TotalCount"))
    return total is not None and total > len(listed.rows)


def _is_full(listing: Listing, listed: Listed) -> bool:
    """Return whether a single page has all the entries it can have: there may be a next one."""
    own_size = number(listed.response.fields.get("PageSize")) or listing.page_size
    return len(listed.rows) >= min(listing.page_size, own_size)


def _by_number(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> Listed | None:
    """Read the list by page numbers until its total is reached; None where none is told."""
    rows: tuple[Row, ...] = ()
    page_number = 1
    while True:
        page = {"PageNumber": str(page_number), "PageSize": str(_NUMBERED_PAGE_SIZE)}
        response = ecs.read(listing.action, {**params, **page})
        total = number(response.fields.get("TotalCount"))
        if page_number == 1 and response.fields.get("TotalCount") is None:
            return None
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
