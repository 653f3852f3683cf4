"""Notifications in the envelope of the wire, with a context that carries a token."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sgguard.model.occurrence import Happened
from tests.events.samples import About, Samples


def notification(about: About, kind: str, payload: Any, **more: Any) -> Any:
    at = datetime.fromtimestamp(about.at_s, UTC).isoformat(" ").removesuffix("+00:00")
    return {
        "_context_auth_token": "gAAAAA-a-token",
        "_context_project_id": "a83c8b0d2df24170a7c54f09f824230e",
        "_context_user_name": "neutron",
        "message_id": about.operation,
        "publisher_id": "network.node-1",
        "event_type": kind,
        "priority": "INFO",
        "payload": payload,
        "timestamp": f"{at}.611022",
        "_unique_id": "9a33b76a38b34806bf3dd37d2e88f973",
        **more,
    }


def event(about: About, kind: str, payload: Any, **more: Any) -> Any:
    inner = notification(about, kind, payload, **more)
    return {"oslo.version": "2.0", "oslo.message": json.dumps(inner)}


def port(about: About, **more: Any) -> Any:
    return {
        "id": "1233445-75b6-4c05-9480-4bc648845c6f",
        "device_owner": "compute:nova",
        "device_id": about.instance,
        "tenant_id": "75c0eb79ff4a42b0ae4973c8375ddf40",
        "security_groups": [about.group],
        "binding:profile": {"secret": "a secret"},
        **more,
    }


EXAMPLE = About(
    "1dd6e298-5f3a-4d0b-9a52-000000000001", "988a5931-6239-4c16-ac56-000000000011", "RegionOne"
)

SAMPLES = Samples(
    made={
        Happened.DELETED: lambda about: event(
            about, "security_group.delete.end", {"security_group_id": about.group}
        ),
        Happened.BOUND: lambda about: event(about, "port.create.end", {"port": port(about)}),
        Happened.CHANGED: lambda about: event(
            about,
            "security_group_rule.create.end",
            {"security_group_rule": {"security_group_id": about.group, "protocol": 10}},
        ),
    },
    example=EXAMPLE,
    needed=("/oslo.message",),
    irrelevant=(
        event(EXAMPLE, "security_group.delete.start", {"security_group_id": EXAMPLE.group}),
        event(EXAMPLE, "image.create", {}),
        event(EXAMPLE, "port.update.end", {"port": port(EXAMPLE, device_owner="network:dhcp")}),
        event(EXAMPLE, "port.delete.end", {"port_id": "x"}),
        event(EXAMPLE, "instance.create.error", {}),
    ),
)
