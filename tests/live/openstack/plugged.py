"""Neutron with the plugin of ``deploy/openstack/neutron_plugin``."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.deploy.function import PLUGIN
from tests.live.openstack.stack import VENV, WHOLE, Client, Stack, free_ports

TOKEN = "the-token-of-the-plugin"
COUNTED = "counted:application"


def installed(folder: Path) -> Path:
    """Install the plugin with pip into a folder of its own, offline; return the folder."""
    source, target = folder / "source", folder / "site"
    shutil.copytree(PLUGIN, source)  # a build leaves files beside what it builds
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    options = ["--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, *options, "--target", str(target), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@dataclass(frozen=True)
class Guarded:
    """One Neutron API of the stack; its name is that of its log."""

    stack: Stack
    name: str
    port: int

    def client(self, who: str) -> Client:
        """Plain calls as that user."""
        return self._here(self.stack.client(who))

    def delete(self, who: str | Client, group: str) -> httpx.Response:
        """Delete a group as a user, or with the token of a client."""
        client = self.client(who) if isinstance(who, str) else self._here(who)
        return client.call("DELETE", f"security-groups/{group}")

    def _here(self, client: Client) -> Client:
        return replace(client, network=f"http://127.0.0.1:{self.port}")

    def log(self) -> str:
        """What this API has written so far."""
        return (self.stack.folder / f"{self.name}.log").read_text()


@contextmanager
def guarded(
    stack: Stack, name: str, site: Path | None, app: str = COUNTED, **options: str
) -> Iterator[Guarded]:
    """Start a Neutron API with the plugin (``site`` None: without) and these options."""
    (port,) = free_ports(1)
    more = stack.folder / f"{name}.more"
    lines = [f"{key} = {value}" for key, value in options.items()]
    more.write_text("\n".join(["[sgguard]", *lines, ""]))
    variables = {"NEUTRON_MORE": str(more), "NEUTRON_APP": app}
    if site is not None:
        variables |= {"SERVICE_PLUGINS": "sgguard", "PYTHONPATH": str(site)}
    stack.run("neutron", name, str(port), "-1", **variables)
    api = Guarded(stack, name, port)
    try:
        for who in ("admin", "alpha", "beta"):
            # A Neutron that nobody has asked before is a test of its own.
            api.client(who).call("GET", "security-groups")
        yield api
    finally:
        stack.run("stop", name)


def address(group: str) -> str:
    """The address that the plugin asks about."""
    return f"openstack::{WHOLE}:{group}"


def with_role(stack: Stack, who: str, role: str) -> Client:
    """Make a user with the roles of an administrator or a member, and a further one.

    It stays: to take a role from a user would end the tokens of others.
    """
    owner, admin = stack.client(who), stack.client("admin")

    def keystone(method: str, path: str, body: object = None, **params: str) -> Any:
        response = admin.http.request(
            method,
            f"{stack.facts['auth_url']}/{path}",
            json=body,
            params=params,
            headers={"X-Auth-Token": admin.token},
            timeout=60,
        )
        assert response.is_success, response.text
        return response.json() if response.content else None

    def role_id(name: str) -> str:
        found = keystone("GET", "roles", name=name)["roles"]
        return (found or [keystone("POST", "roles", {"role": {"name": name}})["role"]])[0]["id"]

    name = f"{who}-{uuid4()}"
    user = {"name": name, "password": name, "domain_id": "default"}
    user_id = keystone("POST", "users", {"user": user})["user"]["id"]
    for one in ("admin" if who == "admin" else "member", role):
        keystone("PUT", f"projects/{owner.project}/users/{user_id}/roles/{role_id(one)}")
    identity = {"methods": ["password"], "password": {"user": {"id": user_id, "password": name}}}
    scope = {"project": {"id": owner.project}}
    response = admin.http.post(
        f"{stack.facts['auth_url']}/auth/tokens",
        json={"auth": {"identity": identity, "scope": scope}},
        timeout=60,
    )
    return replace(owner, token=response.headers["X-Subject-Token"])


def inserted_groups(stack: Stack, who: str, count: int) -> list[str]:
    """Insert groups without rules into Neutron's database; to create so many takes minutes."""
    ids = [str(uuid4()) for _ in range(count)]
    with closing(stack.database()) as database, database:
        for number, group in enumerate(ids):
            made = database.execute(
                "INSERT INTO standardattributes (resource_type, description, revision_number) "
                "VALUES ('securitygroups', '', 1)"
            )
            row = (f"inserted-{number}", made.lastrowid, group, stack.project(who))
            database.execute(
                "INSERT INTO securitygroups (name, stateful, standard_attr_id, id, project_id) "
                "VALUES (?, 1, ?, ?, ?)",
                row,
            )
    return ids
