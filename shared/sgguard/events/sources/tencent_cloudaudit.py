"""Tencent CloudAudit records: from EventBridge, one or a batch, or as the audit API lists them.

A record says that an API was called, from the console, a program or the mini program. Success is
told by two codes of which each may be a number, a text or absent; the message beside them is no
sign (a success carries ``permission verify``). Parameters and results are JSON in texts, and hold
keys and tokens: only ids are taken from them.

Source: https://www.tencentcloud.com/document/product/1108/46246, and cloudaudit 2019-03-19
(DescribeEvents, LookUpEvents), read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any

from msgspec.structs import replace

from sgguard.events.fields import ACCOUNT, REGION, Fields, code_of, ids, name_of, operation_of
from sgguard.events.native import Part, inner_part, listed
from sgguard.model.occurrence import Happened, Occurrence, irrelevant
from sgguard.model.sentence import said

NAME = "tencent-cloudaudit"
PROVIDER = "tencent"

Json = dict[str, Any]

_SERVICES = ("cloudevent:apicall", "cloudevent:consolecall", "cloudevent:miniprogramcall")
_NO_ERROR = (None, 0, "0", "")
_IN_USE = ("ResourceInUse",)
_BEIJING = timezone(timedelta(hours=8))  # the zone of times that are texts

_GROUP = re.compile(r"sg-[a-z0-9]{3,16}", re.ASCII)
_INSTANCE = re.compile(r"ins-[a-z0-9]{3,16}", re.ASCII)
_INTERFACE = re.compile(r"eni-[a-z0-9]{3,16}", re.ASCII)

# Keys of API 3.0, and of the one before it; positions are no part of them.
_GROUP_KEYS = ("securitygroupid", "securitygroupids", "securitygroups", "sgid", "sgids")
_NESTED_GROUPS = (
    "networkinterfaces.securitygroupids",
    "networkinterface.securitygroupids",
    "instanceset.sgids",
    "networkinterfaceset.sgids",
)
_INSTANCE_KEYS = ("instanceid", "instanceids", "instanceidset", "instanceset.instanceid")
_MADE_INSTANCES = ("instanceidset", "response.instanceidset")
_INTERFACE_KEYS = (
    "networkinterfaceid",
    "networkinterfaceids",
    "networkinterfaceset.networkinterfaceid",
)
_MADE_GROUPS = ("securitygroup.securitygroupid", "response.securitygroup.securitygroupid", "sgid")

_DELETES = frozenset({"DeleteSecurityGroup"})
_BINDS = frozenset(
    {
        "RunInstances",
        "AssociateSecurityGroups",
        "DisassociateSecurityGroups",
        "ModifySecurityGroupsOfInstance",
        "AssociateNetworkInterfaceSecurityGroups",
        "DisassociateNetworkInterfaceSecurityGroups",
        "ModifySecurityGroupsOfNetworkInterface",
        "AttachNetworkInterface",
        "CreateAndAttachNetworkInterface",
    }
)
_BINDS_IF_NAMED = frozenset({"ModifyInstancesAttribute", "ModifyNetworkInterfaceAttribute"})
_CHANGES = frozenset(
    {
        "CreateSecurityGroup",
        "CreateSecurityGroupWithPolicies",
        "CloneSecurityGroup",
        "ModifySecurityGroupAttribute",
        "ModifySecurityGroupAttributes",
        "CreateSecurityGroupPolicies",
        "CreateSecurityGroupPolicy",
        "DeleteSecurityGroupPolicies",
        "DeleteSecurityGroupPolicy",
        "ModifySecurityGroupPolicies",
        "ModifySecurityGroupPolicy",
        "ReplaceSecurityGroupPolicies",
        "ReplaceSecurityGroupPolicy",
    }
)


def unwrapped(part: Part) -> Sequence[Part] | None:
    """Return the events of a batch delivery, or the records in an answer of the audit API."""
    document, at = part.document, part.at
    if (found := listed(part, "EventList")) is not None:
        return found
    if isinstance(answer := document.get("Response"), dict):
        return listed(Part(answer, f"{at}/Response"), "Events")
    record = document.get("CloudAuditEvent")
    if isinstance(record, str):
        return (
            inner_part(
                part, record, f"{at}/CloudAuditEvent", said("right.record-of", service="CloudAudit")
            ),
        )
    return None


def claims(document: Mapping[str, Any]) -> bool:
    """Claim an envelope of Tencent's EventBridge, and a record that stands by itself."""
    source, record = document.get("source"), document.get("eventSource")
    if isinstance(source, str) and source.endswith(".cloud.tencent"):
        return True
    is_host = isinstance(record, str) and ".tencentyun.com" in record
    return is_host or ("apiErrorCode" in document and "requestID" in document)


def occurrences(part: Part) -> Sequence[Occurrence]:
    """Return what one record says.

    Raises:
        EventError: 422, something of it is missing.
    """
    envelope = part.document
    if "eventName" in envelope or "eventSource" in envelope or "apiErrorCode" in envelope:
        return (_of_record(envelope, part.at),)
    kind = str(envelope.get("type", "")).lower()
    if kind and not kind.endswith(_SERVICES):
        return (irrelevant(NAME, said("ignored.product-event")),)
    fields = Fields(envelope, part.at)
    record = fields.inner("data")
    if not record:
        fields.missing("data", said("right.record-of", service="CloudAudit"))
    if not kind:
        fields.missing("type", said("right.such-as", example="vpc:CloudEvent:ApiCall"))
    fields.refuse(NAME)
    return (_of_record(record, f"{part.at}/data"),)


def _of_record(record: Json, at: str) -> Occurrence:
    fields = Fields(record, at)
    name = fields.word("eventName", said("right.api"))
    if name and (record.get("actionType") == "Read" or not _is_about(name)):
        return irrelevant(NAME, said("ignored.other-call"))
    at_s = fields.at_s("eventTime", _BEIJING)
    region = fields.shaped("eventRegion", REGION)
    operation = operation_of(record.get("requestID"), record.get("eventID"))
    if not region:
        fields.missing("eventRegion", said("right.region", example="ap-guangzhou"))
    if not operation:
        fields.missing("requestID", said("right.request-id"))
    fields.refuse(NAME)
    refused_with = next(
        (one for key in ("apiErrorCode", "errorCode") if (one := record.get(key)) not in _NO_ERROR),
        None,
    )
    asked, answered = fields.inner("requestParameters"), fields.inner("responseElements")
    groups = ids(asked, (*_GROUP_KEYS, *_NESTED_GROUPS), _GROUP)
    who = Fields(record.get("userIdentity"), f"{at}/userIdentity")
    known = Occurrence(
        NAME,
        Happened.IRRELEVANT,
        operation,
        PROVIDER,
        account=who.shaped("accountId", ACCOUNT),
        region=region,
        groups=groups,
        requester=_requester(record.get("userIdentity")),
        at_s=at_s,
    )
    return _judged(known, name, refused_with, (asked, answered, record), fields)


def _judged(
    known: Occurrence, name: str, refused_with: object, bodies: Sequence[Json], fields: Fields
) -> Occurrence:
    asked, answered, record = bodies
    code = "" if refused_with is None else code_of(refused_with)
    if name in _DELETES:
        # A record whose parameters cannot be read still names the resource.
        groups = known.groups or ids(record, ("resourcename",), _GROUP)
        if not groups:
            fields.missing(
                "requestParameters", said("right.json-with-group", key="SecurityGroupId")
            )
        fields.refuse(NAME)
        what = Happened.DELETE_REFUSED if code else Happened.DELETED
        return replace(known, happened=what, groups=groups, code=code, is_in_use=_is_in_use(code))
    if code:
        return replace(known, reason=said("ignored.refused-call"))
    if name in _CHANGES:
        groups = known.groups or ids(answered, _MADE_GROUPS, _GROUP)
        return replace(known, happened=Happened.CHANGED, groups=groups)
    if name in _BINDS_IF_NAMED and not known.groups:
        return replace(known, reason=said("ignored.other-attribute"))
    made = _MADE_INSTANCES if name == "RunInstances" else _INSTANCE_KEYS
    instances = ids(answered if name == "RunInstances" else asked, made, _INSTANCE)
    interfaces = ids(asked, _INTERFACE_KEYS, _INTERFACE)
    if not (instances or interfaces):
        where = "responseElements" if name == "RunInstances" else "requestParameters"
        fields.missing(where, said("right.json-with-holders"))
    fields.refuse(NAME)
    return replace(known, happened=Happened.BOUND, instances=instances, interfaces=interfaces)


def _is_in_use(code: str) -> bool:
    return code.split(".", maxsplit=1)[0] in _IN_USE


def _is_about(name: str) -> bool:
    return name in _DELETES | _BINDS | _BINDS_IF_NAMED | _CHANGES


def _requester(identity: object) -> str:
    who = identity if isinstance(identity, dict) else {}
    return name_of(who.get("userName"), who.get("principalId"), who.get("accountId"))
