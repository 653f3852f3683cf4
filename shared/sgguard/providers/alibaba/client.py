"""Calls to the Alibaba Cloud ECS API: RPC style, both signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from sgguard.providers.alibaba.answer import Answer, read_answer
from sgguard.wire.acs3 import Acs3Auth, canonical_query
from sgguard.wire.client import Wire
from sgguard.wire.rpc_v1 import RpcV1Auth

VERSION = "2014-05-26"


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
