"""Calls to Huawei Cloud: the caller's credentials, its project, API versions and rates."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from sgguard import hiding
from sgguard.errors import ApiAbsentError, SettingsError
from sgguard.providers.huawei.error import checker
from sgguard.providers.huawei.region import Region
from sgguard.wire.client import Wire, parse_json
from sgguard.wire.openstack.keystone_auth import KeystoneAuth
from sgguard.wire.openstack.neutron.page import Params
from sgguard.wire.sdk_hmac import SdkHmacAuth
from sgguard.wire.shape import Json, Shape

T = TypeVar("T")
ABSENT_ID = "00000000-0000-4000-8000-000000000000"
"""An id that nothing can have: it is of no random UUID's version and variant bits alone."""

_CACHE_MAX = 256
_PROJECTS_ACTION = "GET /v3/projects"

ProjectKey = tuple[httpx.BaseTransport | None, str, str, str]


class ProjectCache:
    """Project ids by network, IAM address, caller and region; may be dropped at any time."""

    def __init__(self) -> None:
        self._ids: dict[ProjectKey, str] = {}
        self._locks: dict[ProjectKey, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: ProjectKey) -> str:
        """Return the id, ``""`` when it is not cached."""
        with self._guard:
            return self._ids.get(key, "")

    def put(self, key: ProjectKey, project: str) -> None:
        """Keep an id; the oldest ones are dropped when there are many."""
        with self._guard:
            while len(self._ids) >= _CACHE_MAX:
                oldest = next(iter(self._ids))
                del self._ids[oldest]
                self._locks.pop(oldest, None)
            self._ids[key] = project

    def lock(self, key: ProjectKey) -> threading.Lock:
        """Return the lock under which one thread reads the id while the others wait."""
        with self._guard:
            if key not in self._locks and len(self._locks) >= _CACHE_MAX:
                # Of a lookup that failed, or the oldest: without it two threads may both read.
                del self._locks[next(iter(self._locks))]
            return self._locks.setdefault(key, threading.Lock())


_CACHE = ProjectCache()
"""A project's id never changes; dropping it only costs a round trip."""


class TokenAuth(httpx.Auth):
    """Sends a token that was issued outside of this process."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "TokenAuth()"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the token."""
        request.headers["x-auth-token"] = self._token
        yield request


Sign = Callable[[str], SdkHmacAuth]
"""Returns the signature scheme for a project (``""`` for none)."""


@hiding("auth")
class Caller(msgspec.Struct, frozen=True):
    """Credentials of the caller: a signer, a Keystone identity, or an existing token.

    ``name`` identifies the caller in the cache and is no secret. ``project`` is empty when it must
    be looked up.
    """

    name: str
    auth: Sign | KeystoneAuth | TokenAuth
    project: str = ""


@hiding("wire", "projects")
class Api(msgspec.Struct, frozen=True):
    """One region's services as one caller sees them."""

    wire: Wire
    region: Region
    caller: Caller
    projects: ProjectCache = _CACHE

    def project(self) -> str:
        """Return the project's id, read from IAM once when it is not configured.

        Raises:
            SettingsError: IAM knows no project, or several, of the region's name.
            CloudError: IAM refused or could not be reached.
        """
        if self.caller.project:
            return self.caller.project
        if isinstance(self.caller.auth, KeystoneAuth):
            return self.caller.auth.token().project_id
        key = (self.wire.transport, self.region.iam, self.caller.name, self.region.name)
        if known := self.projects.get(key):
            return known
        with self.projects.lock(key):
            if known := self.projects.get(key):
                return known
            project = self._find_project()
            self.projects.put(key, project)
            return project

    def vpc(self, path: str, params: Params = (), *, thing_id: str = "") -> Json:
        """Return the response of ``GET {vpc}{path}``.

        ``{project_id}`` and ``{id}`` in it are filled in; the API, whose rate the cloud counts,
        is the same for all ids.
        """
        return self._get(self.region.vpc, path, params, thing_id)

    def ecs(self, path: str, *, thing_id: str = "") -> Json:
        """Return the response of ``GET {ecs}{path}``, filled in as :meth:`vpc` does."""
        return self._get(self.region.ecs, path, (), thing_id)

    def shape(self, path: str) -> Shape:
        """Return the reader of a response to ``GET path``."""
        return Shape(self.wire.provider, f"GET {path}")

    def send(
        self,
        method: str,
        base: str,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send a change exactly once; ``fields`` fill in what the path leaves open.

        Raises:
            CloudError: it was refused, or there was no response and the outcome is unknown.
        """
        action = f"{method} {path}"
        project = self.project()
        return self.wire.write(
            method,
            base + path.format(project_id=project, **(fields or {})),
            action=action,
            check=checker(self.wire.provider, action),
            auth=self._auth(project),
            headers={"content-type": "application/json"} if content else None,
            content=content,
        )

    def change(
        self, method: str, path: str, body: Json, *, fields: Mapping[str, str] | None = None
    ) -> Json:
        """Send a change of the network exactly once and return the JSON it is answered with.

        Raises:
            CloudError: as :meth:`send`; after a response that is not JSON the outcome is unknown.
        """
        action = f"{method} {path}"
        response = self.send(
            method, self.region.vpc, path, fields=fields, content=json.dumps(body).encode()
        )
        result = parse_json(response, provider=self.wire.provider, action=action)
        return Shape(self.wire.provider, action).table(result, "answer")

    def delete(self, path: str, thing_id: str) -> None:
        """Delete one thing of the network with exactly one call.

        Raises:
            CloudError: as :meth:`send`; after a proxy's page in place of the empty response the
                outcome is unknown.
        """
        response = self.send("DELETE", self.region.vpc, path, fields={"id": thing_id})
        if response.content:
            parse_json(response, provider=self.wire.provider, action=f"DELETE {path}")

    def _get(self, base: str, path: str, params: Params, thing_id: str) -> Json:
        action = f"GET {path}"
        project = self.project()
        body = self.wire.read_json(
            "GET",
            base + path.replace("{project_id}", project).replace("{id}", thing_id),
            action=action,
            check=checker(self.wire.provider, action),
            auth=self._auth(project),
            params=sorted(params),  # as they are signed
        )
        return self.shape(path).table(body, "answer")

    def _auth(self, project: str) -> httpx.Auth:
        auth = self.caller.auth
        return auth if isinstance(auth, httpx.Auth) else auth(project)

    def _find_project(self) -> str:
        body: Any = self.wire.read_json(
            "GET",
            f"{self.region.iam}/projects",
            action=_PROJECTS_ACTION,
            check=checker(self.wire.provider, _PROJECTS_ACTION),
            auth=self._auth(""),
            params={"name": self.region.name},
        )
        shape = Shape(self.wire.provider, _PROJECTS_ACTION)
        rows = shape.tables(shape.table(body, "answer").get("projects"), "projects")
        if len(rows) != 1:
            raise SettingsError(
                f"{self.wire.provider}: IAM knows {len(rows)} projects named "
                f"{self.region.name!r}: set HUAWEICLOUD_SDK_PROJECT_ID"
            )
        return shape.text(rows[0], "id", "projects[0]")


def unless_absent(newer: Callable[[], T], older: Callable[[], T]) -> T:
    """Call the newer API; where the gateway does not know it, call the older one.

    Regions and partner clouds without VPC v3 respond with 404 APIGW.0101 to every path of it. That
    does not mean that the requested group does not exist.
    """
    try:
        return newer()
    except ApiAbsentError:
        return older()


RATES: Mapping[str, float] = {"*": 20.0}
"""Calls per second, by action.

The gateway counts by API and user, some APIs by minutes ("limit:200,time:5 minute",
terraform-provider-huaweicloud #1335); the wait it names is kept (``error.py``). The documented
default is 200 calls a second; of 71 a second, seven in ten were refused with 429, so this is the
rate of those that passed (field notes, read 2026-11).
"""
