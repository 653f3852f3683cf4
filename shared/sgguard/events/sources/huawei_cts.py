"""Traces of Huawei Cloud's and Open Telekom Cloud's Cloud Trace Service (CTS).

They come from a CTS trigger of FunctionGraph (``cts``), in SMN messages, in EventGrid's envelope,
from the query API (``traces``), or by themselves. Whether a call succeeded is told by
``trace_rating`` (a trigger's template has ``trace_status`` in its place), then by the code in
``response``; ``code`` is the status of HTTP, which is 200 on published refusals.

An asynchronous call leaves two traces, of the request and of its job, which has the result.

Source: https://support.huaweicloud.com/usermanual-vpc/vpc010016.html, the user guides of CTS and
FunctionGraph of Open Telekom Cloud, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from sgguard.errors import EventError
from sgguard.events.base import parse_json
from sgguard.events.fields import ANY_ID, REGION, Fields, code_of, ids, name_of, operation_of
from sgguard.events.native import Part, inner_part, listed
from sgguard.model import sentence
from sgguard.model.occurrence import Happened, Occurrence, irrelevant
from sgguard.model.sentence import said

NAME = "huawei-cts"
PROVIDER = "huawei"

Json = dict[str, Any]

_SUCCEEDED = "normal"
_RATINGS = ("normal", "warning", "incident")
_IN_USE = ("VPC.9902", "SecurityGroupInUse")
_CONFLICT = re.compile("409")
_MESSAGE = said("right.trace-as-json")
_JOB_DONE = "SUCCESS"

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", re.ASCII)

_DELETES = frozenset({"deletesecuritygroup"})
_LAUNCHES = frozenset({"createserver", "createserverv2", "createsingleserver"})
_BINDS = frozenset({"addnic", "deletenic", "addsecuritygroup", "removesecuritygroup"})
_PORTS = frozenset({"createport", "updateport"})
_CHANGES = frozenset(
    {
        "createsecuritygroup",
        "updatesecuritygroup",
        "modifysecuritygroup",
        "createsecuritygrouprule",
        "updatesecuritygrouprule",
        "deletesecuritygrouprule",
        "createsgrule",
        "deletesgrule",
    }
)
_GROUP_KEYS = (
    "securitygroups.id",
    "security_groups",
    "security_groups.id",
    "security_group.id",
    "security_group_id",
    "security_group_rule.security_group_id",
    "server.security_groups.id",
    "port.security_groups",
)
_SERVER_KEYS = (
    "entities.server_id",
    "entities.sub_jobs.entities.server_id",
    "server.id",
    "server_id",
    "serverids",
)


def unwrapped(part: Part) -> Sequence[Part] | None:
    """Return the traces in a trigger's event, in messages of SMN or Kafka, and in a list.

    Raises:
        EventError: a message is no JSON.
    """
    for name in ("record", "traces", "messages"):
        if (found := listed(part, name)) is not None:
            return found
    document = part.document
    if "trigger_type" in document and (found := listed(part, "records")) is not None:
        return found
    if _is_message(document) and _is_notification(document):
        region = Fields({"region": _region_of(document)}, part.at).shaped("region", REGION)
        where = f"{part.at}/message"
        return (inner_part(Part(None, where, region), document["message"], where, _MESSAGE),)
    name = "data" if str(document.get("source", "")).startswith("HC.") else "cts"
    name = "smn" if "smn" in document else name
    inner = document.get(name)
    is_held = isinstance(inner, dict) and (
        name != "data" or "cts" in inner or "trace_name" in inner
    )
    return (Part(inner, f"{part.at}/{name}", part.region),) if is_held else None


def claims(document: Mapping[str, Any]) -> bool:
    """Claim a trace, whole or nearly, a message of SMN, and EventGrid's events of Huawei Cloud."""
    marks = sum(
        name in document for name in ("trace_id", "trace_name", "trace_rating", "trace_type")
    )
    is_trace = "cts" in document or marks > 1 or (marks == 1 and "service_type" in document)
    return is_trace or _is_message(document) or str(document.get("source", "")).startswith("HC.")


def occurrences(part: Part) -> Sequence[Occurrence]:
    """Return what one trace says.

    Raises:
        EventError: 422, something of it is missing.
    """
    trace, at = part.document, part.at
    if _is_message(trace):
        return (irrelevant(NAME, said("ignored.subscription")),)
    if str(trace.get("source", "")).startswith("HC."):
        return (irrelevant(NAME, said("ignored.other-service")),)
    fields = Fields(trace, at)
    if "cts" in trace:
        fields.missing("cts", said("right.trace"))
        fields.refuse(NAME)
    action = re.sub(r"[-_ ]", "", fields.word("trace_name", said("right.operation"))).lower()
    service = fields.word("service_type", said("right.service", example="VPC")).upper()
    if action and service and not _is_about(action, service):
        return (irrelevant(NAME, said("ignored.other-call")),)
    at_s = fields.at_s("record_time" if fields.has("record_time") else "time")
    operation = operation_of(_job_id(fields), trace.get("request_id"), trace.get("trace_id"))
    if not operation:
        fields.missing("trace_id", said("right.trace-id"))
    rating = trace.get("trace_rating") or trace.get("trace_status")
    if rating not in _RATINGS:
        fields.missing("trace_rating", said("right.one-of", names=sentence.listed(_RATINGS)))
    fields.refuse(NAME)
    code = _refusal(fields, str(rating))
    user = trace.get("user") if isinstance(trace.get("user"), dict) else {}
    known = Occurrence(
        NAME,
        Happened.IRRELEVANT,
        operation,
        PROVIDER,
        region=part.region,
        groups=_groups(fields),
        requester=name_of(user.get("name"), user.get("id")) if isinstance(user, dict) else "",
        code=code,
        at_s=at_s,
    )
    return (_judged(known, action, fields),)


def _judged(known: Occurrence, action: str, fields: Fields) -> Occurrence:
    resource_id = fields.shaped("resource_id", ANY_ID)
    if action in _DELETES:
        group_id = fields.shaped("resource_id", _UUID)
        if not group_id:
            fields.missing("resource_id", said("right.group-id"))
        fields.refuse(NAME)
        what = Happened.DELETE_REFUSED if known.code else Happened.DELETED
        # No delete is a conflict for another reason; its code is not published for traces.
        is_in_use = known.code in _IN_USE or fields.shaped("code", _CONFLICT) != ""
        return replace(known, happened=what, groups=(group_id,), is_in_use=is_in_use)
    if known.code:
        return replace(known, reason=said("ignored.refused-call"))
    if action in _CHANGES:
        # The trace of a rule has the rule's id there.
        own = fields.shaped("resource_id", _UUID) if action.endswith("securitygroup") else ""
        return replace(known, happened=Happened.CHANGED, groups=(own,) if own else known.groups)
    if action in _PORTS:
        return _of_port(known, fields)
    answered = fields.inner("response")
    if _job_id(fields) and answered.get("status") != _JOB_DONE:
        return replace(known, reason=said("ignored.job"))
    instances = ids(answered, _SERVER_KEYS, _UUID) or ((resource_id,) if resource_id else ())
    if not instances:
        fields.missing("resource_id", said("right.server-id"))
    fields.refuse(NAME)
    return replace(known, happened=Happened.BOUND, instances=instances)


def _of_port(known: Occurrence, fields: Fields) -> Occurrence:
    port = fields.inner("response").get("port") or fields.inner("request").get("port")
    told = Fields(port, "")
    owner = port.get("device_owner") if isinstance(port, dict) else None
    instance_id = told.shaped("device_id", ANY_ID)
    if not (isinstance(owner, str) and owner.startswith("compute:") and instance_id):
        return replace(known, reason=said("ignored.unknown-port"))
    return replace(known, happened=Happened.BOUND, instances=(instance_id,))


def _groups(fields: Fields) -> tuple[str, ...]:
    bodies = [fields.inner("response"), fields.inner("request")]
    return tuple(dict.fromkeys(one for body in bodies for one in ids(body, _GROUP_KEYS, _UUID)))


def _refusal(fields: Fields, rating: str) -> str:
    """Return the code of a refusal; empty where the call succeeded."""
    codes = list(_codes(fields.inner("response")))
    if rating == _SUCCEEDED and not codes:
        return ""
    return next((one for one in codes if one in _IN_USE), codes[0] if codes else rating)


def _codes(answered: Json) -> Iterator[str]:
    """Yield the error codes of an answer: its own, and the type that Neutron gives inside of it."""
    todo: list[tuple[object, int]] = [(answered, 0)]
    while todo:
        item, depth = todo.pop()
        if not isinstance(item, dict) or depth > len(_CODE_KEYS):
            continue
        for key in _CODE_KEYS:
            if item.get(key) not in (None, "", 0, "0"):
                yield code_of(item[key])
        inner = item.get("message")
        if isinstance(inner, str) and inner[:1] == "{":
            todo.append((_object_in(inner), depth + 1))
        todo += ((item[key], depth + 1) for key in ("error", "NeutronError") if key in item)


_CODE_KEYS = ("code", "error_code", "errorCode", "type")


def _object_in(text: str) -> object:
    try:
        return parse_json(text.encode())
    except EventError:
        return None


def _job_id(fields: Fields) -> str:
    return operation_of(fields.inner("response").get("job_id"))


def _is_about(action: str, service: str) -> bool:
    if service == "VPC":
        return action in _DELETES | _CHANGES | _PORTS
    return service == "ECS" and action in _LAUNCHES | _BINDS | _CHANGES


def _is_message(document: Mapping[str, Any]) -> bool:
    return "topic_urn" in document and ("message_id" in document or "message" in document)


def _is_notification(document: Mapping[str, Any]) -> bool:
    is_text = isinstance(document.get("message"), str)
    return is_text and str(document.get("type", "")).lower() == "notification"


def _region_of(document: Mapping[str, Any]) -> str:
    """Return the region in a topic's name, ``urn:smn:<region>:<project>:<topic>``."""
    parts = str(document.get("topic_urn", "")).split(":")
    return parts[2] if parts[:2] == ["urn", "smn"] and len(parts) > 2 else ""  # noqa: PLR2004
