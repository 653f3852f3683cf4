"""Delivering a change of a decision to the address that its request named.

What is sent is the document as it was at that change, as the caller that asked may see it, in a
CloudEvent of structured mode: the signature covers a body, and would not cover ``ce-`` headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sgguard.callers.veil import veiled
from sgguard.engine.context import Context
from sgguard.outbox.base import Gone, Later, Result
from sgguard.render.evidence import answered
from sgguard.render.values import time_json
from sgguard.store.notices import OutboxRow
from sgguard.telemetry.redaction import redacted
from sgguard.webhooks.send import Network, send

Json = dict[str, Any]

TYPE = "sgguard.decision.v1"
BYTES_MAX = 256 * 1024
"""A larger message is cut: many receivers take no more, and would never take it."""

_ENTRIES = (100, 30, 10, 3, 1)
"""How many entries a list of a message that is cut has: as many as it takes to fit."""

_FUNCTIONS = {"delete": "delete_request", "launch": "instance_launch"}


class CallbackSender(msgspec.Struct, frozen=True):
    """Sends the notices of the kind ``callback``, in the context of one delivery."""

    context: Context
    network: Network = msgspec.field(default_factory=Network)

    def send(self, row: OutboxRow) -> Result:
        """Send one change of a decision; 410 ends the telling of all that follow it."""
        store, policy = self.context.store, self.context.policy
        if store is None:
            return Later("there is no store")
        url = store.callback(row.decision_id)
        if url is None:
            return Gone("the receiver takes no more of this decision")
        document: Json = json.loads(row.payload_json)
        name = (document.get("caller") or {}).get("name", "")
        caller = next((one for one in policy.callers if one.name == name), None)
        if name and caller is None:
            # What it may know is not known any more; an operator may put it right.
            return Gone(f"the caller {name} is not in the policy any more", is_dead=True)
        if caller is not None:
            document = veiled(document, caller, self.context.settings.accounts)
        result = send(
            url,
            row.notice_id,
            event(row.notice_id, row.created_at_s, document),
            policy.callbacks,
            self.context.env,
            now=self.context.now,
            network=self.network,
        )
        if isinstance(result, Gone) and not result.is_dead:
            store.end_callback(row.decision_id)
        return result


def sender(context: Context) -> CallbackSender:
    """Return the sender of callbacks in a context."""
    return CallbackSender(context)


def event(message_id: str, at_s: float, data: Mapping[str, Any], kind: str = TYPE) -> bytes:
    """Return the CloudEvent of a message, without any configured secret.

    Its id is that of the message: the same for every attempt, another for every change. Evidence
    is within the bounds of an answer. Where it would be too large even so, every list in it is cut,
    shorter and shorter until it fits, and the attribute ``truncated`` says so; ``left_out`` counts
    what is missing.
    """
    attributes = {
        "specversion": "1.0",
        "id": message_id,
        "source": f"/sgguard/{_FUNCTIONS.get(str(data.get('guard')), 'callbacks')}",
        "type": kind,
        "time": time_json(datetime.fromtimestamp(at_s, UTC)),
        "datacontenttype": "application/json",
    }
    targets = data.get("target")
    if isinstance(targets, list) and targets:
        # Of several groups only their scope, as in an answer.
        one = str(targets[0])
        attributes["subject"] = one if len(targets) == 1 else one.rpartition(":")[0]
    message = _encoded({**attributes, "data": answered(dict(data))})
    for most in _ENTRIES:
        if len(message) <= BYTES_MAX:
            break
        cut = _cut(answered(dict(data), most, most), most)
        message = _encoded({**attributes, "truncated": True, "data": cut})
    return message


def _encoded(message: Json) -> bytes:
    return redacted(json.dumps(message, ensure_ascii=False)).encode(errors="replace")


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, Mapping):
        return {key: _cut(one, most) for key, one in value.items()}
    return [_cut(one, most) for one in value[:most]] if isinstance(value, list) else value
