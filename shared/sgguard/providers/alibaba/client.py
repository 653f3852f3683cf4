"""Calls to the Alibaba Cloud ECS API: RPC style, both signatures, lists read to their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from sgguard.providers.alibaba.answer import Answer, read_answer
from sgguard.wire.acs3 import Acs3Auth, canonical_query
from sgguard.wire.client import Wire
from sgguard.wire.rpc_v1 import RpcV1Auth

VERSION = "2014-05-26"

_PAGE = {
    "DescribeSecurityGroups": 100,
    "DescribeSecurityGroupAttribute": 1000,
    "DescribeInstances": 100,
    "DescribeNetworkInterfaces": 500,
}
"""The largest page each list has."""

Entry = tuple[Answer, dict[str, Any]]
"""One entry of a list, with the answer it came in."""


@dataclass(frozen=True, slots=True)
class EcsClient:
    """One region of the API at one address, asked in one signature."""

    wire: Wire = field(repr=False)
    region: str
    url: str
    auth: Acs3Auth | RpcV1Auth = field(repr=False)

    def read(self, action: str, params: Mapping[str, str]) -> Answer:
        """Ask a question that changes nothing, again if the error allows it.

        Raises:
            CloudError: the cloud refused, did not answer, or answered something else.
        """
        return self._send(action, params, is_read=True)

    def write(self, action: str, params: Mapping[str, str]) -> Answer:
        """Send a change exactly once.

        Raises:
            CloudError: the cloud refused; the outcome is unknown after UnreachableError.
        """
        return self._send(action, params, is_read=False)

    def read_list(
        self, action: str, params: Mapping[str, str], container: str, item: str
    ) -> list[Entry]:
        """Return every entry of a list, following its page tokens.

        Raises:
            UnknownShapeError: a page token comes twice, or the last page leaves the list shorter
                than the total the answer names (a server that does not know page tokens).
        """
        entries: list[Entry] = []
        tokens: set[str] = set()
        page = {**params, "MaxResults": str(_PAGE[action])}
        while True:
            answer = self.read(action, page)
            entries += [(answer, raw) for raw in answer.items(container, item)]
            token = answer.fields.get("NextToken") or ""
            if not token:
                _require_whole(answer, len(entries))
                return entries
            if not isinstance(token, str) or token in tokens:
                raise answer.unknown("the list does not end: its page token came twice")
            tokens.add(token)
            page["NextToken"] = token

    def _send(self, action: str, params: Mapping[str, str], *, is_read: bool) -> Answer:
        query = {"RegionId": self.region, **params}
        headers: dict[str, str] = {}
        if isinstance(self.auth, RpcV1Auth):
            query |= {"Action": action, "Version": VERSION, "Format": "JSON"}
        else:
            headers = {"x-acs-action": action, "x-acs-version": VERSION}
        answers: list[Answer] = []

        def check(response: httpx.Response) -> None:
            answers.append(read_answer(response, action))

        send = self.wire.read if is_read else self.wire.write
        send(
            "POST",
            f"{self.url}/?{canonical_query(query.items())}",
            action=action,
            check=check,
            auth=self.auth,
            headers={"accept": "application/json", **headers},
        )
        return answers[-1]


def _require_whole(answer: Answer, count: int) -> None:
    total = str(answer.fields.get("TotalCount", ""))
    if total.isascii() and total.isdigit() and int(total) > count:
        raise answer.unknown(f"the list says {total} entries and ends after {count}")
