"""Groups of an emulated Neutron: created with two rules for outgoing traffic, changed, deleted.

The silent cascade: a group that is referenced and has no holders is deleted with a 204. The rules
of other groups that name it are deleted with it, in every project, and the response does not
mention them. The caller may not even be able to see those rules. The groups that lost rules have a
new revision (measured on Neutron 29); a change that changes nothing leaves the revision as it is.
"""

from __future__ import annotations

from uuid import uuid4

import httpx

from sgguard.emulator import edit
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.plugin import require_unreferenced
from sgguard.emulator.faces._openstack.neutron.quota import require_room
from sgguard.emulator.faces._openstack.neutron.response import (
    RefusedError,
    bad_request,
    body_of,
    forbidden,
    json_of,
    no_such_group,
    not_implemented,
    project_in,
    refused,
    require_owner,
    require_revision,
    text_in,
)
from sgguard.emulator.faces._openstack.neutron.rows import (
    STATELESS,
    group_row,
    tags_of,
    visible_groups,
)
from sgguard.emulator.state import Cloud, Group, Rule, StateError

_ATTRIBUTES = frozenset({"name", "description", "stateful"})


def create(request: httpx.Request, cloud: Cloud, caller: Caller, region: str) -> httpx.Response:
    """Respond to ``POST security-groups``.

    Raises:
        RefusedError: 400, 403 or 409.
    """
    body = body_of(request, "security_group", _ATTRIBUTES | {"project_id", "tenant_id"})
    project = project_in(body, caller)
    name, description = text_in(body, "name"), text_in(body, "description")
    require_owner(caller, project, "create_security_group")
    if name.lower() == "default":
        text = "Default security group already exists."
        raise refused(409, "SecurityGroupDefaultAlreadyExists", text)
    require_room(cloud, region, project, "security_group")
    owner = next((a.id for a in cloud.accounts if project in a.projects), caller.account.id)
    group = edit.create_group(
        cloud,
        Group(
            str(uuid4()),
            name,
            description,
            region=region,
            account=owner,
            project=project,
            kind="" if _is_stateful(body) else STATELESS,
            rules=[_egress_to_anywhere(ethertype) for ethertype in ("IPv4", "IPv6")],
        ),
    )
    return httpx.Response(201, json={"security_group": group_row(group, caller)})


def update(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, group_id: str
) -> httpx.Response:
    """Respond to ``PUT security-groups/{id}``.

    Raises:
        RefusedError: 400, 403, 404, 409 or 412.
    """
    group = _owned(cloud, caller, region, group_id, "update_security_group")
    body = body_of(request, "security_group", _ATTRIBUTES)
    require_revision(request, group.version)
    name, description = text_in(body, "name"), text_in(body, "description")
    if group.default and "name" in body:
        text = "Updating default security group not allowed."
        raise refused(409, "SecurityGroupCannotUpdateDefault", text)
    kind = ("" if _is_stateful(body) else STATELESS) if "stateful" in body else group.kind
    if kind != group.kind and cloud.interfaces_with(group.id):
        raise _refusal(group, "in-use")
    before = (group.name, group.description, group.kind)
    group.name = name if "name" in body else group.name
    group.description = description if "description" in body else group.description
    group.kind = kind
    if before != (group.name, group.description, group.kind):
        group.version += 1
    return httpx.Response(200, json={"security_group": group_row(group, caller)})


def tags(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, group_id: str
) -> httpx.Response:
    """Respond to ``GET`` and ``PUT security-groups/{id}/tags``.

    Raises:
        RefusedError: 400, 403, 404 or 501.
    """
    if request.method == "GET":
        group = _visible(cloud, caller, region, group_id)
    elif request.method == "PUT":
        group = _owned(cloud, caller, region, group_id, "update_security_group:tags")
        before = set(tags_of(group))
        group.tags = _tags_in(json_of(request).get("tags"))
        if set(tags_of(group)) != before:
            group.version += 1
    else:
        raise RefusedError(not_implemented(request))
    return httpx.Response(200, json={"tags": tags_of(group)})


def _tags_in(texts: object) -> dict[str, str]:
    """Return the tags of a body: plain texts, whatever they look like."""
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise bad_request("Invalid input for operation: Invalid data format for tags.")
    if len(set(texts)) < len(texts):
        message = "Invalid input for operation: Duplicate items in the list."
        raise refused(400, "InvalidInput", message)
    # Two tags may begin alike, and "a=" is not "a": then the text is kept as a whole.
    plain = {text for text in texts if not text.partition("=")[2]}
    tags: dict[str, str] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if value and key and key not in plain and key not in tags:
            tags[key] = value
        else:
            tags[text] = ""
    return tags


def delete(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, group_id: str
) -> httpx.Response:
    """Respond to ``DELETE security-groups/{id}``, with the silent cascade.

    Raises:
        RefusedError: 403, 404, 409 or 412.
    """
    group = _owned(cloud, caller, region, group_id, "delete_security_group")
    require_revision(request, group.version)
    is_in_use = cloud.interfaces_with(group.id) or cloud.attachments_with(group.id)
    if not is_in_use and (caller.is_admin or not group.default):
        require_unreferenced(cloud, caller, group)
    if caller.is_admin and group.default and not cloud.interfaces_with(group.id):
        group.default = False  # an administrator may delete a default group without holders
    referrers = {one.id: one for one, _ in cloud.references(group.id)}
    try:
        # Neutron never refuses because of references: it deletes the referring rules.
        cloud.delete_group(group.id, is_cascading=True)
    except StateError as error:
        raise _refusal(group, error.kind) from error
    for referrer in referrers.values():
        referrer.version += 1
    return httpx.Response(204)


def _refusal(group: Group, kind: str) -> RefusedError:
    if kind == "in-use":
        return refused(409, "SecurityGroupInUse", f"Security Group {group.id} in use.")
    if kind == "default":
        text = "Insufficient rights for removing default security group."
        return refused(409, "SecurityGroupCannotRemoveDefault", text)
    return RefusedError(forbidden("delete_security_group"))


def _visible(cloud: Cloud, caller: Caller, region: str, group_id: str) -> Group:
    group = next((g for g in visible_groups(cloud, caller, region) if g.id == group_id), None)
    if group is None:
        raise no_such_group(group_id)
    return group


def _owned(cloud: Cloud, caller: Caller, region: str, group_id: str, action: str) -> Group:
    group = _visible(cloud, caller, region, group_id)
    require_owner(caller, group.project, action)
    return group


def _is_stateful(body: dict[str, object]) -> bool:
    value = body.get("stateful", True)
    if not isinstance(value, bool):
        raise bad_request(f"Invalid input for stateful. Reason: '{value}' is no boolean.")
    return value


def _egress_to_anywhere(ethertype: str) -> Rule:
    return Rule("egress", str(uuid4()), protocol="any", ethertype=ethertype)
