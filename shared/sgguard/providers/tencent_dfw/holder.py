"""The groups of one holder, read and changed: an instance, in Tencent's API 2.0.

The one call replaces the whole list of the primary interface, in the order in which groups are
matched. The call that reads a list does not say whose groups it shows where an instance has further
interfaces, so a list with a group that some further interface carries is not written back. No call
of this module reports the groups of an interface: they are not changed.
Sources: https://cloud.tencent.com/document/api/213/1367 and /5438 (read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from sgguard.errors import (
    CloudError,
    ConflictError,
    InputError,
    NotFoundError,
    SettingsError,
    SgguardError,
)
from sgguard.model.change import Change, Holder
from sgguard.providers._shared import read_back
from sgguard.providers._tencent import is_reached, poll_until
from sgguard.providers.tencent_dfw import response
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.providers.tencent_dfw.bindings import interface_ids
from sgguard.providers.tencent_dfw.codes import may_be_reached
from sgguard.wire.parallel import parallel

ACTION = "ModifySecurityGroupsOfInstance"
_INSTANCE_ID = re.compile(r"ins-[0-9a-z]{8}")

Groups = tuple[str, ...]


def read_holder(api: DfwApi, holder: Holder) -> Groups | None:
    """Return the groups of an instance, None where there is none.

    Raises:
        SettingsError: an interface: API 2.0 does not report its groups.
        InputError: a product whose groups other APIs read and change.
        UnknownShapeError: the response names no group, which does not prove that there is none.
    """
    provider = api.wire.provider
    if holder.kind == "interface":
        raise SettingsError(
            f"{provider}: API 2.0 does not report which groups {holder.holder_id} carries, so they "
            "cannot be changed safely: use the provider tencent (API 3.0)"
        )
    if holder.kind != "instance":
        raise InputError(
            f"{provider}: the groups of a {holder.kind} are read and changed by other APIs"
        )
    if not _INSTANCE_ID.fullmatch(holder.holder_id):
        return None
    try:
        group_ids = response.groups_of_instance(api, holder.holder_id)
    except NotFoundError:
        return None
    if group_ids is None:
        raise api.shape("DescribeSecurityGroups").wrong("data: names no group of the instance")
    return group_ids


def set_groups(api: DfwApi, holder: Holder, before: Groups, after: Groups) -> None:
    """Give the instance the groups ``after`` in place of ``before`` and wait until it has them.

    Raises:
        InputError: ``after`` is empty, or a product whose groups other APIs change.
        SettingsError: an interface.
        NotFoundError: there is no such instance.
        ConflictError: it carries other groups, or a group that stays is on further interfaces too.
        LimitError: too many groups.
        DeadlineError: the call was accepted, and the change was not complete in time.
    """
    change = Change("set-groups", "", holder=holder, before=before, after=after)
    name = holder.holder_id
    if not after:
        raise _empty(api, name)
    if problem := problem_of(api, change, read_holder(api, holder)):
        raise problem
    if after == before:
        return
    require_primary_only(api, name, [group_id for group_id in after if group_id in before])
    try:
        api.write(ACTION, instanceSet=[{"instanceId": name, "sgIds": list(after)}])
    except CloudError as error:
        # The refused change may be made all the same: by somebody else, or by this call.
        if not (may_be_reached(error) and is_reached(lambda: read_holder(api, holder) == after)):
            raise
        return
    what = f"the binding of {name}"
    poll_until(
        api.wire,
        lambda: read_back(partial(read_holder, api, holder), what),
        lambda shown: set(shown or ()) == set(after),
        what,
    )


def require_primary_only(api: DfwApi, instance_id: str, kept: list[str]) -> None:
    """Refuse to write back a group that may have been listed for a further interface.

    Raises:
        ConflictError: further interfaces carry one of the groups kept.
    """
    read = parallel([partial(interface_ids, api, group_id) for group_id in kept])
    shared = [group_id for group_id, (_, count) in zip(kept, read, strict=True) if count]
    if shared:
        raise shared_conflict(api, instance_id, shared)


def problem_of(api: DfwApi, change: Change, now: Groups | None) -> SgguardError | None:
    """Return why a change is not sent to an instance that carries ``now``; None: it can be."""
    name = change.holder.holder_id if change.holder else ""
    if not change.after:
        return _empty(api, name)
    if now is None:
        return NotFoundError(api.wire.provider, ACTION, detail=f"no {name}")
    if now != change.before:
        return ConflictError(api.wire.provider, ACTION, detail=f"{name} carries {', '.join(now)}")
    return None


def _empty(api: DfwApi, name: str) -> InputError:
    return InputError(f"{api.wire.provider}: {name} would be left without a group")


def shared_conflict(api: DfwApi, instance_id: str, shared: Sequence[str]) -> ConflictError:
    """Return the error of a list with groups that further interfaces carry."""
    return ConflictError(
        api.wire.provider,
        ACTION,
        detail=f"not sent: further interfaces carry {', '.join(shared)}, and API 2.0 does "
        f"not report whether {instance_id} itself does: use the provider tencent",
    )
