"""A request on an emulated cloud, a channel, and the fake service behind it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.chat import access, deliver
from sgguard.chat.base import Inbound, Setup, kinds, setup_of
from sgguard.chat.web import Callbacks
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.policy.channel import ChannelPolicy, Route
from sgguard.store import open_store
from sgguard.store.rows import Approval
from sgguard.web.response import Response
from tests.approvals.harness import POLICY, ApprovalHarness
from tests.chat.services import SERVICES, Pressed, Service
from tests.stores import Clock, empty_file
from tests.worlds import world_of


class Router(httpx.BaseTransport):
    """The chat service for its own hosts, the emulated cloud for all others."""

    HOSTS = ("slack.com", "feishu.cn", "dingtalk.com", "weixin.qq.com", "logic.azure.com")

    def __init__(self, service: Service, cloud: httpx.BaseTransport) -> None:
        self.service, self.cloud = service, cloud

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_chat = any(request.url.host.endswith(one) for one in self.HOSTS)
        return (self.service if is_chat else self.cloud).handle_request(request)


@dataclass
class ChatHarness:
    """One cloud, one store, one channel ``ops`` of some kind; ``eve`` requests, ``ada`` decides."""

    approvals: ApprovalHarness
    service: Service
    channels: tuple[ChannelPolicy, ...]
    env: dict[str, str]

    def context(self, **changed: Any) -> Context:
        policy = replace(POLICY, channels=self.channels, routes=(Route(("ops",)),))
        transport = Router(self.service, EmulatorTransport(self.approvals.emulator))
        given = {"policy": policy, "transport": transport, "now": self.approvals.clock}
        self.approvals.env = self.env
        return self.approvals.context(**{**given, **changed})

    @property
    def setup(self) -> Setup:
        return setup_of(self.channels[0], self.env)

    def document(self, approval: Approval) -> dict[str, Any]:
        return self.approvals.document(approval)

    def body(self, approval: Approval, **changed: Any) -> dict[str, Any]:
        setup = Setup(replace(self.channels[0], **changed), self.setup.secrets)
        channel = kinds()[setup.config.kind]
        return deliver.rendered(
            self.document(approval), approval.requester, channel, setup, self.context()
        )

    def pressed(self, approval: Approval, action: str = "approve", **changed: Any) -> Pressed:
        token = self.service.tokens(self.body(approval)).get(action, "")
        return dataclasses.replace(Pressed(token, action, approval.approval_id), **changed)

    def call(self, given: Inbound, **query: str) -> Response:
        pages = Callbacks({**given.query, **query})
        response = pages.submit(given.headers, given.body, self.context())
        assert response is not None
        return response

    def tried(self, given: Inbound, **query: str) -> Response | SgguardError:
        """Return the response, or what the endpoint would answer with a problem."""
        try:
            return self.call(given, **query)
        except SgguardError as error:
            return error

    def said(self, response: Response | SgguardError) -> str:
        assert isinstance(response, Response)
        return self.service.said(response)

    def state(self, approval: Approval) -> str:
        return self.approvals.approval(approval.approval_id).state


class _Approvals(ApprovalHarness):
    """One clock for the chat, the store and the cloud: signatures and expiries agree."""

    def context(self, **changed: Any) -> Context:
        return super().context(**{"now": self.clock, **changed})


@contextmanager
def chat_harness(kind: str, folder: Path, **config: Any) -> Iterator[ChatHarness]:
    access.forget()
    world, clock = world_of("tencent"), Clock()
    url = empty_file(folder / "chat.db")
    store = open_store(url, clock)
    approvals = _Approvals(world, world.emulator(now=clock), url, store, clock)
    service = SERVICES[kind](clock)
    try:
        yield ChatHarness(approvals, service, (service.policy(**config),), service.env())
    finally:
        store.close()


def loaded(response: Response) -> Any:
    return json.loads(response.body)
