"""Parsers of responses of Tencent's API 3.0 (VPC and CVM, 2017-03-12), as values of the model.

Every parser takes the inner ``Response`` and raises
:class:`~sgguard.errors.UnknownShapeError` for anything that is not as documented.
Sources: the action pages under https://cloud.tencent.com/document/api/215 and /213, and
recorded responses (read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Instance, Interface, Limit, Seen, Unseen
from sgguard.providers._tencent import DOCUMENTED_LIMITS, LIMIT_NOTES
from sgguard.wire.shape import Json, Shape

# ReferedSecurityGroupLimit is the API's own spelling; it may be corrected one day.
_LIVE_LIMITS: Mapping[str, tuple[str, ...]] = {
    "groups-per-instance": ("InstanceSecurityGroupLimit",),
    "instances-per-group": ("SecurityGroupInstanceLimit",),
    "rules-per-group": ("SecurityGroupPolicyLimit",),
    "references-per-group": ("ReferedSecurityGroupLimit", "ReferredSecurityGroupLimit"),
    "groups-per-project": ("SecurityGroupLimit",),
}

_GROUP_ID = re.compile(r"sg-[0-9a-z]+")
_LAUNCH_LIMITS = ("groups-per-instance", "instances-per-group")

_STATES: Mapping[str, str] = {
    "PENDING": "UnsupportedOperation.InstanceStatePending: the instance is being created",
    "LAUNCH_FAILED": "FailedOperation: the launch of the instance failed",
    "SHUTDOWN": "UnsupportedOperation.InstanceStateIsolating: the instance waits for removal",
    "TERMINATING": "UnsupportedOperation.InstanceStateIsolating: the instance is being removed",
    "ISOLATING": "UnsupportedOperation.InstanceStateIsolating: the instance is being isolated",
}

_BINDINGS = frozenset(
    {
        "",
        "AssociateSecurityGroups",
        "DisassociateSecurityGroups",
        "ModifyInstancesAttribute",
        "ModifyInstancesAttribute.SecurityGroups",  # as in a recorded response of 2023
    }
)


@dataclass(frozen=True, slots=True)
class Statistics:
    """How many resources carry a group.

    ``products`` are the cloud's product types with their counts, ``total`` is the cloud's own sum
    of all of them, ``groups`` is how many groups reference this one (not part of the total).
    """

    products: Mapping[str, int]
    total: int
    groups: int


@dataclass(frozen=True, slots=True)
class Nic:
    """A network interface: the groups it carries and the instance it is attached to, if any."""

    interface: Interface
    name: str = ""
    instance_id: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """The latest operation on an instance; fields that are not reported are empty.

    ``state`` is OPERATING, SUCCESS or FAILED.
    """

    name: str
    state: str
    request_id: str
    error_code: str

    @property
    def is_binding(self) -> bool:
        """Whether the groups may be about to change: by a binding, or by an unnamed operation."""
        return self.state == "OPERATING" and self.name in _BINDINGS


def group(shape: Shape, row: Json) -> Group:
    """Read one entry of ``SecurityGroupSet``; project ids are texts here, numbers elsewhere."""
    path = "SecurityGroupSet[]"
    if not isinstance(row.get("IsDefault"), bool):
        # Whether a group can be deleted at all depends on this, so nothing is assumed.
        raise shape.wrong(f"{path}.IsDefault: expected true or false")
    tags = shape.tables_or_none(row, "TagSet", path)
    return Group(
        group_id=shape.text(row, "SecurityGroupId", path),
        name=shape.text_or_none(row, "SecurityGroupName", path),
        description=shape.text_or_empty(row, "SecurityGroupDesc", path),
        project=_project(shape, row, path),
        is_default=row["IsDefault"],
        tags=None
        if tags is None
        else tuple(
            (shape.text(tag, "Key", "Tag"), shape.text_or_empty(tag, "Value", "Tag"))
            for tag in tags
        ),
    )


def references(shape: Shape, body: Json) -> dict[str, tuple[str, ...]]:
    """Read DescribeSecurityGroupReferences: by group, the groups whose rules name it.

    The English page calls the inner list "referred security groups"; according to the Chinese one
    it has all groups that reference ``SecurityGroupId``. Itself may be among them.
    """
    key = "ReferredSecurityGroupSet"
    rows = _by_id(shape, body, key)
    return {group_id: _referrers(shape, row, key) for group_id, row in rows.items()}


def _referrers(shape: Shape, row: Json, path: str) -> tuple[str, ...]:
    names = shape.texts(row, "ReferredSecurityGroupIds", path)
    if not all(_GROUP_ID.fullmatch(name) for name in names):
        raise shape.wrong(f"{path}.ReferredSecurityGroupIds: expected group ids")
    return names


def _by_id(shape: Shape, body: Json, path: str) -> dict[str, Json]:
    """Return rows by group id; two rows about one group are an unknown shape."""
    rows = shape.tables(body.get(path), path)
    found = {shape.text(row, "SecurityGroupId", path): row for row in rows}
    if len(found) != len(rows):
        raise shape.wrong(f"{path}: a group comes twice")
    return found


def statistics(shape: Shape, body: Json) -> dict[str, Statistics]:
    """Read DescribeSecurityGroupAssociationStatistics; its order is not that of the request.

    The five older counters are merged with ``InstanceStatistics``, which has every product; where
    the two differ the larger one is taken.
    """
    key = "SecurityGroupAssociationStatisticsSet"
    rows = _by_id(shape, body, key)
    return {group_id: _statistics(shape, row, key) for group_id, row in rows.items()}


def _statistics(shape: Shape, row: Json, path: str) -> Statistics:
    products = {name: shape.integer(row, name, path) for name in ("CVM", "ENI", "CLB", "CDB")}
    further = row.get("InstanceStatistics")
    for entry in shape.tables([] if further is None else further, f"{path}.InstanceStatistics"):
        name = shape.text(entry, "InstanceType", "InstanceStatistics")
        count = shape.integer(entry, "InstanceCount", "InstanceStatistics")
        products[name] = max(count, products.get(name, 0))
    read = Statistics(
        products, shape.integer(row, "TotalCount", path), shape.integer(row, "SG", path)
    )
    if min(read.total, read.groups, *products.values()) < 0:
        raise shape.wrong(f"{path}: a count is below zero")
    return read


def instance(shape: Shape, row: Json) -> Instance:
    """Read one entry of ``InstanceSet``; its groups are in the order in which they are matched."""
    path = "InstanceSet[]"
    placement = shape.table(row.get("Placement") or {}, f"{path}.Placement")
    network = shape.table(row.get("VirtualPrivateCloud") or {}, f"{path}.VirtualPrivateCloud")
    return Instance(
        instance_id=shape.text(row, "InstanceId", path),
        name=shape.text_or_empty(row, "InstanceName", path),
        state=shape.text(row, "InstanceState", path),
        project=_project(shape, placement, path),
        network=shape.text_or_empty(network, "VpcId", path),
        group_ids=shape.texts(row, "SecurityGroupIds", path),
        binding_refusal=_refusal(shape, row, path),
    )


def _refusal(shape: Shape, row: Json, path: str) -> str:
    state = shape.text(row, "InstanceState", path)
    if state in _STATES:
        return _STATES[state]
    restriction = shape.text_or_empty(row, "RestrictState", path)
    if restriction not in {"", "NORMAL"}:
        return f"UnsupportedOperation.InstanceStateIsolating: the instance is {restriction}"
    if shape.text_or_empty(row, "LatestOperationState", path) == "OPERATING":
        operation = shape.text_or_empty(row, "LatestOperation", path) or "an operation"
        return f"OperationDenied.InstanceOperationInProgress: {operation} is under way"
    return ""


def operation(shape: Shape, row: Json) -> Operation:
    """Read the latest operation out of one entry of ``InstanceSet``."""
    path = "InstanceSet[]"
    return Operation(
        name=shape.text_or_empty(row, "LatestOperation", path),
        state=shape.text_or_empty(row, "LatestOperationState", path),
        request_id=shape.text_or_empty(row, "LatestOperationRequestId", path),
        error_code=shape.text_or_empty(row, "LatestOperationErrorCode", path),
    )


def nic(shape: Shape, row: Json) -> Nic:
    """Read one entry of ``NetworkInterfaceSet``."""
    path = "NetworkInterfaceSet[]"
    attachment = shape.table(row.get("Attachment") or {}, f"{path}.Attachment")
    return Nic(
        interface=Interface(
            interface_id=shape.text(row, "NetworkInterfaceId", path),
            group_ids=shape.texts(row, "GroupSet", path),
            is_primary=shape.flag(row, "Primary", path, otherwise=False),
        ),
        name=shape.text_or_empty(row, "NetworkInterfaceName", path),
        instance_id=shape.text_or_empty(attachment, "InstanceId", path),
    )


def limits(shape: Shape, body: Json) -> Seen[tuple[Limit, ...]]:
    """Read DescribeSecurityGroupLimits; a limit it leaves out is the documented one, with a note.

    Two of them decide launches: there a limit that is left out is a gap as well. The use is never
    reported: ``groups-per-project`` holds for each project, and the action does not take one.
    """
    row = shape.table(body.get("SecurityGroupLimitSet"), "SecurityGroupLimitSet")
    read = tuple(_limit(shape, row, name, keys) for name, keys in _LIVE_LIMITS.items())
    return Seen(
        read,
        tuple(
            Unseen(
                code=UnseenCode.NOT_TOLD,
                what=f"limit {name}",
                why=f"{shape.action} leaves {_LIVE_LIMITS[name][0]} out",
                remedy="ask again; if it stays so, ask Tencent Cloud for the account's quota",
            )
            for name in _LAUNCH_LIMITS
            if row.get(_LIVE_LIMITS[name][0]) is None
        ),
    )


def _limit(shape: Shape, row: Json, name: str, keys: Sequence[str]) -> Limit:
    key = next((key for key in keys if row.get(key) is not None), keys[0])
    ceiling = shape.integer_or_none(row, key, "SecurityGroupLimitSet")
    documented = DOCUMENTED_LIMITS[name]
    if ceiling is None:
        return Limit(name, documented, note=f"the cloud leaves {key} out")
    if ceiling <= 0:
        raise shape.wrong(f"SecurityGroupLimitSet.{key}: expected a number above zero")
    if name == "groups-per-instance" and ceiling > documented:
        # The page's own sample says 2000; binding a sixth group is refused all the same
        # (LimitExceeded.AssociateUSGLimitExceeded), so only a policy may raise this.
        return Limit(
            name,
            documented,
            note=f"the cloud says {ceiling}, which its documents contradict; set a policy limit "
            "if your account really has more",
        )
    return Limit(name, ceiling, source="live", note=LIMIT_NOTES.get(name, ""))


def _project(shape: Shape, row: Json, path: str) -> str:
    project = row.get("ProjectId")
    if project is None:
        return ""
    if isinstance(project, bool) or not isinstance(project, str | int):
        raise shape.wrong(f"{path}.ProjectId: expected a text or a number")
    return str(project)
