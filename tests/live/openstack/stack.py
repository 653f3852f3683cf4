"""The running services: how to start them, who may ask what, and what their database holds."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

SCRIPT = Path(__file__).with_name("stack.sh")
ROOT = Path(__file__).parents[3]
VENV = Path(os.environ.get("OSVENV", ROOT / ".venv-openstack"))

WHOLE, PAGED, YOUNG = "RegionOne", "RegionPaged", "RegionYoung"
"""Regions over the same database: lists in one piece, two rows a page, and one started by tests."""

_PORTS = ("KS_PORT", "NT_PORT", "NV_PORT", "PAGED_PORT", "YOUNG_PORT")

SERVERS = 10
"""Servers of each project: records of Nova, whose ports a test makes."""


def is_installed() -> bool:
    """Whether ``stack.sh install`` has run to its end."""
    return (VENV / ".ready-build").exists()


@dataclass(frozen=True)
class Client:
    """Plain calls as one user: what is really there, and what really happens."""

    http: httpx.Client = field(repr=False)
    network: str
    compute: str
    token: str = field(repr=False)
    project: str

    def call(self, method: str, path: str, body: object = None, **params: Any) -> httpx.Response:
        """Call Neutron; ``path`` is below its version."""
        return self._send(method, f"{self.network}/v2.0/{path}", body, params)

    def made(self, path: str, body: Mapping[str, object]) -> Any:
        """Create one thing, or several, and return what the service says of it."""
        response = self.call("POST", path, body)
        assert response.status_code == httpx.codes.CREATED, response.text
        (value,) = response.json().values()
        return value

    def act(self, server: str, action: Mapping[str, object]) -> httpx.Response:
        """Call an action of a server of Nova."""
        return self._send("POST", f"{self.compute}/servers/{server}/action", action, {})

    def _send(
        self, method: str, url: str, body: object, params: Mapping[str, Any]
    ) -> httpx.Response:
        headers = {"X-Auth-Token": self.token}
        return self.http.request(
            method, url, json=body, headers=headers, params=dict(params), timeout=60
        )

    # What most tests begin with.

    def group(self, name: str, **more: object) -> str:
        """Create a group and return its id."""
        return self.made("security-groups", {"security_group": {"name": name, **more}})["id"]

    def rule(self, group: str, peer: str, port: int = 443, **more: object) -> str:
        """Create an ingress rule whose peer is a group and return its id."""
        rule = {
            "security_group_id": group,
            "direction": "ingress",
            "protocol": "tcp",
            "port_range_min": port,
            "port_range_max": port,
            "remote_group_id": peer,
            **more,
        }
        return self.made("security-group-rules", {"security_group_rule": rule})["id"]

    def port(self, network: str, groups: Sequence[str], **more: object) -> str:
        """Create a port with these groups and return its id."""
        body = {"network_id": network, "security_groups": list(groups), **more}
        return self.made("ports", {"port": body})["id"]

    def share(self, group: str, target: str, **more: object) -> str:
        """Share a group with a project (``*``: with all) and return the policy's id."""
        policy = {
            "object_type": "security_group",
            "object_id": group,
            "target_tenant": target,
            "action": "access_as_shared",
            **more,
        }
        return self.made("rbac-policies", {"rbac_policy": policy})["id"]


@dataclass(frozen=True)
class Stack:
    """Keystone, Neutron and Nova on loopback; ``facts`` is what ``stack.sh up`` wrote."""

    folder: Path
    ports: Mapping[str, int]

    @cached_property
    def facts(self) -> dict[str, Any]:
        return json.loads((self.folder / "env.json").read_text())

    @cached_property
    def transport(self) -> httpx.HTTPTransport:
        """The network of every decision: one, so that tokens are asked for once."""
        return httpx.HTTPTransport()

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Client]:
        return {}

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client()

    def project(self, who: str) -> str:
        """The id of the project of a user."""
        return self.facts[who.removesuffix("-reader")]["project_id"]

    def env(self, who: str) -> dict[str, str]:
        """The credentials of ``admin``, or of the member or ``-reader`` of a project."""
        owner = self.facts[who.removesuffix("-reader")]
        return {
            "OS_AUTH_URL": self.facts["auth_url"],
            "OS_USERNAME": owner["reader" if who.endswith("-reader") else "user"],
            "OS_PASSWORD": owner["password"],
            "OS_PROJECT_NAME": owner["project"],
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }

    def client(self, who: str, region: str = WHOLE) -> Client:
        """Plain calls as that user."""
        key = (who, region)
        if key not in self._clients:
            network = self.facts["networks"][region]
            compute = self.facts["compute_url"]
            token, project = self._token(who), self.project(who)
            self._clients[key] = Client(self._http, network, compute, token, project)
        return self._clients[key]

    def _token(self, who: str) -> str:
        env = self.env(who)
        domain = {"id": "default"}
        user = {"name": env["OS_USERNAME"], "domain": domain, "password": env["OS_PASSWORD"]}
        body = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": env["OS_PROJECT_NAME"], "domain": domain}},
        }
        url = f"{self.facts['auth_url']}/auth/tokens"
        response = self._http.post(url, json={"auth": body}, timeout=60)
        return response.headers["X-Subject-Token"]

    # -- the database -------------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Read Neutron's database: what is there, whoever may see it."""
        with closing(self.database()) as database:
            return database.execute(query, values).fetchall()

    def database(self) -> sqlite3.Connection:
        """Open Neutron's database."""
        database = sqlite3.connect(self.folder / "neutron.db", timeout=60)
        database.row_factory = sqlite3.Row
        return database

    def copy(self) -> sqlite3.Connection:
        """A copy of the whole database, in memory."""
        kept = sqlite3.connect(":memory:")
        with closing(self.database()) as database:
            database.backup(kept)
        return kept

    def put_back(self, kept: sqlite3.Connection) -> None:
        """Make the database what it was when the copy was taken; the services go on with it."""
        with closing(self.database()) as database:
            kept.backup(database)

    @contextmanager
    def as_before(self) -> Iterator[None]:
        """Put the database back at the end, as it was at the beginning."""
        with closing(self.copy()) as kept:
            try:
                yield
            finally:
                self.put_back(kept)

    # -- processes ----------------------------------------------------------------------------

    def run(self, command: str, *arguments: str, **variables: str) -> None:
        """Run a command of ``stack.sh`` with these variables, and fail with what it says."""
        ports = {name: str(port) for name, port in self.ports.items()}
        env = {**os.environ, "OSVENV": str(VENV), **ports, **variables}
        done = subprocess.run(
            ["bash", str(SCRIPT), command, str(self.folder), *arguments],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"stack.sh {command}:\n{done.stdout}{done.stderr}"

    @contextmanager
    def just_started(self) -> Iterator[None]:
        """A Neutron of its own in region ``YOUNG`` that nobody has asked anything yet."""
        self.run("neutron", "young", str(self.ports["YOUNG_PORT"]), "-1")
        try:
            yield
        finally:
            self.run("stop", "young")

    @cached_property
    def servers(self) -> dict[str, list[str]]:
        """The ids of the servers of each project."""
        found = {who: [str(uuid4()) for _ in range(SERVERS)] for who in ("alpha", "beta")}
        for who, ids in found.items():
            self.run("servers", who, *ids)
        return found

    @cached_property
    def networks(self) -> tuple[str, str]:
        """A network of ``alpha`` and one of ``beta``, for both; its owner sees every port on it."""
        return self._network("alpha", 1), self._network("beta", 2)

    def _network(self, who: str, number: int) -> str:
        client = self.client(who)
        network = client.made("networks", {"network": {"name": f"vpc-{number}"}})["id"]
        subnet = {"network_id": network, "cidr": f"10.{number}.0.0/16", "ip_version": 4}
        client.made("subnets", {"subnet": subnet})
        policy = {
            "object_type": "network",
            "object_id": network,
            "target_tenant": "*",
            "action": "access_as_shared",
        }
        self.client("admin").made("rbac-policies", {"rbac_policy": policy})
        return network


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Start the services in a folder, on free ports, and stop them at the end."""
    stack = Stack(folder, dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True)))
    try:
        stack.run("up")
        # What every test finds there: networks, servers, and the default group of each project.
        # No test meets a Neutron that nobody has asked before: that is a test of its own.
        for region in (WHOLE, PAGED):
            for who in ("admin", "alpha", "beta"):
                stack.client(who, region).call("GET", "security-groups")
        _ = stack.networks, stack.servers
        yield stack
    finally:
        stack.run("down")


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, all held until the last one is found."""
    with ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]
