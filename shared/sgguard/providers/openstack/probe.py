"""Permission checks for OpenStack: one per API that verdicts use, and the roles of the token.

Neutron responds to a forbidden list with an empty one instead of a refusal. So a list counts as
permitted only when it shows a row, or when another question says that there is nothing to show;
the roles are checked as well. No call shows which changes are permitted, except that the role
reader permits none. (Neutron creates a project's default group when its groups are listed for the
first time, by any caller; the reads of a verdict have the same effect.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sgguard.errors import ForbiddenError, UnknownShapeError
from sgguard.providers._probing import Grant, PermissionCheck, Probe, Setup, is_huawei_address
from sgguard.providers.access import ReadVariable
from sgguard.providers.openstack import OpenStack
from sgguard.providers.openstack.api import WITH_RULES, OpenStackApi, checked
from sgguard.providers.openstack.env import REGIONS
from sgguard.providers.openstack.proof import (
    IMPOSSIBLE_ID,
    READERS,
    has_canary,
    is_hidden,
    is_without_ports,
)
from sgguard.wire.openstack.catalog import NO_SUCH_REGION

CLOCK_TOLERANCE_S = 15 * 60
"""Tokens have no signature: the local clock matters only for their expiry, an hour or more."""

_ABSENT_ID = IMPOSSIBLE_ID
_ONE = ("limit", "1")
_READERS = READERS
_WRITERS = _READERS - {"reader"}
_CHANGES = (
    ("DELETE /v2.0/security-groups/{id}", "deleting a group"),
    ("POST /v2.0/security-groups", "restoring a deleted group"),
    ("PUT /v2.0/security-groups/{id}/tags", "restoring the tags of a group"),
    ("POST /v2.0/rbac-policies", "restoring whom a group is shared with"),
    ("DELETE /v2.0/security-group-rules/{id}", "revoking a rule"),
    ("POST /v2.0/security-group-rules", "rewriting or restoring a rule"),
    ("PUT /v2.0/ports/{id}", "unbinding a port, or moving it to other groups"),
)


def _is_configured(read: ReadVariable) -> bool:
    auth_url = read("OS_AUTH_URL")
    is_huawei = is_huawei_address(auth_url) and not read("SGGUARD_ENDPOINT_OPENSTACK")
    return not is_huawei and bool(
        (auth_url or read("SGGUARD_ENDPOINT_OPENSTACK"))
        and read(
            "OS_USERNAME",
            "OS_USER_ID",
            "OS_TOKEN",
            "OS_APPLICATION_CREDENTIAL_ID",
            "OS_APPLICATION_CREDENTIAL_NAME",
        )
    )


SETUP = Setup(
    is_configured=_is_configured,
    credentials=(
        "OS_AUTH_URL with OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME (or "
        "OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET)"
    ),
    region=lambda read: REGIONS.setting(read, "OS_REGION_NAME"),
    region_variable="OS_REGION_NAME",
)


def probe(provider: OpenStack) -> Probe:
    """Return how to examine this region; the catalog is read by the first check."""
    api = provider.api
    roles = PermissionCheck(
        "roles of the token",
        "whether lists can be trusted",
        "the role reader in this project",
        ask=partial(_require_role, api, _READERS),
    )
    return Probe(
        endpoints=(api.auth.identity.auth_url,),
        clock_tolerance_s=CLOCK_TOLERANCE_S,
        # The roles come later: the first list shows any error of token or catalog.
        checks=(*_reads(api), roles, _read_port(api), *_changes(api)),
        region_codes=(NO_SUCH_REGION,),
        absent_codes=("HTTPNotFound",),
    )


def _reads(api: OpenStackApi) -> list[PermissionCheck]:
    return [
        _read_check("GET /v2.0/security-groups", "groups", partial(_list_groups, api)),
        _read_check(
            "GET /v2.0/security-group-rules", "who references a group", partial(_list_rules, api)
        ),
        _read_check("GET /v2.0/ports", "what carries a group", partial(_list_ports, api)),
        _read_check(
            "GET /v2.0/security-groups/{id}",
            "rules",
            partial(_get_group, api),
        ),
        _read_check(
            "GET /v2.0/rbac-policies",
            "whether a group is shared with other projects",
            partial(_list_policies, api),
            if_absent="without them nothing can be shared",
        ),
        _read_check(
            "GET /v2.0/quotas/{id}/details",
            "limits",
            partial(_get_quotas, api),
            if_absent="the quotas are read without how much of them is used",
        ),
        _read_check("GET /v2.1/servers/{id}", "state of a server", partial(_get_server, api, "")),
        _read_check(
            "GET /v2.1/servers/{id}/os-security-groups",
            "groups of a server",
            partial(_get_server, api, "/os-security-groups"),
        ),
    ]


def _read_check(
    action: str, brings: str, ask: Callable[[], object], if_absent: str = ""
) -> PermissionCheck:
    grant = f"the role reader (in an application credential's access rules: {action})"
    return PermissionCheck(action, brings, grant, ask=partial(ask), if_absent=if_absent)


def _read_port(api: OpenStackApi) -> PermissionCheck:
    action = "GET /v2.0/ports/{id}"
    return PermissionCheck(
        action,
        "what a port carries, and its revision, before it is changed",
        f"the role reader (in an application credential's access rules: {action})",
        need="change",
        ask=partial(_get_port, api),
    )


def _changes(api: OpenStackApi) -> list[PermissionCheck]:
    return [
        PermissionCheck(
            action,
            brings,
            "the role member",
            need="change",
            ask=partial(_unknown_if_writer, api),
            why_untested="the roles allow it by default, and OpenStack has no dry run",
        )
        for action, brings in _CHANGES
    ]


def _list_groups(api: OpenStackApi) -> object:
    if not has_canary(api, "security-groups"):
        raise _hidden(api, "security-groups")  # every project has a default group
    return None


def _list_rules(api: OpenStackApi) -> object:
    """Ask for one rule that a group of the project shows; without any rule nothing is told."""
    shape = api.shape("GET /v2.0/security-groups")
    for row in api.page("security-groups", WITH_RULES):
        path = "security_group_rules"
        for rule in shape.tables(row.get(path), path):
            rule_id = shape.text(rule, "id", path)
            if not api.page("security-group-rules", [("id", rule_id), _ONE]):
                raise _hidden(api, "security-group-rules")
            return None
    return Grant.GRANTED if has_canary(api, "security-group-rules") else Grant.NOT_TOLD


def _list_ports(api: OpenStackApi) -> object:
    if has_canary(api, "ports") or is_without_ports(api):
        return None
    raise _hidden(api, "ports")


def _list_policies(api: OpenStackApi) -> object:
    """Read the policies. There may be none: then only the role tells whether they are shown."""
    has_policy = has_canary(api, "rbac-policies")
    is_reader = not READERS.isdisjoint(api.token().roles)
    return None if has_policy or is_reader else Grant.NOT_TOLD


def _hidden(api: OpenStackApi, collection: str) -> ForbiddenError:
    return ForbiddenError(
        api.wire.provider,
        f"GET /v2.0/{collection}",
        code="Hidden",
        detail="it shows nothing although there is something to show",
    )


def _get_group(api: OpenStackApi) -> object:
    """Read a group that the project has: of one that does not exist everybody is told so."""
    shape, action = api.shape("GET /v2.0/security-groups"), "GET /v2.0/security-groups/{id}"
    rows = api.page("security-groups", [("fields", "id"), _ONE])
    ids = [shape.text(row, "id", "security_groups") for row in rows]
    try:
        return api.get(api.network(f"security-groups/{checked([*ids, _ABSENT_ID][0])}"), action)
    except UnknownShapeError as error:
        raise _hidden(api, "security-groups/{id}") if is_hidden(error) else error from error


def _get_port(api: OpenStackApi) -> object:
    return api.get(api.network(f"ports/{_ABSENT_ID}"), "GET /v2.0/ports/{id}")


def _get_quotas(api: OpenStackApi) -> object:
    url = api.network(f"quotas/{api.token().project_id}/details.json")
    return api.get(url, "GET /v2.0/quotas/{id}/details")


def _get_server(api: OpenStackApi, below: str) -> object:
    return api.get(api.compute(f"servers/{_ABSENT_ID}{below}"), f"GET /v2.1/servers/{{id}}{below}")


def _require_role(api: OpenStackApi, roles: frozenset[str]) -> None:
    """Raise ForbiddenError unless the token has one of the roles."""
    roles_held = api.token().roles
    if not roles & set(roles_held):
        detail = (
            f"the token has {', '.join(roles_held) or 'no role'}, not {' or '.join(sorted(roles))}"
        )
        raise ForbiddenError(api.wire.provider, "roles of the token", code="NoRole", words=detail)


def _unknown_if_writer(api: OpenStackApi) -> Grant:
    _require_role(api, _WRITERS)
    return Grant.NOT_TOLD
