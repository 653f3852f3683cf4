"""Groups by id, and what "there is no such group" rests on.

A list of groups is empty when there is no such group, and also when the policy engine hides it: no
permission, or a Neutron that has just started. So where a list shows no group at all, each is asked
for by itself. Neutron looks a group up before it asks its policy: ``SecurityGroupNotFound`` says
that this project sees no such group, ``HTTPNotFound`` that there is one, hidden (measured).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sgguard.errors import NotFoundError, UnknownShapeError
from sgguard.model.resource import Group, Seen
from sgguard.model.sentence import said
from sgguard.providers._shared import unproved
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.openstack import proof
from sgguard.providers.openstack.api import GROUP_FIELDS, IDS_PER_CALL, OpenStackApi, checked
from sgguard.wire.openstack import neutron
from sgguard.wire.parallel import chunks, parallel

_SHOW = "GET /v2.0/security-groups/{id}"

Groups = dict[str, Group | None]


def read_groups(
    api: OpenStackApi, group_ids: Sequence[str], mark: Callable[[Group], Group]
) -> Seen[Groups]:
    """Return each group by id, as ``mark`` makes it; None: these credentials see no such group."""
    nothing: Groups = {}
    reads = [
        partial(seen_or_unseen, "groups", partial(_listed, api, chunk, mark), nothing)
        for chunk in chunks(group_ids, IDS_PER_CALL)
    ]
    parts = parallel(reads)
    by_id = {group_id: group for part in parts for group_id, group in part.value.items()}
    return Seen(by_id, tuple(gap for part in parts for gap in part.unseen))


def _listed(
    api: OpenStackApi, group_ids: Sequence[str], mark: Callable[[Group], Group]
) -> Seen[Groups]:
    shape = api.shape("GET /v2.0/security-groups")
    rows = api.rows_by("security-groups", "id", group_ids, GROUP_FIELDS)
    groups = [mark(neutron.parse_group(row, shape)) for row in rows]
    if not groups:
        return _one_by_one(api, group_ids, mark)
    found = {group.group_id: group for group in groups}
    return Seen({group_id: found.get(group_id) for group_id in group_ids})


def _one_by_one(
    api: OpenStackApi, group_ids: Sequence[str], mark: Callable[[Group], Group]
) -> Seen[Groups]:
    groups: Groups = {}
    hidden: list[str] = []
    shown = parallel([partial(show, api, group_id) for group_id in group_ids])
    for group_id, group in zip(group_ids, shown, strict=True):
        if isinstance(group, UnknownShapeError):
            hidden.append(group_id)
        else:
            groups[group_id] = mark(group) if group else None
    why = said("why.list-empty-hidden")
    return Seen(groups, unproved("groups", why, proof.GRANT, hidden))


def show(api: OpenStackApi, group_id: str) -> Group | UnknownShapeError | None:
    """Return one group; None: this token sees no such group; an error: it is there, and hidden.

    Raises:
        CloudError: it could not be asked for.
    """
    shape = api.shape(_SHOW)
    url = api.network(f"security-groups/{checked(group_id)}")
    try:
        body = api.get(url, _SHOW, GROUP_FIELDS)
    except NotFoundError:
        return None
    except UnknownShapeError as error:
        if not proof.is_hidden(error):
            raise
        return error
    return neutron.parse_group(shape.table(body, "answer").get("security_group"), shape)
