"""Permission checks for Huawei Cloud and Open Telekom Cloud: one per API that verdicts use.

An empty list shows no permission (``proof.py``): a list counts when it has a row, else a read of an
id that cannot exist decides. Groups and rules are counted against the use of the project's quotas:
who sees a part of them only, by enterprise project, lacks a permission. Servers are read by an id
that cannot exist. Where a verdict falls back from
VPC v3 to v2.0, so do the checks. Changes are sent with ``dry_run``, which VPC v3 documents for
creating a rule or a group and for the groups of a port or supplementary interface ("only checks,
changes nothing, answers 202"), and even then for a group and a port that cannot exist. Deletes
and v2.0 have no dry run.
https://support.huaweicloud.com/intl/en-us/api-vpc/ (read 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ForbiddenError,
    UnauthenticatedError,
)
from sgguard.model.sentence import as_told
from sgguard.providers._probing import (
    Grant,
    PermissionCheck,
    Probe,
    Setup,
    is_huawei_address,
)
from sgguard.providers.access import ReadVariable
from sgguard.providers.huawei import Huawei, codes, listing, proof
from sgguard.providers.huawei.api import ABSENT_ID, Api, unless_absent
from sgguard.providers.huawei.listing import Source
from sgguard.providers.huawei.region import DOMAIN_SETTING, regions
from sgguard.wire.sdk_hmac import MAX_SKEW_S

_GROUPS = listing.GROUPS.path
_RULES = listing.RULES.path
_PORTS = listing.PORTS.path
_SUBS = listing.SUB_INTERFACES.path
_SUB = listing.SUB_INTERFACES.one
_QUOTAS = "/v3/{project_id}/vpc/quotas"
_USAGE = "/v1/{project_id}/quotas"
_SERVER = "/v1/{project_id}/cloudservers/{id}"
_SERVER_GROUPS = "/v2.1/{project_id}/servers/{id}/os-security-groups"
_INSERT = _PORTS + "/{id}/insert-security-groups"
_REMOVE = _PORTS + "/{id}/remove-security-groups"
_READER, _OWNER = (f"the policy VPC {name} in IAM" for name in ("ReadOnlyAccess", "FullAccess"))
_READER_OF_ALL = f"{_READER} for the whole project, not by enterprise project"
_SERVERS = "the policy ECS ReadOnlyAccess in IAM"
_NO_DRY_RUN = "Huawei Cloud documents no dry run for deletes"

_RULE = {"security_group_id": ABSENT_ID, "direction": "ingress", "remote_group_id": ABSENT_ID}
_PORT = {"security_groups": [ABSENT_ID]}
_GROUP = {"name": "sgguard-dry-run"}
_UNTESTABLE = (
    (f"DELETE {_GROUPS}/{{id}}", "deleting a group", _NO_DRY_RUN),
    (f"DELETE {_RULES}/{{id}}", "revoking a rule", _NO_DRY_RUN),
    ("PUT /v2.0/ports/{id}", "moving an interface", "v2.0 has no dry run"),
)
_DRY_RUNS = (
    ("POST", _RULES, "restoring a rule", {"security_group_rule": _RULE}),
    ("POST", _GROUPS, "restoring a group", {"security_group": _GROUP}),
    ("PUT", _INSERT, "binding an interface", {"port": _PORT}),
    ("PUT", _REMOVE, "unbinding an interface", {"port": _PORT}),
    ("PUT", _SUB, "moving a supplementary interface", {"sub_network_interface": _PORT}),
)


def _is_configured(read: ReadVariable) -> bool:
    if read("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"):
        return True
    users = read("OS_USERNAME", "OS_USER_ID", "OS_TOKEN", "OS_AUTH_TOKEN")
    return bool(users) and not _is_of_openstack(read)


def _region(read: ReadVariable) -> str:
    """Read the variables of Huawei's tools, its Terraform provider and Open Telekom Cloud's."""
    others = () if _is_of_openstack(read) else ("OS_REGION_NAME",)
    shape = regions(read("SGGUARD_ENDPOINT_HUAWEI"))
    return shape.setting(read, "HUAWEICLOUD_SDK_REGION", "HW_REGION_NAME", *others)


def _is_of_openstack(read: ReadVariable) -> bool:
    """Return whether the variables ``OS_*`` are about another cloud."""
    auth_url = read("OS_AUTH_URL")
    is_elsewhere = bool(auth_url) and not (is_huawei_address(auth_url) or read(DOMAIN_SETTING))
    return is_elsewhere or bool(read("SGGUARD_ENDPOINT_OPENSTACK"))


SETUP = Setup(
    is_configured=_is_configured,
    credentials=(
        "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (or OS_USERNAME, OS_PASSWORD and OS_DOMAIN_NAME)"
    ),
    region=_region,
    region_variable="HUAWEICLOUD_SDK_REGION",
)


def probe(provider: Huawei) -> Probe:
    """Return how to examine this region: the network and the server API, each at its address."""
    api = provider.api
    region = api.region
    return Probe(
        endpoints=tuple(dict.fromkeys((f"{region.vpc}/", f"{region.ecs}/"))),
        clock_tolerance_s=MAX_SKEW_S,
        checks=(*_reads(api), *_changes(api)),
        skew_codes=("APIGW.0303", "APIG.0303"),
        region_codes=("VPC.0007",),  # the project that is set is not the one of the region
        absent_codes=tuple(sorted(codes.ABSENT)),
    )


def _reads(api: Api) -> list[PermissionCheck]:
    newer, older = (
        partial(api.ecs, path, thing_id=ABSENT_ID)
        for path in (_SERVER_GROUPS, _SERVER_GROUPS.replace("v2.1", "v2"))
    )
    return [
        _listed(api, "groups", listing.GROUPS, listing.GROUPS_V2, partial(_count_groups, api)),
        _listed(
            api,
            "who references a group",
            listing.RULES,
            listing.RULES_V2,
            partial(_count_rules, api),
        ),
        _listed(api, "what carries a group", listing.PORTS, listing.PORTS_V2),
        _listed(api, "supplementary interfaces", listing.SUB_INTERFACES),
        PermissionCheck(
            f"GET {_QUOTAS}",
            "limits",
            _READER,
            ask=partial(api.vpc, _QUOTAS),
            if_absent="the documented limits are used",
        ),
        PermissionCheck(
            f"GET {_USAGE}",
            "how much of the limits is used",
            _READER,
            ask=partial(api.vpc, _USAGE),
            if_absent="the use of the project's limits is not known",
        ),
        PermissionCheck(
            f"GET {_SERVER_GROUPS}",
            "groups of a server",
            _SERVERS,
            ask=partial(unless_absent, newer, older),
        ),
        PermissionCheck(
            f"GET {_SERVER}",
            "state of a server",
            _SERVERS,
            ask=partial(api.ecs, _SERVER, thing_id=ABSENT_ID),
        ),
    ]


def _listed(
    api: Api,
    brings: str,
    newer: Source[Any],
    older: Source[Any] | None = None,
    count: Callable[[], None] | None = None,
) -> PermissionCheck:
    """Return the check of a list; ``count`` raises where rows of it are hidden."""

    def ask(source: Source[Any]) -> Grant:
        if not listing.has_any(api, source) and not proof.is_permitted(api, source):
            raise ForbiddenError(
                api.wire.provider, f"GET {source.path}", words="the list is empty, a row forbidden"
            )
        if count is not None:
            count()
        return Grant.GRANTED

    asks = [partial(ask, source) for source in (newer, older) if source is not None]
    return PermissionCheck(
        f"GET {newer.path}",
        brings,
        _READER_OF_ALL,
        ask=partial(unless_absent, *asks) if older else asks[0],
    )


def _count_groups(api: Api) -> None:
    """Raise ForbiddenError where groups of the project are hidden."""
    try:
        why = proof.hidden_groups(api)
    except ForbiddenError:
        return  # the quotas may not be read, which has its own check
    if why:
        raise ForbiddenError(
            api.wire.provider, f"GET {_GROUPS}", code="PartlyHidden", words=as_told(why)
        )


def _count_rules(api: Api) -> None:
    """Raise ForbiddenError where rules of the project are hidden."""
    try:
        gaps = proof.counted_rules(api).unseen
    except ForbiddenError:
        return
    if gaps:
        why = as_told(gaps[0].why)
        raise ForbiddenError(api.wire.provider, f"GET {_RULES}", code="PartlyHidden", words=why)


def _changes(api: Api) -> list[PermissionCheck]:
    untestable = [
        PermissionCheck(action, brings, _OWNER, need="change", why_untested=why)
        for action, brings, why in _UNTESTABLE
    ]
    dry_runs = [
        PermissionCheck(
            f"{method} {path}",
            brings,
            _OWNER,
            need="change",
            ask=partial(_dry_run, api, method, path, body),
            why_untested="the dry run did not show it",
            if_absent="v2.0 is used where it can be",
        )
        for method, path, brings, body in _DRY_RUNS
    ]
    return [*untestable, *dry_runs]


def _dry_run(api: Api, method: str, path: str, body: Mapping[str, object]) -> Grant:
    """Send a change that is only checked; only "accepted" and "forbidden" show the permission."""
    content = json.dumps({"dry_run": True, **body}).encode()
    try:
        response = api.send(method, api.region.vpc, path, fields={"id": ABSENT_ID}, content=content)
    except (ApiAbsentError, ForbiddenError, UnauthenticatedError):
        raise
    except CloudError as error:
        if error.is_retryable:
            raise
        return Grant.NOT_TOLD
    return Grant.GRANTED if response.status_code == httpx.codes.ACCEPTED else Grant.NOT_TOLD
