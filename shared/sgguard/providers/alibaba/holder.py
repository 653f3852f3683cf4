"""The groups of one holder, read and changed: an instance (primary interface) or an interface.

One group more or less is joined or left, so that concurrent changes of other groups are kept; the
documents advise against these two calls, so where a server has retired them the whole list is sent
instead. Any other difference is one call with the whole list: leaving first would fail on the last
group, joining first on mixed types. The order of groups has no meaning here, and no document says
that it is kept.

Source: JoinSecurityGroup, LeaveSecurityGroup, ModifyInstanceAttribute and
ModifyNetworkInterfaceAttribute, alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from sgguard.errors import ApiAbsentError, ConflictError, NotFoundError, SettingsError
from sgguard.model.change import Holder
from sgguard.model.resource import Instance, Seen, Unseen
from sgguard.model.sentence import listed, said
from sgguard.providers._shared import unproved
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.listing import INSTANCES, INTERFACES, read_all
from sgguard.providers.alibaba.proof import (
    doubt_of_instances,
    doubt_of_interfaces,
    grant,
    unpermitted,
)
from sgguard.providers.alibaba.response import (
    PROVIDER,
    instance_of,
    interface_ids,
    interface_of,
)
from sgguard.providers.alibaba.settle import until
from sgguard.wire.parallel import parallel


class FoundHolder(msgspec.Struct, frozen=True):
    """The instance or interface at which the groups are changed, and the groups it carries."""

    holder_id: str
    group_ids: tuple[str, ...]
    is_instance: bool

    @property
    def id_param(self) -> dict[str, str]:
        """The parameter that names it in a call."""
        return {("InstanceId" if self.is_instance else "NetworkInterfaceId"): self.holder_id}


def read_holder(ecs: EcsClient, holder: Holder) -> tuple[str, ...] | None:
    """Return the groups the holder carries; None: there is no such holder.

    Raises:
        SettingsError: holders of this kind have no groups that could be changed here.
        ForbiddenError: it is not listed, and nothing proves that it is gone.
        CloudError: a call failed.
    """
    found = find(ecs, holder)
    return found.group_ids if found else None


def read_instance(ecs: EcsClient, instance_id: str) -> Seen[Instance | None]:
    """Return an instance and its interfaces; None: there is no such instance.

    Raises:
        CloudError: a call failed.
    """
    found, interfaces = parallel(
        [
            partial(read_all, ecs, INSTANCES, {"InstanceIds": json.dumps([instance_id])}),
            partial(read_all, ecs, INTERFACES, {"InstanceId": instance_id}),
        ]
    )
    carried = tuple(interface_of(interfaces.response, row) for row in interfaces.rows)
    for row in found.rows:
        instance = instance_of(found.response, row, carried)
        if instance.instance_id == instance_id:
            return Seen(instance, _unlisted_interfaces(instance, interface_ids(row)))
    doubt = said("doubt.has-interfaces") if carried else doubt_of_instances(ecs)
    if not doubt:
        return Seen(None)
    why = said("why.unlisted-unproved", doubt=doubt)
    return Seen(
        Instance(instance_id),
        unproved(said("part.instance", instance=instance_id), why, grant(INSTANCES.action)),
    )


def _unlisted_interfaces(instance: Instance, named: Sequence[str]) -> tuple[Unseen, ...]:
    """Return a gap where the list of interfaces lacks one that the instance must have."""
    shown = {one.interface_id for one in instance.interfaces}
    lacking = sorted(set(named) - shown)
    # Every instance of a VPC has a primary interface; one of the classic network has none.
    if not (lacking or (instance.network and not shown)):
        return ()
    why = said("why.lacks-primary")
    if lacking:
        why = said("why.lacks-interfaces", interfaces=listed(lacking))
    return unproved(
        said("part.of", part="interfaces", thing=instance.instance_id),
        why,
        grant(INTERFACES.action),
    )


def find(ecs: EcsClient, holder: Holder) -> FoundHolder | None:
    """Return where the groups of this holder are read and changed; None: there is none.

    The groups of a primary interface are those of its instance, and are changed there.
    """
    if holder.kind == "instance":
        return _find_instance(ecs, holder.holder_id)
    if holder.kind != "interface":
        raise SettingsError(f"alibaba: no {holder.kind} carries groups that could be changed")
    listed = read_all(ecs, INTERFACES, {"NetworkInterfaceId.1": holder.holder_id})
    for row in listed.rows:
        interface = interface_of(listed.response, row)
        if interface.interface_id == holder.holder_id:
            if interface.is_primary and (instance_id := str(row.get("InstanceId") or "")):
                return _find_instance(ecs, instance_id)
            return FoundHolder(holder.holder_id, interface.group_ids, is_instance=False)
    if doubt := doubt_of_interfaces(ecs):
        raise unpermitted(INTERFACES.action, doubt)
    return None


def set_groups(ecs: EcsClient, holder: Holder, before: Sequence[str], after: Sequence[str]) -> None:
    """Make the holder carry ``after`` instead of ``before``, and wait until it does.

    Raises:
        ConflictError: it does not carry ``before``, or ``after`` is empty; nothing was changed.
        NotFoundError: there is no such holder, or no such group.
        LimitError: too many groups, or too many holders of one.
        DeadlineError: the time was used up before the change showed.
        CloudError: the call was refused or failed.
    """
    sent = send(ecs, holder, find(ecs, holder), before, after)
    if sent is not None:
        until(
            ecs.wire,
            f"the groups of {holder.holder_id}",
            lambda: is_shown(holder, find(ecs, holder), sent),
        )


class Sent(msgspec.Struct, frozen=True):
    """What a call that was accepted does to a holder: the groups it joins and those it leaves."""

    joined: tuple[str, ...]
    left: tuple[str, ...]


def send(
    ecs: EcsClient,
    holder: Holder,
    found: FoundHolder | None,
    before: Sequence[str],
    after: Sequence[str],
) -> Sent | None:
    """Send the one call that makes the holder carry ``after``; None where it does already.

    ``found`` is what was just read of it.

    Raises:
        ConflictError, NotFoundError, LimitError, CloudError: as :func:`set_groups`.
    """
    if found is None:
        raise _gone(holder)
    if set(found.group_ids) != set(before):
        raise _conflict(f"{holder.holder_id} carries {', '.join(found.group_ids) or 'nothing'}")
    if not after:
        raise _conflict(f"{holder.holder_id} would be left without a group")
    joined = [one for one in dict.fromkeys(after) if one not in found.group_ids]
    left = [one for one in found.group_ids if one not in after]
    if not (joined or left):
        return None
    whole = list(dict.fromkeys(after))
    action, params = _least(found, joined, left) or _replacing(found, whole)
    try:
        ecs.write(action, params)
    except ApiAbsentError:
        # Joining and leaving are deprecated. Nothing was changed: the whole list does the same.
        replacing, params = _replacing(found, whole)
        if replacing == action:
            raise
        ecs.write(replacing, params)
    return Sent(tuple(joined), tuple(left))


def _least(
    found: FoundHolder, joined: Sequence[str], left: Sequence[str]
) -> tuple[str, Mapping[str, str]] | None:
    """Return the call for one group more or less, which keeps what others change meanwhile."""
    if len(joined) == 1 and not left:
        return "JoinSecurityGroup", {**found.id_param, "SecurityGroupId": joined[0]}
    if len(left) == 1 and not joined:
        return "LeaveSecurityGroup", {**found.id_param, "SecurityGroupId": left[0]}
    return None


def _replacing(found: FoundHolder, after: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    """Return the call with the whole list."""
    action, member = (
        ("ModifyInstanceAttribute", "SecurityGroupIds")
        if found.is_instance
        else ("ModifyNetworkInterfaceAttribute", "SecurityGroupId")
    )
    numbered = {f"{member}.{n}": one for n, one in enumerate(after, start=1)}
    return action, {**found.id_param, **numbered}


def is_shown(holder: Holder, found: FoundHolder | None, sent: Sent) -> bool:
    """Return whether a change shows; groups joined by others meanwhile are ignored.

    Raises:
        NotFoundError: the holder is gone.
    """
    if found is None:
        raise _gone(holder)
    return set(sent.joined) <= set(found.group_ids) and not set(sent.left) & set(found.group_ids)


def _find_instance(ecs: EcsClient, instance_id: str) -> FoundHolder | None:
    listed = read_all(ecs, INSTANCES, {"InstanceIds": json.dumps([instance_id])})
    found = (instance_of(listed.response, row) for row in listed.rows)
    one = next((one for one in found if one.instance_id == instance_id), None)
    if one is not None:
        return FoundHolder(instance_id, one.group_ids, is_instance=True)
    if doubt := doubt_of_instances(ecs):
        raise unpermitted(INSTANCES.action, doubt)
    return None


def _conflict(detail: str) -> ConflictError:
    return ConflictError(PROVIDER, "set groups", detail=detail)


def _gone(holder: Holder) -> NotFoundError:
    return NotFoundError(PROVIDER, "set groups", detail=f"no {holder.kind} {holder.holder_id}")
