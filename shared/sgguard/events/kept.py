"""What of a delivery may be kept when nobody could judge it: what sources ask for, and no more.

A raw event carries tokens, sessions and user data. So nothing of it is kept but values under keys
that stand here, each of the shape that its key has; every other key is left out, and a value of
another shape is replaced by a mark. What is left reads to the sources as the whole did.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sgguard.errors import EventError
from sgguard.events.base import parse_json
from sgguard.events.fields import name_of
from sgguard.telemetry.redaction import MASK, redacted

BYTES_MAX = 64 * 1024
"""The largest body of which something is kept."""

_WRAPPINGS_MAX = 6
_ITEMS_MAX = 1000

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,95}", re.ASCII)
_PLACE = re.compile(r"[A-Za-z0-9_.:/-]{1,256}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}", re.ASCII)
_TIME = re.compile(r"[0-9][0-9TtZzGMU:.,/+ -]{0,39}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]{0,63}|", re.ASCII)
_ADDRESS = re.compile(r"[A-Za-z0-9_.:-]{1,512}", re.ASCII)

_BY_SHAPE: Mapping[re.Pattern[str], str] = {
    _WORD: """
        specversion eventname eventrw eventtype servicename service_type actiontype trace_name
        trace_type trace_rating trace_status trigger_type event_type priority product event.name
        state status resourcetype eventregion acsregion region regionid aliyunregionid device_owner
        oslo.version nova_object.name nova_object.version triggername trigger_name version
        provider account count project network apiversion eventversion
    """,
    _PLACE: """
        type source eventsource datacontenttype topic topic_urn routing_key exchange publisher_id
        aliyuneventbusname dataschema
    """,
    _ID: """
        id eventid requestid request_id trace_id message_id _unique_id job_id accountid
        recipientaccountid aliyunaccountid userid domain_id project_id tenant_id resource_id
        resourceid resourcename server_id serverids device_id uuid instance_id instanceid
        instanceids instanceidset securitygroupid securitygroupids securitygroups security_groups
        security_group_id sgid sgids networkinterfaceid networkinterfaceids
        acs::ecs::securitygroup acs::ecs::instance groups principalid action_initiator_project
    """,
    _TIME: "time eventtime record_time timestamp triggertime",
    _CODE: "code error_code errorcode apierrorcode",
    _ADDRESS: "target targets decision_id",
}
_SHAPES: Mapping[str, re.Pattern[str]] = {
    key: shape for shape, keys in _BY_SHAPE.items() for key in keys.split()
}
_HOLDING = """
    data events eventlist response cloudauditevent record records traces messages message smn cts
    content payload oslo.message nova_object.data useridentity user requestparameters
    requestparameterjson responseelements referencedresources request networkinterface
    networkinterfaces networkinterfaceset instanceset instanceidsets securitygroup security_group
    security_groups securitygroups security_group_rule security_group_rules entities sub_jobs
    server port ports error neutronerror value body headers
"""
_HOLDERS = frozenset(_HOLDING.split())
_NAMES = frozenset({"username", "requested_by", "action_initiator_user", "user_id", "user.name"})
_EVENTS = frozenset({"", "events", "eventlist"})
_SENT = ("callback",)
_NUMBERS = re.compile(r"\d+", re.ASCII)
_MEDIA = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(?:; ?charset=\"?[A-Za-z0-9-]+\"?)?", re.ASCII)
_ATTRIBUTES = ("id", "source", "type", "time", "specversion")


def of_body(body: bytes) -> str:
    """Return what may be kept of a body, as JSON; empty where nothing may."""
    if len(body) > BYTES_MAX:
        return ""
    try:
        found = _kept("", parse_json(body), _WRAPPINGS_MAX)
    except EventError:
        return ""
    return redacted(json.dumps(found, ensure_ascii=False)) if found not in (None, MASK) else ""


def of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that say how a body is to be read; names are in lower case."""
    media = headers.get("content-type", "")
    found = {"content-type": media if _MEDIA.fullmatch(media) else MASK} if media else {}
    for name in _ATTRIBUTES:
        if (given := headers.get(f"ce-{name}")) is not None:
            found[f"ce-{name}"] = _text(name, given)
    return found


def _kept(key: str, value: Any, left: int) -> Any:
    """Return what may be kept of a value under a key; None where nothing may."""
    if isinstance(value, dict):
        return _object(key, value, left)
    if isinstance(value, list):
        if key == "headers":
            return [one for one in map(_pair, value[:_ITEMS_MAX]) if one]
        return [one for item in value[:_ITEMS_MAX] if (one := _kept(key, item, left)) is not None]
    if isinstance(value, str):
        if value[:1] in ("{", "[") and key in (_HOLDERS | {""} | set(_SHAPES)):
            return _inner(key, value, left)
        return _text(key, value) if key in _SHAPES or key in _NAMES or key in _SENT else MASK
    return value if key in _SHAPES or value is None else None


def _object(holder: str, value: Mapping[str, Any], left: int) -> dict[str, Any]:
    found = {}
    for name, one in value.items():
        key = _key(name)
        if key == "name":
            # Of a user it is who asked, of an event what it is; of a server it is free text.
            key = "event.name" if holder in _EVENTS else f"{holder}.name"
        is_known = key in _SHAPES or key in _NAMES or key in _HOLDERS or key in _SENT
        if is_known and (inner := _kept(key, one, left)) is not None:
            found[name] = inner
    return found


def _key(name: str) -> str:
    """Return the key that decides: the last part of a flattened one, without its position."""
    lower = name.lower()
    if lower in _SHAPES or lower in _HOLDERS:
        return lower
    parts = [one for one in lower.split(".") if not _NUMBERS.fullmatch(one)]
    is_known = all(one in _SHAPES or one in _HOLDERS for one in parts)
    return parts[-1] if parts and is_known else lower


def _inner(key: str, text: str, left: int) -> str:
    """Return what may be kept of JSON in a text, as JSON in a text."""
    try:
        value = parse_json(text.encode(errors="replace")) if left else None
    except EventError:
        value = None
    return MASK if value is None else json.dumps(_kept(key, value, left - 1), ensure_ascii=False)


def _text(key: str, value: str) -> str:
    if key in _NAMES:
        return name_of(value) or (value.strip() and MASK)
    shape = _SHAPES.get(key)
    return value if shape is not None and shape.fullmatch(value) else MASK


def _pair(value: Any) -> list[str] | None:
    """Return an attribute of an event in the headers of a Kafka record; None for another."""
    if not isinstance(value, list) or [type(one) for one in value] != [str, str]:
        return None
    name = value[0].removeprefix("ce_")
    return [value[0], _text(name, value[1])] if name in _ATTRIBUTES else None
