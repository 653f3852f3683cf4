"""Parsers of responses of Tencent's API 3.0 (VPC and CVM, 2017-03-12), as values of the model.

Every parser takes the inner ``Response`` and raises
:class:`~sgguard.errors.UnknownShapeError` for anything that is not as documented.
Sources: the action pages under https://cloud.tencent.com/document/api/215 and /213, and
recorded responses (read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from sgguard.model.resource import Group, Instance, Interface
from sgguard.model.sentence import Sentence, Text, said
from sgguard.wire.shape import Json, Shape

_GROUP_ID = re.compile(r"sg-[0-9a-z]+")
_STATES: Mapping[str, Sentence] = {
    "PENDING": said("refusal.pending"),
    "LAUNCH_FAILED": said("refusal.launch-failed"),
    "SHUTDOWN": said("refusal.shut-down"),
    "TERMINATING": said("refusal.terminating"),
    "ISOLATING": said("refusal.isolating"),
}

_OWN_BUSINESS = frozenset({"", "cvm"})
"""Who an interface belongs to where no product does: ``Business`` is cvm, eks or hai, or left out
(https://cloud.tencent.com/document/api/215/15824, NetworkInterface; read 2026-11-28)."""

_OPERATING = frozenset({"refusal.operating", "refusal.operating-any"})
"""The refusals that pass by themselves: every change waits for them."""

_BINDINGS = frozenset(
    {
        "",
        "AssociateSecurityGroups",
        "DisassociateSecurityGroups",
        "ModifyInstancesAttribute",
        "ModifyInstancesAttribute.SecurityGroups",  # as in a recorded response of 2023
    }
)


class Statistics(msgspec.Struct, frozen=True):
    """How many resources carry a group.

    ``products`` are the cloud's product types with their counts, ``total`` is the cloud's own sum
    of all of them, ``groups`` is how many groups reference this one (not part of the total).
    """

    products: Mapping[str, int]
    total: int
    groups: int


class Nic(msgspec.Struct, frozen=True):
    """A network interface: the groups it carries and the instance it is attached to, if any.

    ``owner`` is the product that it belongs to, empty for one of an instance or of nobody.
    ``change_refusal`` is why its groups cannot be changed now, or empty.
    """

    interface: Interface
    name: str = ""
    instance_id: str = ""
    owner: str = ""
    change_refusal: Text = ""


class Operation(msgspec.Struct, frozen=True):
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
    """Read one entry of ``SecurityGroupSet``; project ids are texts here, numbers elsewhere.

    Needed: the id; ``IsDefault`` (a default group cannot be deleted); name and tags (a policy asks
    for them). Everything else is only shown, or kept for building the group again.
    """
    path = "SecurityGroupSet[]"
    if row.get("IsDefault") is None:
        # Whether a group can be deleted at all depends on this, so nothing is assumed.
        raise shape.wrong(f"{path}.IsDefault: expected true or false")
    tags = shape.tables_or_none(row, "TagSet", path)
    return Group(
        group_id=shape.text(row, "SecurityGroupId", path),
        name=shape.text_or_none(row, "SecurityGroupName", path),
        description=shape.shown(row, "SecurityGroupDesc"),
        project=shape.shown(row, "ProjectId"),
        kind="",
        is_default=shape.flag(row, "IsDefault", path, otherwise=True),
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
    """Read one entry of ``InstanceSet``; its groups are in the order in which they are matched.

    Needed: the id and the groups. A state that is not told is a refusal to be bound or changed.
    """
    path = "InstanceSet[]"
    return Instance(
        instance_id=shape.text(row, "InstanceId", path),
        name=shape.shown(row, "InstanceName"),
        state=shape.shown(row, "InstanceState"),
        project=_within(shape, row, "Placement", "ProjectId"),
        network=_within(shape, row, "VirtualPrivateCloud", "VpcId"),
        group_ids=shape.texts(row, "SecurityGroupIds", path),
        binding_refusal=_refusal(shape, row),
    )


def _within(shape: Shape, row: Json, key: str, inner: str) -> str:
    """Return a member of an object, ``""`` where there is no such object."""
    return shape.shown(value, inner) if isinstance(value := row.get(key), dict) else ""


def is_operating(refusal: Text) -> bool:
    """Return whether a refusal passes by itself: an operation is under way."""
    return isinstance(refusal, Sentence) and refusal.code in _OPERATING


def is_pending(refusal: Text) -> bool:
    """Return whether an instance is only being created."""
    return refusal == _STATES["PENDING"]


def _refusal(shape: Shape, row: Json) -> Text:
    state = row.get("InstanceState")
    if not isinstance(state, str) or not state:
        return said("refusal.untold-state")
    if state in _STATES:
        return _STATES[state]
    restriction = shape.shown(row, "RestrictState")
    if restriction not in {"", "NORMAL"}:
        return said("refusal.restricted", state=restriction)
    if row.get("LatestOperationState") == "OPERATING":
        operation = shape.shown(row, "LatestOperation")
        return (
            said("refusal.operating", operation=operation)
            if operation
            else said("refusal.operating-any")
        )
    return ""


def operation(shape: Shape, row: Json) -> Operation:
    """Read the latest operation out of one entry of ``InstanceSet``."""
    return Operation(
        name=shape.shown(row, "LatestOperation"),
        state=shape.shown(row, "LatestOperationState"),
        request_id=shape.shown(row, "LatestOperationRequestId"),
        error_code=shape.shown(row, "LatestOperationErrorCode"),
    )


def nic(shape: Shape, row: Json) -> Nic:
    """Read one entry of ``NetworkInterfaceSet``.

    Needed: the id, the groups, and whether it is the primary interface of which instance.
    """
    path = "NetworkInterfaceSet[]"
    attachment = shape.table(row.get("Attachment") or {}, f"{path}.Attachment")
    holder = shape.text_or_empty(attachment, "InstanceId", path)
    business = shape.shown(row, "Business").lower()
    owner = "" if business in _OWN_BUSINESS else business
    refusal = _nic_refusal(owner, shape.shown(row, "State"), holder)
    return Nic(
        interface=Interface(
            interface_id=shape.text(row, "NetworkInterfaceId", path),
            group_ids=shape.texts(row, "GroupSet", path),
            is_primary=shape.flag(row, "Primary", path, otherwise=False),
            change_refusal=refusal,
        ),
        name=shape.shown(row, "NetworkInterfaceName"),
        instance_id=holder,
        owner=owner,
        change_refusal=refusal,
    )


def is_cvm(instance_id: str) -> bool:
    """Return whether this is the id of an instance of CVM, which alone has groups by its id."""
    return instance_id.startswith("ins-")


def _nic_refusal(owner: str, state: str, holder: str) -> Text:
    if holder and not is_cvm(holder):
        return said("refusal.no-cvm", holder=holder)
    if owner:
        return said("refusal.of-product", owner=owner)
    if state == "DELETING":
        return said("refusal.deleting")
    return ""
