"""Who is told of a change of a decision: the one place where a change becomes notices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.model.codes import Outcome
from sgguard.policy import Policy
from sgguard.policy.channel import escalated, routed
from sgguard.store.notices import Notice, Telling

Json = Mapping[str, Any]

CHAT, CALLBACK = "chat", "callback"
ESCALATION = '{"only_open":true}'
"""The payload of a message that is sent only while its question is open."""
_DIGITS = 16


class Change(msgspec.Struct, frozen=True):
    """A decision that was made, or whose outcome changed: its document as it is kept now."""

    document: Json
    requester: str
    policy: Policy

    @property
    def decision_id(self) -> str:
        """Return the id of the decision."""
        return str(self.document["decision_id"])


def telling(document: Json, requester: str, policy: Policy) -> Telling:
    """Return what a step that keeps this document writes into the outbox."""
    change = Change(document, requester, policy)
    notices = tuple(one for make in MAKERS for one in make(change))
    return Telling(notices, (CHAT,) if policy.channels else (), _brought_back(document))


def _brought_back(document: Json) -> tuple[str, ...]:
    """Return the decision that a restore or an undo is about: its message says so, too."""
    how, _, decision_id = str(document["event_id"]).partition(" of ")
    is_back = document["guard"] == "restore" and how in ("restore", "undo")
    return (decision_id,) if is_back and decision_id else ()


def chat_notices(change: Change) -> Iterable[Notice]:
    """Yield a notice for every channel that the decision is routed to now.

    A channel that has the message already is told by the renewal of its notice.
    """
    routes, document = change.policy.routes, change.document
    direct = routed(routes, document)
    for name in direct:
        yield _chat(change, name)
    if document["outcome"] != Outcome.PENDING:
        return
    for name, after_s in escalated(routes, document).items():
        if name not in direct:
            yield replace(_chat(change, name), after_s=float(after_s), payload_json=ESCALATION)


def _chat(change: Change, name: str) -> Notice:
    key = f"chat:{change.decision_id}:{name}"
    return Notice(key, CHAT, change.decision_id, name, key, renews=True)


def callback_notices(change: Change) -> Iterable[Notice]:
    """Yield a notice for the address that the request names; it is that of this very document.

    Whatever is kept twice is told once; a document that differs in anything is another change.
    """
    host = (change.document.get("callback") or {}).get("host", "")
    if host:
        text = json.dumps(change.document, ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_DIGITS]
        notice_id = f"{CALLBACK}-{change.decision_id}-{digest}"
        order = f"{CALLBACK}:{change.decision_id}"
        yield Notice(notice_id, CALLBACK, change.decision_id, host, order, text)


MAKERS: tuple[Callable[[Change], Iterable[Notice]], ...] = (chat_notices, callback_notices)
"""What yields the notices of each kind."""
