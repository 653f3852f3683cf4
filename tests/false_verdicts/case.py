"""One question to one random cloud: everything that is needed to ask it again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.state import Account, Cloud, State
from sgguard.emulator.transport import EmulatorTransport
from sgguard.model.request import LaunchRequest
from sgguard.policy import Policy
from tests.false_verdicts.faults import TroubledTransport


@dataclass(frozen=True)
class Case:
    """``is_hiding`` says that this cloud keeps something back, so that blocking is no lie.

    ``trouble`` is the seed of what goes wrong on the wire, empty for nothing. ``launch`` replaces
    ``asked`` where the question is about a launch; ``is_batch`` says that each of ``asked`` is
    asked about by itself.
    """

    seed: str
    cloud: Cloud
    env: dict[str, str]
    asker: Account
    region: str
    asked: tuple[str, ...] = ()
    is_hiding: bool = False
    trouble: str = ""
    policy: Policy = field(default_factory=Policy)
    launch: LaunchRequest | None = None
    is_batch: bool = False

    @property
    def provider(self) -> str:
        return self.cloud.provider

    @property
    def project(self) -> str:
        """The one project the credentials are confined to, empty where there is no such thing."""
        is_confined = self.provider in ("huawei", "openstack")
        return self.asker.projects[0] if is_confined else ""

    @property
    def is_admin(self) -> bool:
        return self.provider == "openstack" and self.asker.role == "admin"

    def emulator(self) -> Emulator:
        return Emulator(State([self.cloud]))

    def wire(self) -> httpx.BaseTransport:
        """What stands for the network of this case."""
        if self.trouble:
            return TroubledTransport(self.emulator(), self.provider, self.trouble)
        return EmulatorTransport(self.emulator())

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
        asker = next(a for a in copy.accounts if a.id == self.asker.id)
        return replace(self, cloud=copy, asker=asker)
