"""What carries groups, and which: an instance by its primary interface, or another interface.

One group more or less is joined or left, so that nothing else is touched that somebody may be
changing meanwhile. Any other difference is one call with the whole list, done at once: leaving
first would fail on the last group, joining first on mixed types. The order of groups has no meaning
here, and no document says that it is kept.

Source: JoinSecurityGroup, LeaveSecurityGroup, ModifyInstanceAttribute and
ModifyNetworkInterfaceAttribute, alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sgguard.errors import ConflictError, NotFoundError, SettingsError
from sgguard.model.change import Holder
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.listing import INSTANCES, INTERFACES, read_all
from sgguard.providers.alibaba.response import PROVIDER, instance_of, interface_of
from sgguard.providers.alibaba.settle import until


@dataclass(frozen=True, slots=True)
class Carrier:
    """The instance or the other interface whose groups are changed, and the groups it carries."""

    holder_id: str
    group_ids: tuple[str, ...]
    is_instance: bool

    @property
    def named(self) -> dict[str, str]:
        """How it is named in a call that changes one group of it."""
        return {("InstanceId" if self.is_instance else "NetworkInterfaceId"): self.holder_id}


def read_carrier(ecs: EcsClient, holder: Holder) -> Carrier | None:
    """Return what carries the groups of this holder, None when there is no such holder.

    The groups of a primary interface are those of its instance, and are changed there.

    Raises:
        SettingsError: nothing of this kind carries groups here.
        CloudError: the cloud could not be asked.
    """
    if holder.kind == "instance":
        return _instance(ecs, holder.holder_id)
    if holder.kind != "interface":
        raise SettingsError(f"alibaba: no {holder.kind} carries groups that could be changed")
    listed = read_all(ecs, INTERFACES, {"NetworkInterfaceId.1": holder.holder_id})
    for row in listed.rows:
        interface = interface_of(listed.answer, row)
        if interface.interface_id == holder.holder_id:
            if interface.is_primary and (instance_id := str(row.get("InstanceId") or "")):
                return _instance(ecs, instance_id)
            return Carrier(holder.holder_id, interface.group_ids, is_instance=False)
    return None


def set_groups(ecs: EcsClient, holder: Holder, before: Sequence[str], after: Sequence[str]) -> None:
    """Make the holder carry ``after`` instead of ``before``, and see that it does.

    Raises:
        ConflictError: it does not carry ``before``, or ``after`` is empty; nothing was changed.
        NotFoundError: there is no such holder, or no such group.
        LimitError: too many groups, or too many holders of one.
        DeadlineError: the time was used up before the change showed.
        CloudError: as the cloud says.
    """
    carrier = read_carrier(ecs, holder)
    if carrier is None:
        raise _gone(holder)
    if set(carrier.group_ids) != set(before):
        raise _conflict(f"{holder.holder_id} carries {', '.join(carrier.group_ids) or 'nothing'}")
    if not after:
        raise _conflict(f"{holder.holder_id} would be left without a group")
    joined = [one for one in dict.fromkeys(after) if one not in carrier.group_ids]
    left = [one for one in carrier.group_ids if one not in after]
    if not (joined or left):
        return
    action, params = _call(carrier, joined, left, list(dict.fromkeys(after)))
    ecs.write(action, params)
    until(ecs.wire, f"the groups of {holder.holder_id}", lambda: _shows(ecs, holder, joined, left))


def _call(
    carrier: Carrier, joined: Sequence[str], left: Sequence[str], after: Sequence[str]
) -> tuple[str, Mapping[str, str]]:
    """Return the call that touches least."""
    if len(joined) == 1 and not left:
        return "JoinSecurityGroup", {**carrier.named, "SecurityGroupId": joined[0]}
    if len(left) == 1 and not joined:
        return "LeaveSecurityGroup", {**carrier.named, "SecurityGroupId": left[0]}
    action, member = (
        ("ModifyInstanceAttribute", "SecurityGroupIds")
        if carrier.is_instance
        else ("ModifyNetworkInterfaceAttribute", "SecurityGroupId")
    )
    numbered = {f"{member}.{n}": one for n, one in enumerate(after, start=1)}
    return action, {**carrier.named, **numbered}


def _shows(ecs: EcsClient, holder: Holder, joined: Sequence[str], left: Sequence[str]) -> bool:
    """Say whether the change shows; what somebody else joins meanwhile is not our business."""
    carrier = read_carrier(ecs, holder)
    if carrier is None:
        raise _gone(holder)
    return set(joined) <= set(carrier.group_ids) and not set(left) & set(carrier.group_ids)


def _instance(ecs: EcsClient, instance_id: str) -> Carrier | None:
    listed = read_all(ecs, INSTANCES, {"InstanceIds": json.dumps([instance_id])})
    found = (instance_of(listed.answer, row) for row in listed.rows)
    one = next((one for one in found if one.instance_id == instance_id), None)
    return Carrier(instance_id, one.group_ids, is_instance=True) if one else None


def _conflict(detail: str) -> ConflictError:
    return ConflictError(PROVIDER, "set groups", detail=detail)


def _gone(holder: Holder) -> NotFoundError:
    return NotFoundError(PROVIDER, "set groups", detail=f"no {holder.kind} {holder.holder_id}")
