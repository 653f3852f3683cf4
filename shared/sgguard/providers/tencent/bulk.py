"""One group put on many instances or interfaces in Tencent's API 3.0, a hundred a call.

A call for many is refused whole because of one of them, whose id its text often names. Instances
are bound asynchronously: DescribeInstances shows OPERATING until it is over, and the request that
began the latest operation. Interfaces are bound at once; primary ones by their instance only.
What the codes mean: :data:`REFUSALS`, by the document of AssociateSecurityGroups
(https://www.tencentcloud.com/document/product/213/33265, read 2026-11-29).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from sgguard.errors import (
    CloudError,
    ForbiddenError,
    InputError,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
)
from sgguard.model.bind import HolderState, Part, Refusal, Sent, Target
from sgguard.model.change import Holder
from sgguard.model.request import Action, HolderFilter
from sgguard.model.resource import Seen
from sgguard.model.sentence import said
from sgguard.providers.base import Cloud
from sgguard.providers.tencent import Tencent, reads
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.holder import INSTANCE, INTERFACE, Calls
from sgguard.providers.tencent.listing import INSTANCES, INTERFACES, PAGE, Listing, list_once
from sgguard.providers.tencent.response import is_operating, is_pending, nic
from sgguard.wire.parallel import chunks, parallel
from sgguard.wire.shape import Json

LARGEST = 100
"""Holders in one call that binds, and in one that reads."""

_INSTANCE_ID = re.compile(r"ins-[0-9a-z]{8}")
_INTERFACE_ID = re.compile(r"eni-[0-9a-z]{8}")
_TAG = "tag:"
_PAGES_MAX = 1000

REFUSALS: Mapping[str, Refusal] = {
    "FailedOperation.SecurityGroupActionFailed": "holder",
    "InvalidInstanceId.Malformed": "holder",
    "InvalidInstanceId.NotFound": "holder",
    "InvalidParameterValue.InstanceIdMalformed": "holder",
    "InvalidParameterValue.LimitExceeded": "size",
    "InvalidSecurityGroupId.NotFound": "group",
    "InvalidSgId.Malformed": "group",
    "LimitExceeded.AssociateUSGLimitExceeded": "holder",
    "LimitExceeded.CvmsVifsPerSecGroupLimitExceeded": "full",
    "LimitExceeded.SingleUSGQuota": "group",
    "MutexOperation.TaskRunning": "later",
    "OperationDenied.InstanceOperationInProgress": "later",
    # A general error of the service: whether it did anything is read before it is tried again.
    "SecGroupActionFailure": "unknown",
    "UnsupportedOperation.InstanceStateIsolating": "holder",
    "UnsupportedOperation.InstanceStatePending": "later",
    # Of the calls for interfaces.
    "InvalidParameterValue.Malformed": "holder",
    "LimitExceeded": "holder",
    "ResourceNotFound": "holder",
    "UnsupportedOperation": "holder",
}
"""What each code of the documents means for the holders of a call."""


def bulk(cloud: Cloud) -> TencentBulk:
    """Return how this cloud changes many holders."""
    if not isinstance(cloud, Tencent):
        raise InputError("this is another cloud")
    return TencentBulk(cloud.api)


class TencentBulk(msgspec.Struct, frozen=True):
    """Many holders of one region (see :class:`sgguard.providers.base.Bulk`)."""

    api: TencentApi
    largest: int = LARGEST
    looks_first: bool = False

    def kind_of(self, holder_id: str) -> str:
        """Return ``instance`` or ``interface``; empty: it is no id of either."""
        if _INSTANCE_ID.fullmatch(holder_id):
            return "instance"
        return "interface" if _INTERFACE_ID.fullmatch(holder_id) else ""

    def read(self, holder_ids: Sequence[str]) -> Seen[dict[str, HolderState | None]]:
        """Return each holder by id, a hundred a call; None: the cloud has no such holder."""
        by_kind = {
            "instance": [one for one in holder_ids if self.kind_of(one) == "instance"],
            "interface": [one for one in holder_ids if self.kind_of(one) == "interface"],
        }
        reading = [
            partial(self._read, kind, some)
            for kind, ids in by_kind.items()
            for some in chunks(ids, LARGEST)
        ]
        found: dict[str, HolderState | None] = {}
        for part in parallel(reading):
            found |= part
        return Seen(found)

    def find(self, wanted: HolderFilter) -> Seen[tuple[HolderState, ...]]:
        """Return every instance that fits; names are compared by whoever asks."""
        filters = []
        if wanted.group:
            filters.append({"Name": "security-group-id", "Values": [wanted.group]})
        if wanted.network:
            filters.append({"Name": "vpc-id", "Values": [wanted.network]})
        if wanted.tag:
            key, has_value, value = wanted.tag.partition("=")
            row = {"Name": f"{_TAG}{key}", "Values": [value]}
            filters.append(row if has_value else {"Name": "tag-key", "Values": [key]})
        params = {"Filters": filters} if filters else {}
        listed = list_once(self.api, INSTANCES, params, most=_PAGES_MAX)
        states = tuple(self._instance(row) for row in listed.rows)
        return Seen(states, listed.unseen(INSTANCES.action))

    def send(self, action: Action, group_id: str, some: Sequence[Target]) -> Sent:
        """Send one call for all holders, which are of one kind."""
        calls = INSTANCE if some[0].kind == "instance" else INTERFACE
        verb = calls.bind if action == "bind" else calls.unbind
        params = {"SecurityGroupIds": [group_id], calls.ids: [one.holder_id for one in some]}
        body = self.api.write(calls.service, verb, params)
        return Sent(request_id=str(body.get("RequestId", "")))

    def meaning(self, error: SgguardError) -> Refusal:
        """Return what a code means: by itself, by its family, or by the kind of the error."""
        if isinstance(error, ThrottledError):
            return "throttled"
        if isinstance(error, ForbiddenError | UnauthenticatedError):
            return "denied"
        code = error.code if isinstance(error, CloudError) else ""
        found = REFUSALS.get(code) or REFUSALS.get(code.partition(".")[0])
        return found or ("holder" if error.is_outcome_known else "unknown")

    # -- parts ------------------------------------------------------------------------------

    def _read(self, kind: str, ids: Sequence[str]) -> dict[str, HolderState | None]:
        listing, calls, state = INSTANCES, INSTANCE, self._instance
        if kind == "interface":
            listing, calls, state = INTERFACES, INTERFACE, self._interface
        rows = self._rows(listing, calls, ids)
        found = [state(row) for row in rows]
        missing: dict[str, HolderState | None] = dict.fromkeys(ids)
        return missing | {one.holder_id: one for one in found}

    def _rows(self, listing: Listing, calls: Calls, ids: Sequence[str]) -> list[Json]:
        """Return the rows of those that exist.

        Raises:
            UnknownShapeError: a row that was not asked for, or not as many as ``TotalCount``.
        """
        shape = self.api.shape(listing.action)
        params = {calls.ids: list(ids), "Limit": listing.number(PAGE)}
        body = self.api.read(listing.service, listing.action, params)
        rows = shape.tables(body.get(listing.key), listing.key)
        named = {shape.text(row, listing.row_id, listing.key) for row in rows}
        if shape.integer(body, "TotalCount", "Response") != len(named):
            raise shape.wrong(f"TotalCount: differs from the length of {listing.key}")
        if not named <= set(ids):
            raise shape.wrong(f"{listing.key}: one that was not asked for")
        return rows

    def _instance(self, row: Json) -> HolderState:
        one, operation = reads.instance_of(self.api, row), reads.operation(self.api, row)
        holder = Holder("instance", one.instance_id, one.instance_id)
        failure = operation.error_code or "LatestOperationState.FAILED"
        return HolderState(
            one.instance_id,
            "instance",
            (Part(holder, one.group_ids),),
            name=one.name,
            state=one.state,
            project=one.project,
            network=one.network,
            refusal=one.binding_refusal,
            is_passing=is_operating(one.binding_refusal) or is_pending(one.binding_refusal),
            last_request_id=operation.request_id,
            failure=failure if operation.state == "FAILED" else "",
            tags=_tags(row),
        )

    def _interface(self, row: Json) -> HolderState:
        found = nic(self.api.shape(INTERFACES.action), row)
        one = found.interface
        refusal = found.change_refusal
        if one.is_primary and found.instance_id and not refusal:
            refusal = said("refusal.primary", instance=found.instance_id)
        holder = Holder("interface", one.interface_id, found.instance_id)
        return HolderState(
            one.interface_id,
            "interface",
            (Part(holder, one.group_ids),),
            name=found.name,
            network=str(row.get("VpcId") or ""),
            refusal=refusal,
        )


def _tags(row: Json) -> tuple[tuple[str, str], ...] | None:
    tags = row.get("Tags")
    if not isinstance(tags, list):
        return None
    return tuple(
        (str(tag.get("Key", "")), str(tag.get("Value", "")))
        for tag in tags
        if isinstance(tag, dict)
    )
