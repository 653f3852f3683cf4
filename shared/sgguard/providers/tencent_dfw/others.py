"""Which further groups an instance carries, from Tencent's API 2.0.

The call that tells them does not say whose they are where an instance has further interfaces. So a
group that some further interface carries is not told: what is told is on the instance itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sgguard.errors import CloudError
from sgguard.providers.tencent_dfw import answer as dfw
from sgguard.providers.tencent_dfw import holder as carriers
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.wire.parallel import parallel

TOLD_MAX = 50
"""Each instance costs a call; of more than this nobody is told, and no remedy is planned."""


def others_of(
    api: DfwApi, group_id: str, instance_ids: Sequence[str]
) -> dict[str, tuple[str, ...] | None]:
    """Return, by instance, the groups it carries beside this one; None where nobody tells.

    This is for a remedy and never for the verdict: what cannot be read is just not told.
    """
    if len(instance_ids) > TOLD_MAX:
        return dict.fromkeys(instance_ids)
    read = parallel([partial(_groups, api, one) for one in instance_ids])
    found = dict(zip(instance_ids, read, strict=True))
    named = {one for groups in read for one in groups or ()} - {group_id}
    told = {one for one in sorted(named) if not _is_on_interfaces(api, one)}
    return {
        name: None if groups is None else tuple(one for one in groups if one in told)
        for name, groups in found.items()
    }


def _groups(api: DfwApi, instance_id: str) -> tuple[str, ...] | None:
    try:
        return dfw.groups_of_instance(api, instance_id)
    except CloudError:
        return None


def _is_on_interfaces(api: DfwApi, group_id: str) -> bool:
    try:
        return carriers.interface_ids(api, group_id)[1] > 0
    except CloudError:
        return True
