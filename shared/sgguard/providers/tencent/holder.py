"""The groups of one holder, read and changed in their order: an instance or an interface.

The order is the priority in which groups are matched. A group is bound behind the others, and
unbound at any position, by calls that change nothing else; any other change replaces the whole
list in one call, so that the holder always has a group. Instances are bound asynchronously: a
change is complete when no operation is in progress and the list is the wanted one.
Sources: https://cloud.tencent.com/document/api/213 and /215, the pages of the actions that
:data:`INSTANCE` and :data:`INTERFACE` name (read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from sgguard.errors import CloudError, ConflictError, InputError, NotFoundError
from sgguard.model.change import Holder
from sgguard.providers._shared import read_back
from sgguard.providers._tencent import is_reached, poll_until
from sgguard.providers.tencent import reads
from sgguard.providers.tencent.api import Service, TencentApi
from sgguard.providers.tencent.codes import may_be_reached
from sgguard.providers.tencent.response import Nic, Operation, is_cvm
from sgguard.wire.shape import Json

Groups = tuple[str, ...]


class Calls(msgspec.Struct, frozen=True):
    """The names and parameters of the calls for one kind of holder."""

    service: Service
    bind: str
    unbind: str
    ids: str
    replace: str
    replaced_id: str
    replaced_groups: str
    takes_many: bool


INSTANCE = Calls(
    "cvm",
    bind="AssociateSecurityGroups",
    unbind="DisassociateSecurityGroups",
    ids="InstanceIds",
    replace="ModifyInstancesAttribute",
    replaced_id="InstanceIds",
    replaced_groups="SecurityGroups",
    takes_many=True,
)
# The first call refuses primary interfaces: their groups are those of the instance.
INTERFACE = Calls(
    "vpc",
    bind="AssociateNetworkInterfaceSecurityGroups",
    unbind="DisassociateNetworkInterfaceSecurityGroups",
    ids="NetworkInterfaceIds",
    replace="ModifyNetworkInterfaceAttribute",
    replaced_id="NetworkInterfaceId",
    replaced_groups="SecurityGroupIds",
    takes_many=False,
)


def read_holder(api: TencentApi, holder: Holder) -> Groups | None:
    """Return the groups of a holder once no binding of it is in progress; None: no such holder.

    Raises:
        InputError: a product whose groups other APIs read and change.
        DeadlineError: a binding was not complete in time.
    """
    return _find(api, holder)[1]


def _find(api: TencentApi, holder: Holder) -> tuple[str, Groups | None]:
    """Return the instance at which the groups are changed (interface: empty), and the groups."""
    if holder.kind == "instance":
        return holder.holder_id, _groups_of_instance(api, holder.holder_id)
    if holder.kind != "interface":
        raise InputError(
            f"{api.wire.provider}: the groups of a {holder.kind} are read and changed by other APIs"
        )
    nic = reads.nic(api, holder.holder_id)
    if nic is not None and nic.interface.is_primary and is_cvm(nic.instance_id):
        return nic.instance_id, _groups_of_instance(api, nic.instance_id)
    return "", None if nic is None else nic.interface.group_ids


def set_groups(api: TencentApi, holder: Holder, before: Groups, after: Groups) -> None:
    """Give the holder the groups ``after`` in place of ``before`` and wait until it has them.

    Raises:
        InputError: ``after`` is empty, or a product whose groups other APIs change.
        NotFoundError: there is no such holder.
        ConflictError: it carries other groups than ``before``.
        LimitError: too many groups on the holder, or too many holders on a group.
        DeadlineError: the call was accepted, and the change was not complete in time.
    """
    if not after:
        raise InputError(f"{api.wire.provider}: {holder.holder_id} would be left without a group")
    instance_id, now = _find(api, holder)
    if now is None:
        raise NotFoundError(api.wire.provider, "set groups", detail=f"no {holder.holder_id}")
    if now != before:
        names = ", ".join(now) or "no group"
        raise ConflictError(
            api.wire.provider, "set groups", detail=f"{holder.holder_id} carries {names}"
        )
    if after == before:
        return
    try:
        if instance_id:
            body = _write(api, INSTANCE, instance_id, before, after)
        else:
            _write(api, INTERFACE, holder.holder_id, before, after)
    except CloudError as error:
        # The refused change may be made all the same: by somebody else, or by this call.
        if not (may_be_reached(error) and is_reached(lambda: read_holder(api, holder) == after)):
            raise
        return
    if instance_id:
        _await_instance(api, instance_id, before, after, str(body.get("RequestId", "")))
    else:
        _await_interface(api, holder.holder_id, before, after)


def _groups_of_instance(api: TencentApi, instance_id: str) -> Groups | None:
    row = poll_until(
        api.wire,
        partial(reads.instance_row, api, instance_id),
        lambda row: row is None or not reads.operation(api, row).is_binding,
        f"a binding of {instance_id}",
    )
    return None if row is None else reads.instance_of(api, row).group_ids


def _write(api: TencentApi, calls: Calls, holder_id: str, before: Groups, after: Groups) -> Json:
    """Send the one call that changes least."""
    action, params = call_of(calls, before, after)
    if action == calls.replace:
        named = {calls.replaced_id: [holder_id] if calls.takes_many else holder_id}
        return api.write(calls.service, action, {**params, **named})
    return api.write(calls.service, action, {**params, calls.ids: [holder_id]})


def call_of(calls: Calls, before: Groups, after: Groups) -> tuple[str, dict[str, list[str]]]:
    """Return the call that changes least, and its parameters besides the holders."""
    gone = [group_id for group_id in before if group_id not in after]
    if after[:-1] == before:
        return calls.bind, {"SecurityGroupIds": [after[-1]]}
    if len(gone) == 1 and after == tuple(one for one in before if one not in gone):
        return calls.unbind, {"SecurityGroupIds": gone}
    return calls.replace, {calls.replaced_groups: list(after)}


def has_effect(groups: Groups, before: Groups, after: Groups) -> bool:
    """Return whether the groups show what the call from ``before`` to ``after`` does.

    A call that puts one group on, or takes one off, says nothing about the others: somebody else
    may change them at the same time, and then the holder never carries exactly ``after``.
    """
    action, params = call_of(INSTANCE, before, after)
    if groups == after or action == INSTANCE.replace:
        return groups == after
    (named,) = params["SecurityGroupIds"]
    return (named in groups) == (action == INSTANCE.bind)


def _await_instance(
    api: TencentApi, instance_id: str, before: Groups, after: Groups, request_id: str
) -> None:
    def is_over(row: Json | None) -> bool:
        if row is None:
            raise NotFoundError(api.wire.provider, "DescribeInstances", detail=instance_id)
        return is_changed(api, row, before, after, request_id)

    what = f"the binding of {instance_id}"
    ask = partial(reads.instance_row, api, instance_id)
    poll_until(api.wire, lambda: read_back(ask, what), is_over, what)


def is_changed(api: TencentApi, row: Json, before: Groups, after: Groups, request_id: str) -> bool:
    """Return whether an instance shows what an accepted call does, or that it has been done.

    False while the operation is in progress, and while a row older than the change is shown.

    Raises:
        CloudError: the cloud accepted the call, and its operation failed.
    """
    operation = reads.operation(api, row)
    if operation.state == "OPERATING":
        return False
    if has_effect(reads.instance_of(api, row).group_ids, before, after):
        return True
    _raise_if_failed(api, operation, request_id)
    # Done, and changed again by somebody else; or the row is older than the change.
    return operation.state == "SUCCESS" and operation.request_id == request_id != ""


def _raise_if_failed(api: TencentApi, operation: Operation, request_id: str) -> None:
    """Raise where the operation of our call has failed; that of an older call is ignored."""
    is_ours = operation.request_id in ("", request_id)
    if operation.state == "FAILED" and is_ours:
        raise CloudError(
            api.wire.provider,
            operation.name or "set groups",
            code=operation.error_code or "LatestOperationState.FAILED",
            detail="the cloud took the call and then failed to carry it out",
            request_id=request_id,
        )


def _await_interface(api: TencentApi, interface_id: str, before: Groups, after: Groups) -> None:
    def is_over(nic: Nic | None) -> bool:
        if nic is None:
            raise NotFoundError(api.wire.provider, "DescribeNetworkInterfaces", detail=interface_id)
        return has_effect(nic.interface.group_ids, before, after)

    ask: Callable[[], Nic | None] = partial(reads.nic, api, interface_id)
    what = f"the binding of {interface_id}"
    poll_until(api.wire, lambda: read_back(ask, what), is_over, what)
