"""Calls to the Networking and Compute services a Keystone catalog names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from sgguard import hiding
from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ForbiddenError,
    InputError,
    UnknownShapeError,
)
from sgguard.providers.openstack.env import ADMIN_ROLE, moved
from sgguard.wire.client import Wire, parse_json
from sgguard.wire.openstack.catalog import INTERFACES
from sgguard.wire.openstack.failover import FAILOVER
from sgguard.wire.openstack.keystone import KeystoneToken
from sgguard.wire.openstack.keystone_auth import KeystoneAuth
from sgguard.wire.openstack.neutron.error import error_of, is_refusal
from sgguard.wire.openstack.neutron.page import Params, read_all
from sgguard.wire.parallel import chunks, parallel
from sgguard.wire.shape import Json, Shape

IDS_PER_CALL = 50
"""Ids in one query: more would make the address longer than servers accept."""

GROUP_FIELDS = tuple(
    ("fields", name)
    for name in (
        *("id", "name", "description", "project_id", "tenant_id"),
        *("shared", "stateful", "tags"),
    )
)
"""The fields read of a group: without this list all its rules, often a hundred, are included."""

WITH_RULES = (*GROUP_FIELDS, ("fields", "security_group_rules"))
"""The fields read of a group together with its rules."""

_NO_SUCH_RESOURCE = "HTTPNotFound"
_SEGMENT = re.compile(r"[0-9A-Za-z-]{1,64}")
_NETWORK_VERSION = "/v2.0"
_COMPUTE_VERSION = re.compile(r"/v2(\.1)?(/|$)")


class Resource(msgspec.Struct, frozen=True):
    """A path below the endpoints of one service, which the catalog calls network or compute."""

    service_type: str
    path: str


@hiding("wire")
class OpenStackApi(msgspec.Struct, frozen=True):
    """One region of one cloud, as one identity.

    By type of the service: ``interfaces`` are the endpoints of the catalog that are used, public
    ones by default; ``endpoints`` replace their scheme, host and port. ``cloud_roles`` are those
    that Neutron's policy lets see every project.
    """

    wire: Wire
    auth: KeystoneAuth
    region: str
    interfaces: Mapping[str, str] = msgspec.field(default_factory=dict)
    endpoints: Mapping[str, str] = msgspec.field(default_factory=dict)
    cloud_roles: frozenset[str] = frozenset({ADMIN_ROLE})

    @property
    def is_confined(self) -> bool:
        """Whether the token sees one project only, not the whole cloud."""
        return not (self.token().is_admin_project and self.may_change_all)

    @property
    def may_change_all(self) -> bool:
        """Whether a role of the token may change what belongs to other projects."""
        return not self.cloud_roles.isdisjoint(self.token().roles)

    def token(self) -> KeystoneToken:
        """Return the current token: project, roles and catalog."""
        return self.auth.token()

    def shape(self, action: str) -> Shape:
        """Return what reads the responses of an action."""
        return Shape(self.wire.provider, action)

    def network(self, path: str) -> Resource:
        """Return a path of Neutron v2.0."""
        return Resource("network", path)

    def compute(self, path: str) -> Resource:
        """Return a path of Nova v2.1."""
        return Resource("compute", path)

    def rows(self, collection: str, params: Params) -> list[Json]:
        """Return every row of a Neutron collection, such as ``security-groups``, over all pages.

        Raises:
            ApiAbsentError: this Neutron has no such collection.
        """
        rows, _ = self.listed(collection, params)
        return rows

    def listed(self, collection: str, params: Params) -> tuple[list[Json], bool]:
        """Return what :meth:`rows` returns, and whether the server limits its pages.

        Without a limit of its own Neutron sends no links; with one, each page has a link at least
        to the page before it, the first page too (``neutron.api.api_common``, measured).
        """
        shape, key = self.shape(f"GET /v2.0/{collection}"), collection.replace("-", "_")
        with_links: list[bool] = []

        def fetch(page: Params) -> object:
            body = self._list(collection, page)
            with_links.append(isinstance(body, dict) and f"{key}_links" in body)
            return body

        return read_all(fetch, params, key, shape), any(with_links)

    def page(self, collection: str, params: Params) -> list[Json]:
        """Return the rows of the first page of a collection.

        Raises:
            ApiAbsentError: this Neutron has no such collection.
        """
        shape, key = self.shape(f"GET /v2.0/{collection}"), collection.replace("-", "_")
        body = shape.table(self._list(collection, params), "answer")
        return shape.tables(body.get(key), key)

    def _list(self, collection: str, params: Params) -> Any:
        return self.offered(self.network(collection), f"GET /v2.0/{collection}", params)

    def offered(self, resource: Resource, action: str, params: Params = ()) -> Any:
        """Return what :meth:`get` returns, of an address without an id that could be unknown.

        Raises:
            ApiAbsentError: nothing is found there, so the API itself is not offered.
        """
        try:
            return self.get(resource, action, params)
        except UnknownShapeError as error:
            raise _as_absent(error) from error

    def rows_by(
        self, collection: str, name: str, values: Sequence[str], params: Params = ()
    ) -> list[Json]:
        """Return the rows whose ``name`` is one of the values: 50 values a call, in parallel."""
        calls: Sequence[Callable[[], list[Json]]] = [
            partial(self.rows, collection, [*((name, value) for value in chunk), *params])
            for chunk in chunks(values, IDS_PER_CALL)
        ]
        return [row for rows in parallel(calls) for row in rows]

    def get(self, resource: Resource, action: str, params: Params = ()) -> Any:
        """Return the JSON of one response, of the first endpoint that can be connected to.

        Raises:
            SettingsError: the catalog has no such service.
            InvalidRequestError: it has the service, but not in this region.
            CloudError: the service refused, or no endpoint could be reached.
        """
        bases = self._bases(resource.service_type)
        once = replace(self.wire, retry=replace(self.wire.retry, attempts=1))

        def ask(base: str) -> Any:
            return once.read_json(
                "GET",
                f"{base}/{resource.path}",
                action=action,
                check=partial(self._check, action),
                auth=self.auth,
                params=list(params),
            )

        # Every attempt tries all endpoints: none is waited for while another one works.
        attempt = partial(FAILOVER.read, self.wire.transport, bases, ask)
        return self.wire.retry.run(attempt, self.wire.deadline)

    def send(
        self,
        method: str,
        resource: Resource,
        action: str,
        body: object = None,
        revision: int | None = None,
    ) -> Any:
        """Send a change once, to the endpoint that reads use; return the JSON of the response.

        It is None when the response has no body. With a ``revision`` the change is made only if
        that is the current one: else Neutron refuses with 412.
        """
        headers = {"content-type": "application/json"}
        if revision is not None:
            headers["if-match"] = f"revision_number={revision}"
        bases = self._bases(resource.service_type)
        base = FAILOVER.order(self.wire.transport, bases)[0]
        response = self.wire.write(
            method,
            f"{base}/{resource.path}",
            action=action,
            check=partial(self._check, action),
            auth=self.auth,
            headers=headers,
            content=None if body is None else json.dumps(body).encode(),
        )
        if not response.content:
            return None
        return parse_json(response, provider=self.wire.provider, action=action)

    def _bases(self, service_type: str) -> tuple[str, ...]:
        """Return the addresses of a service's endpoints, with version, best first."""
        interface = self.interfaces.get(service_type, INTERFACES[0])
        urls = self.token().catalog.addresses(service_type, self.region, interface)
        endpoint = self.endpoints.get(service_type, "")
        # With an endpoint setting, several of them become the same address.
        return tuple(dict.fromkeys(_versioned(service_type, moved(u, endpoint)) for u in urls))

    def _check(self, action: str, response: httpx.Response) -> None:
        if not is_refusal(response):
            return
        error = error_of(self.wire.provider, action, response)
        # A fresh token is refused: the access rules of its application credential do not list this
        # call. The middleware responds with 401 for that, where a missing role leads to 403.
        is_rule = self.auth.identity.method == "application_credential"
        if response.status_code == httpx.codes.UNAUTHORIZED and is_rule:
            raise _as_forbidden(error)
        raise error


def _versioned(service_type: str, url: str) -> str:
    """Return the address of the version that is spoken; catalogs name it or leave it out."""
    if service_type == "network":
        return url if url.endswith(_NETWORK_VERSION) else f"{url}{_NETWORK_VERSION}"
    return url if _COMPUTE_VERSION.search(url) else f"{url}/v2.1"


def checked(text: str) -> str:
    """Return an id that may be part of an address.

    Raises:
        InputError: it holds anything that could lead elsewhere.
    """
    if _SEGMENT.fullmatch(text) is None:
        raise InputError(f"{text!r} is no id here: expected letters, digits and dashes")
    return text


def _as_absent(error: CloudError) -> CloudError:
    if error.code != _NO_SUCH_RESOURCE:
        return error
    return ApiAbsentError(
        error.provider,
        error.action,
        code=error.code,
        detail=error.detail,
        status=error.status,
        request_id=error.request_id,
    )


def _as_forbidden(error: CloudError) -> ForbiddenError:
    return ForbiddenError(
        error.provider,
        error.action,
        code="AccessRules",
        words="the application credential's access rules do not list this call",
        status=error.status,
        request_id=error.request_id,
    )


RATES: Mapping[str, float] = {"*": 100.0}
"""Calls per second, by action. No rate is documented; this generous one only bounds a batch.

Clouds that limit calls do so in a proxy of their own, which responds with 429.
"""
