"""One request to one random cloud, with everything needed to repeat it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.state import Account, Cloud, State
from sgguard.emulator.transport import EmulatorTransport
from sgguard.model.request import LaunchRequest
from sgguard.policy import Policy
from tests.false_verdicts.faults import FaultyTransport
from tests.false_verdicts.respelt import RespeltTransport


@dataclass(frozen=True)
class Case:
    """``is_hiding`` says that this cloud hides something, so that a block is correct.

    ``fault_seed`` is the seed of injected faults, empty for none; ``is_respelt`` says that the
    responses are spelt in another way. ``launch``
    replaces ``targets`` where the request is a launch; ``is_batch`` says that each of
    ``targets`` is a request of its own.
    """

    seed: str
    cloud: Cloud
    env: dict[str, str]
    caller: Account
    region: str
    targets: tuple[str, ...] = ()
    is_hiding: bool = False
    fault_seed: str = ""
    policy: Policy = field(default_factory=Policy)
    launch: LaunchRequest | None = None
    is_batch: bool = False
    is_respelt: bool = False

    @property
    def provider(self) -> str:
        return self.cloud.provider

    @property
    def project(self) -> str:
        """The one project the credentials are confined to, empty where there is no such thing."""
        is_confined = self.provider in ("huawei", "openstack")
        return self.caller.projects[0] if is_confined else ""

    @property
    def is_admin(self) -> bool:
        return self.provider == "openstack" and self.caller.role == "admin"

    def emulator(self) -> Emulator:
        return Emulator(State([self.cloud]))

    def wire(self) -> httpx.BaseTransport:
        """What stands for the network of this case."""
        if self.fault_seed:
            return FaultyTransport(self.emulator(), self.provider, self.fault_seed)
        plain = EmulatorTransport(self.emulator())
        return RespeltTransport(plain, self.provider, self.seed) if self.is_respelt else plain

    def fork(self) -> Case:
        """The same case on a copy of the cloud, which may then be changed."""
        cloud = self.cloud
        copy = replace(
            cloud,
            accounts=[replace(a, denied=list(a.denied)) for a in cloud.accounts],
            # Rules are never changed in place, only put into lists and taken out again.
            groups=[
                replace(g, rules=list(g.rules), shared_with=list(g.shared_with))
                for g in cloud.groups
            ],
            instances=[replace(i) for i in cloud.instances],
            interfaces=[replace(i, groups=list(i.groups)) for i in cloud.interfaces],
            attachments=[replace(a, groups=list(a.groups)) for a in cloud.attachments],
            limits=dict(cloud.limits),
            quirks=dict(cloud.quirks),
            tokens={},
            nonces=set(),
        )
        caller = next(a for a in copy.accounts if a.id == self.caller.id)
        return replace(self, cloud=copy, caller=caller)
