"""OpenStack's notifications, as oslo.messaging sends them to RabbitMQ and Kafka.

Neutron's and Nova's, of both of Nova's formats, bare or in the envelope of the wire, once or in a
dead letter. Only ``.end`` says that something was done: ``.start`` is sent for calls that are then
refused. A bulk call is one event whose payload has a list.

Whose a port is says the port. The caller of the context is Nova's own project for ports of
instances, and the context carries tokens: nothing of it is read.

Source: https://docs.openstack.org/neutron/latest/reference/notifications.html, nova's
doc/notification_samples, oslo.messaging 18.3.1 on the wire, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from sgguard.errors import EventError
from sgguard.events.fields import ANY_ID, Fields, ids, name_of, operation_of
from sgguard.events.native import Part, inner_part
from sgguard.model.occurrence import Happened, Occurrence, irrelevant
from sgguard.model.sentence import Text, said
from sgguard.render.language.refusal import refusal

NAME = "openstack-oslo"
PROVIDER = "openstack"

Json = dict[str, Any]

_EVENT_TYPE = re.compile(r"[a-z_]+(\.[a-z_]+)+", re.ASCII)
_PORTS_MAX = 500
_PHASES = ("start", "end", "error")
_INSTANCES = ("compute:",)

_LAUNCHED = {
    "compute.instance.create.end",
    "instance.create.end",
    "instance.interface_attach.end",
    "instance.interface_detach.end",
}
_RULE_GROUP_KEYS = (
    "security_group_rule.security_group_id",
    "security_group_rules.security_group_id",
)
_GROUP_KEYS = ("security_group_id", "security_group.id", "security_groups.id", "id")


def unwrapped(part: Part) -> Sequence[Part] | None:
    """Return the notification in the envelope of the wire.

    Raises:
        EventError: what it holds is no JSON.
    """
    document, at = part.document, part.at
    inner = document.get("oslo.message")
    where = f"{at}/oslo.message"
    if isinstance(inner, str):
        return (inner_part(part, inner, where, said("right.notification")),)
    return (Part(inner, where, part.region),) if isinstance(inner, dict) else None


def claims(document: Mapping[str, Any]) -> bool:
    """Claim a notification, and an envelope of the wire that lacks one."""
    if "oslo.version" in document or "oslo.message" in document:
        return True
    marks = sum(name in document for name in ("event_type", "publisher_id", "payload", "priority"))
    return ("event_type" in document and marks > 1) or marks > 2  # noqa: PLR2004 - most of them


def occurrences(part: Part) -> Sequence[Occurrence]:
    """Return what one notification says; of a bulk call, everything that it made.

    Raises:
        EventError: 422, something of it is missing.
    """
    event = part.document
    fields = Fields(event, part.at)
    if "oslo.version" in event or "oslo.message" in event:
        fields.missing("oslo.message", said("right.notification-in-text"))
        fields.refuse(NAME)
    kind = fields.shaped("event_type", _EVENT_TYPE)
    if not kind:
        fields.missing("event_type", said("right.such-as", example="security_group.delete.end"))
    payload = event.get("payload")
    if not isinstance(payload, dict):
        fields.missing("payload", said("right.payload"))
    fields.refuse(NAME)
    if unread := _why_unread(kind, event):
        return (irrelevant(NAME, unread),)
    told = Fields(payload, f"{part.at}/payload")
    operation = operation_of(event.get("message_id"), event.get("_unique_id"))
    if not operation and "nova_object.data" in payload:
        # Samples of the versioned format have no id of the message; the request has one.
        request = operation_of(told.inner("nova_object.data").get("request_id"))
        operation = f"{request}/{kind}" if request else ""
    if not operation:
        fields.missing("message_id", said("right.message-id"))
    at_s = fields.at_s("timestamp") if fields.has("timestamp") else None
    fields.refuse(NAME)
    known = Occurrence(
        NAME, Happened.IRRELEVANT, operation, PROVIDER, region=part.region, at_s=at_s
    )
    if kind.startswith("security_group"):
        return (_of_group(known, kind, payload, told),)
    if kind.startswith("port."):
        return tuple(_of_ports(known, payload, told))
    return (_of_instance(known, payload, told),)


def _why_unread(kind: str, event: Json) -> Text:
    """Return why a notification concerns nobody; empty where it may concern somebody."""
    phase = kind.rpartition(".")[2]
    what = kind.removesuffix(f".{phase}")
    about = {"security_group", "security_group_rule", "port"}
    is_about = what.rpartition(".")[0] in about or f"{what}.end" in _LAUNCHED
    if not is_about or phase not in _PHASES:
        return said("ignored.notification")
    if phase == "start":
        return said("ignored.start")
    if phase == "error" or event.get("priority") == "ERROR":
        return said("ignored.failed")
    return said("ignored.port-gone") if what == "port.delete" else ""


def _of_group(known: Occurrence, kind: str, payload: Json, told: Fields) -> Occurrence:
    if kind == "security_group.delete.end":
        groups = ids(payload, _GROUP_KEYS, ANY_ID)[:1]
        if not groups:
            told.missing("security_group_id", said("right.group-id"))
        told.refuse(NAME)
        return replace(known, happened=Happened.DELETED, groups=groups)
    keys = _RULE_GROUP_KEYS if kind.startswith("security_group_rule.") else _GROUP_KEYS
    # Old clouds tell of a deleted rule its id alone: which group had it is not known then.
    return replace(known, happened=Happened.CHANGED, groups=ids(payload, keys, ANY_ID))


def _of_ports(known: Occurrence, payload: Json, told: Fields) -> Iterator[Occurrence]:
    ports = [payload["port"]] if isinstance(payload.get("port"), dict) else payload.get("ports")
    if not isinstance(ports, list) or not ports:
        told.missing("port", said("right.ports"))
        told.refuse(NAME)
        return
    if len(ports) > _PORTS_MAX:
        raise refusal(EventError, said("unread.bulk-ports", most=_PORTS_MAX), status=413)
    for number, port in enumerate(ports):
        fields = Fields(port, f"{number}")
        owner = port.get("device_owner") if isinstance(port, dict) else None
        instance_id = fields.shaped("device_id", ANY_ID)
        if not (isinstance(owner, str) and owner.startswith(_INSTANCES) and instance_id):
            yield irrelevant(NAME, said("ignored.other-port"))
            continue
        operation = f"{known.operation}/{number}" if number else known.operation
        yield replace(
            known,
            operation=operation,
            happened=Happened.BOUND,
            instances=(instance_id,),
            groups=ids(port, ("security_groups",), ANY_ID),
            owner=fields.shaped("project_id", ANY_ID) or fields.shaped("tenant_id", ANY_ID),
        )


def _of_instance(known: Occurrence, payload: Json, told: Fields) -> Occurrence:
    versioned = payload.get("nova_object.data")
    fields = Fields(versioned, "") if isinstance(versioned, dict) else told
    name = "uuid" if isinstance(versioned, dict) else "instance_id"
    instance_id = fields.shaped(name, ANY_ID)
    if not instance_id:
        where = "nova_object.data" if isinstance(versioned, dict) else name
        told.missing(where, said("right.instance-id"))
        told.refuse(NAME)
    who = versioned if isinstance(versioned, dict) else payload
    return replace(
        known,
        happened=Happened.BOUND,
        instances=(instance_id,),
        requester=name_of(who.get("action_initiator_user"), who.get("user_id")),
        owner=fields.shaped("tenant_id", ANY_ID),
    )
