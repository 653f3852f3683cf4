"""State changes of Alibaba Cloud's instances: from EventBridge, or as CloudMonitor notifies them.

They tell that an instance was created or runs, and nothing about its groups: those are read.

Source: https://www.alibabacloud.com/help/en/ecs/user-guide/overview-35, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sgguard.events.fields import ACCOUNT, REGION, Fields, operation_of
from sgguard.events.native import Part
from sgguard.model.occurrence import Happened, Occurrence, irrelevant
from sgguard.model.sentence import said

NAME = "alibaba-ecs"
PROVIDER = "alibaba"

_STATE_CHANGE = "instance:statechange"
_INSTANCE = re.compile(r"i-[a-z0-9]{3,32}", re.ASCII)
_LAUNCHED = ("Created", "Running")
"""``Created`` comes once, before the interfaces are surely there; ``Running`` after them."""


def unwrapped(part: Part) -> Sequence[Part] | None:
    """Return None: a list of events is all that EventBridge wraps them in."""
    del part
    return None


def claims(document: Mapping[str, Any]) -> bool:
    """Claim what ECS itself tells, in EventBridge's envelope or as a notification."""
    if "content" in document and "product" in document:
        return str(document["product"]).upper() == "ECS"
    kind, source = str(document.get("type", "")).lower(), document.get("source")
    is_alibaba = source == "acs.ecs" or "aliyuneventbusname" in document
    return is_alibaba and kind.startswith("ecs:") and ":actiontrail:" not in kind


def occurrences(part: Part) -> Sequence[Occurrence]:
    """Return whether an instance was launched.

    Raises:
        EventError: 422, something of it is missing.
    """
    event, at = part.document, part.at
    is_notice = "content" in event
    fields = Fields(event, at)
    name = str(event.get("name" if is_notice else "type", "")).lower().removeprefix("ecs:")
    if name and name != _STATE_CHANGE:
        return (irrelevant(NAME, said("ignored.other-instance-event")),)
    where = "content" if is_notice else "data"
    if not isinstance(event.get(where), dict):
        fields.missing(where, said("right.what-changed"))
    at_s = fields.at_s("eventTime" if is_notice else "time")
    region = fields.shaped("regionId" if is_notice else "aliyunregionid", REGION)
    operation = operation_of(event.get("id"))
    if not region:
        fields.missing(
            "regionId" if is_notice else "aliyunregionid",
            said("right.such-as", example="cn-hangzhou"),
        )
    if not operation:
        fields.missing("id", said("right.id-of-event"))
    if not name:
        fields.missing("name" if is_notice else "type", "ecs:Instance:StateChange")
    fields.refuse(NAME)
    told = Fields(event[where], f"{at}/{where}")
    instance_id = told.shaped("resourceId", _INSTANCE)
    state = told.word("state", said("right.such-as", example="Running"))
    if not instance_id:
        told.missing("resourceId", said("right.an-instance"))
    told.refuse(NAME)
    if state not in _LAUNCHED:
        return (irrelevant(NAME, said("ignored.other-state")),)
    account = fields.shaped("userId" if is_notice else "aliyunaccountid", ACCOUNT)
    return (
        Occurrence(
            NAME,
            Happened.BOUND,
            operation,
            PROVIDER,
            account,
            region,
            instances=(instance_id,),
            at_s=at_s,
        ),
    )
