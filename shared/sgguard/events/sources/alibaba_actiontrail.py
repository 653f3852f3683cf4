"""Alibaba Cloud ActionTrail records: from EventBridge (also in a list), or a record by itself.

The same call is an ``ApiCall``, a ``ConsoleOperation`` or an ``AliyunServiceEvent``; what was
called is ``eventName``. A success has no ``errorCode`` at all. Groups stand wherever the request
carried them, with lists flattened: ``NetworkInterface.1.SecurityGroupIds.2``.

Source: https://www.alibabacloud.com/help/en/eventbridge/user-guide/actiontrail-events, and
records of the console, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from sgguard.events.fields import ACCOUNT, REGION, Fields, code_of, ids, name_of, operation_of
from sgguard.events.native import Part, listed
from sgguard.model.occurrence import Happened, Occurrence, irrelevant
from sgguard.model.sentence import said

NAME = "alibaba-actiontrail"
PROVIDER = "alibaba"

Json = dict[str, Any]

_IN_USE = "DependencyViolation"

_GROUP = re.compile(r"sg-[a-z0-9]{3,32}", re.ASCII)
_INSTANCE = re.compile(r"i-[a-z0-9]{3,32}", re.ASCII)
_INTERFACE = re.compile(r"eni-[a-z0-9]{3,32}", re.ASCII)

_GROUP_KEYS = (
    "securitygroupid",
    "securitygroupids",
    "networkinterface.securitygroupid",
    "networkinterface.securitygroupids",
)
_REFERENCED_GROUPS = ("acs::ecs::securitygroup",)
_INSTANCE_KEYS = ("instanceid", "instanceids", "instanceidsets.instanceidset")
_REFERENCED_INSTANCES = ("acs::ecs::instance",)
_INTERFACE_KEYS = ("networkinterfaceid",)

_DELETES = frozenset({"DeleteSecurityGroup"})
_LAUNCHES = frozenset({"RunInstances", "CreateInstance"})
_BINDS = frozenset(
    {"JoinSecurityGroup", "LeaveSecurityGroup", "AttachNetworkInterface", "DetachNetworkInterface"}
)
_BINDS_IF_NAMED = frozenset({"ModifyInstanceAttribute", "ModifyNetworkInterfaceAttribute"})
_CHANGES = frozenset(
    {
        "CreateSecurityGroup",
        "AuthorizeSecurityGroup",
        "AuthorizeSecurityGroupEgress",
        "RevokeSecurityGroup",
        "RevokeSecurityGroupEgress",
        "ModifySecurityGroupAttribute",
        "ModifySecurityGroupPolicy",
        "ModifySecurityGroupRule",
        "ModifySecurityGroupEgressRule",
        "ConfigureSecurityGroupPermissions",
    }
)


def unwrapped(part: Part) -> Sequence[Part] | None:
    """Return the records in an answer of ActionTrail's API; EventBridge wraps nothing."""
    records = listed(part, "Events")
    is_answer = records and all(
        isinstance(one.document, dict) and "eventId" in one.document for one in records
    )
    return records if is_answer else None


def claims(document: Mapping[str, Any]) -> bool:
    """Claim an envelope of Alibaba's EventBridge but for those of ECS itself, and a record."""
    if "specversion" in document or "data" in document:
        source = document.get("source")
        is_alibaba = isinstance(source, str) and source.startswith("acs.")
        is_alibaba = is_alibaba or "aliyuneventbusname" in document
        kind = str(document.get("type", "")).lower()
        return is_alibaba and not (kind.startswith("ecs:") and ":actiontrail:" not in kind)
    host = document.get("eventSource")
    is_host = isinstance(host, str) and host.endswith(".aliyuncs.com")
    is_named = "serviceName" in document and ("acsRegion" in document or "eventName" in document)
    return "eventId" in document and (is_host or is_named)


def occurrences(part: Part) -> Sequence[Occurrence]:
    """Return what one record says.

    Raises:
        EventError: 422, something of it is missing.
    """
    envelope = part.document
    if "eventId" in envelope:
        return (_of_record(envelope, {}, part.at),)
    fields = Fields(envelope, part.at)
    kind = fields.word("type", said("right.such-as", example="ecs:ActionTrail:ApiCall")).lower()
    if kind and ":actiontrail:" not in kind:
        return (irrelevant(NAME, said("ignored.product-event")),)
    record = fields.inner("data")
    if not record:
        fields.missing("data", said("right.record", service="ActionTrail"))
    fields.refuse(NAME)
    return (_of_record(record, envelope, f"{part.at}/data"),)


def _of_record(record: Json, envelope: Json, at: str) -> Occurrence:
    fields = Fields(record, at)
    name = fields.word("eventName", said("right.api"))
    service = fields.word("serviceName", said("right.service", example="Ecs"))
    at_s = fields.at_s("eventTime")
    region = fields.shaped("acsRegion", REGION)
    operation = operation_of(record.get("requestId"), record.get("eventId"))
    if not region:
        fields.missing("acsRegion", said("right.region", example="cn-hangzhou"))
    if not operation:
        fields.missing("requestId", said("right.request-id"))
    if not isinstance(record.get("userIdentity"), dict):
        fields.missing("userIdentity", said("right.who-called"))
    if name and service and (record.get("eventRW") == "Read" or not _is_about(name, service)):
        return irrelevant(NAME, said("ignored.other-call"))
    fields.refuse(NAME)
    who = Fields(record["userIdentity"], f"{at}/userIdentity")
    account = fields.shaped("recipientAccountId", ACCOUNT) or who.shaped("accountId", ACCOUNT)
    refused_with = record.get("errorCode")
    known = Occurrence(
        NAME,
        Happened.IRRELEVANT,
        operation,
        PROVIDER,
        account=account or Fields(envelope, "").shaped("aliyunaccountid", ACCOUNT),
        region=region,
        groups=_ids(fields, record, (_GROUP_KEYS, _REFERENCED_GROUPS), _GROUP),
        requester=_requester(record["userIdentity"]),
        code="" if refused_with in (None, "") else code_of(refused_with),
        at_s=at_s,
    )
    return _judged(known, name, record, fields)


def _judged(known: Occurrence, name: str, record: Json, fields: Fields) -> Occurrence:
    if name in _DELETES:
        if not known.groups:
            fields.missing(
                "requestParameters", said("right.object-with-group", key="SecurityGroupId")
            )
        fields.refuse(NAME)
        what = Happened.DELETE_REFUSED if known.code else Happened.DELETED
        is_in_use = known.code.split(".")[0] == _IN_USE
        return replace(known, happened=what, is_in_use=is_in_use)
    if known.code:
        return replace(known, reason=said("ignored.refused-call"))
    if name in _CHANGES:
        made = ids(record.get("responseElements"), _GROUP_KEYS, _GROUP)
        return replace(known, happened=Happened.CHANGED, groups=known.groups or made)
    if name in _BINDS_IF_NAMED and not known.groups:
        return replace(known, reason=said("ignored.other-attribute"))
    instances = _ids(fields, record, (_INSTANCE_KEYS, _REFERENCED_INSTANCES), _INSTANCE)
    if name in _LAUNCHES:
        # The answer lists all that were launched.
        launched = ids(fields.inner("responseElements"), _INSTANCE_KEYS, _INSTANCE)
        instances = launched or instances
    interfaces = ids(record.get("requestParameters"), _INTERFACE_KEYS, _INTERFACE)
    if not (instances or interfaces):
        where = "responseElements" if name in _LAUNCHES else "requestParameters"
        fields.missing(where, said("right.object-with-holders"))
    fields.refuse(NAME)
    return replace(known, happened=Happened.BOUND, instances=instances, interfaces=interfaces)


def _ids(
    fields: Fields, record: Json, keys: tuple[Sequence[str], Sequence[str]], shape: re.Pattern[str]
) -> tuple[str, ...]:
    """Return the ids that the request names; else those that the record says it is about."""
    asked = fields.inner("requestParameters") or fields.inner("requestParameterJson")
    return ids(asked, keys[0], shape) or ids(record.get("referencedResources"), keys[1], shape)


def _is_about(name: str, service: str) -> bool:
    about = _DELETES | _LAUNCHES | _BINDS | _BINDS_IF_NAMED | _CHANGES
    return service.lower() == "ecs" and name in about


def _requester(who: Json) -> str:
    return name_of(who.get("userName"), who.get("principalId"), who.get("accountId"))
