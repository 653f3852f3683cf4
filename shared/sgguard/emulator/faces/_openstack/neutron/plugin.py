"""The service plugin for Neutron of ``deploy/openstack/neutron_plugin``, as its users see it.

Quirk read here: ``sgguard_plugin`` (the plugin is loaded, without a function to ask). Then the
extension ``sgguard`` is there, and a group that rules of other groups name is not deleted, whatever
project has the rules. Their ids are for administrators and owners; of others there is a number.
"""

from __future__ import annotations

from typing import Any

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.response import refused
from sgguard.emulator.state import Cloud, Group, Rule

_EXTENSION: dict[str, Any] = {
    "name": "sgguard: guarded deletion of security groups",
    "alias": "sgguard",
    "description": "DELETE /v2.0/security-groups/{id} is refused with 409 while a rule of another "
    "group names the group as its remote group.",
    "updated": "2026-11-28T00:00:00-00:00",
    "links": [],
}
_CALLBACK = "sgguard_neutron.plugin.SgguardPlugin.precommit_delete-0"


def extensions(cloud: Cloud, parts: list[str]) -> httpx.Response:
    """Respond to ``GET extensions`` and ``GET extensions/{alias}``: only this one is emulated."""
    found = [_EXTENSION] if cloud.quirks.get("sgguard_plugin") else []
    if not parts:
        return httpx.Response(200, json={"extensions": found})
    shown = [one for one in found if one["alias"] == parts[0]]
    if shown:
        return httpx.Response(200, json={"extension": shown[0]})
    # Not Neutron's usual shape: the error comes from the layer below it (measured on Neutron 29).
    text = f"The resource could not be found.<br /><br />\nExtension with alias {parts[0]} "
    body = {"message": f"{text}does not exist\n\n", "code": "404 Not Found", "title": "Not Found"}
    return httpx.Response(404, json=body)


def require_unreferenced(cloud: Cloud, caller: Caller, group: Group) -> None:
    """Keep a group that rules of other groups name, where the plugin is loaded.

    Raises:
        RefusedError: 409.
    """
    naming = cloud.references(group.id)
    if not (cloud.quirks.get("sgguard_plugin") and naming):
        return
    # Neutron has no id of the group in a refusal from inside the transaction.
    head = f"Security Group None cannot perform precommit_delete due to Callback {_CALLBACK}"
    text = f'{head} failed with "sgguard: {_message(caller, naming)}".'
    raise refused(409, "SecurityGroupInUse", text)


def _message(caller: Caller, naming: list[tuple[Group, Rule]]) -> str:
    seen = [
        (one, rule)
        for one, rule in naming
        if caller.sees_all or caller.project in (one.project, rule.project)
    ]
    parts = [f"group {one.id} ({one.name}) with rule {rule.id}" for one, rule in seen]
    if hidden := len(naming) - len(seen):
        parts.append(f"{hidden} of other projects")
    return f"{len(naming)} would be deleted with it: {'; '.join(parts)}"
