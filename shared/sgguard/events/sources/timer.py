"""The tick of a timer: of Tencent's SCF, of Alibaba's FC, of Huawei's FunctionGraph.

What an operator wrote into the trigger is not read: a tick says that time has passed.

Source: https://www.tencentcloud.com/document/product/583/9708,
https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/user-guide/time-triggers and the user
guide of FunctionGraph, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sgguard.events.fields import Fields, operation_of
from sgguard.events.native import Part
from sgguard.model.occurrence import Happened, Occurrence
from sgguard.model.sentence import said

NAME = "timer"
PROVIDER = ""

_SHAPES = (("Type", "TriggerName", "Time"), ("trigger_type", "trigger_name", "time"))
_OF_FC = ("triggerName", "triggerTime")


def unwrapped(part: Part) -> Sequence[Part] | None:
    """Return None: a tick comes by itself."""
    del part
    return None


def claims(document: Mapping[str, Any]) -> bool:
    """Claim what says that a timer sent it."""
    is_typed = any(str(document.get(kind, "")).upper() == "TIMER" for kind, _, _ in _SHAPES)
    return is_typed or any(name in document for name in _OF_FC)


def occurrences(part: Part) -> Sequence[Occurrence]:
    """Return the tick; one of the same trigger and time is the same one.

    Raises:
        EventError: 422, its name or time is missing.
    """
    fields = Fields(part.document, part.at)
    name_key, time_key = next(
        ((name, time) for kind, name, time in _SHAPES if kind in part.document), _OF_FC
    )
    name = fields.word(name_key, said("right.trigger"))
    at_s = fields.at_s(time_key)
    fields.refuse(NAME)
    return (Occurrence(NAME, Happened.DUE, operation_of(f"{name} {at_s}"), at_s=at_s),)
