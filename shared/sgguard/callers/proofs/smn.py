"""Messages of Huawei SMN over HTTP, signed with a certificate of the topic's region.

What is signed is a text of the message's own members. Only they count, and the id
is ``message_id``. The time is that of the first sending, so a day
of retries has to fit. A subscription to a listed topic is confirmed where the policy says so, and
otherwise left to the operator, who finds its address in the log.

Source: https://support.huaweicloud.com/intl/en-us/usermanual-smn/ (smn_ug_a9002, smn_ug_a9003),
read 2026-11.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools
from sgguard.callers.certificate import CERTIFICATES, as_bytes
from sgguard.errors import EventError, KeysError
from sgguard.events.base import parse_json
from sgguard.policy.proof import region_of
from sgguard.telemetry import logs

WINDOW_S = 24 * 3600.0
AHEAD_S = 300.0
DOMAIN = "myhuaweicloud.com"

_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_MARK = b'"signing_cert_url"'
_REQUIRED = (
    *("message", "message_id", "timestamp", "topic_urn", "type"),
    *("signature", "signature_version", "signing_cert_url"),
)
_SIGNED = ("message", "message_id", "subject", "timestamp", "topic_urn", "type")
_OWN = {"target", "targets", "provider", "specversion"}
"""The keys of the events of our own functions."""
_BREAKS = re.compile(r"[\r\n]")
_HOSTS = "console.huaweicloud.com", "{region}-console.huaweicloud.com"


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check topic, certificate's address, signature and time; answer a handshake."""
    if _MARK not in arrival.body:
        return None
    message = _message(arrival.body)
    topic, kind = message["topic_urn"], message["type"]
    region = region_of(topic)
    if topic not in proof["topics"] or not region:
        raise RefusedError("the topic is another one")
    if not is_pinned(message["signing_cert_url"], region, proof.get("domain", DOMAIN)):
        raise RefusedError("the certificate's address is not SMN's in the topic's region")
    text, signature = signed_text(message), as_bytes(message["signature"])
    if not CERTIFICATES.verify(message["signing_cert_url"], signature, (text,), tools):
        raise RefusedError("the signature is not by the certificate's key")
    skew_s = tools.now() - _epoch_s(message["timestamp"])
    if not -AHEAD_S <= skew_s <= WINDOW_S:
        raise RefusedError(f"the message is {abs(skew_s):.0f} s away from now", skew_s)
    held = Held(subject=topic, covers="body", signed_id=message["message_id"])
    if kind == "Notification":
        content, content_type = _vouched_for(message)
        return replace(held, content=content, content_type=content_type)
    is_known = kind in _CONFIRMATIONS
    status = _answered(proof, message, region, tools) if is_known else "ignored"
    return replace(held, reply={"status": status})


def _message(body: bytes) -> dict[str, str]:
    try:
        found = parse_json(body)
    except EventError:
        found = None
    members = found.items() if isinstance(found, dict) else ()
    texts = {name: value for name, value in members if isinstance(value, str)}
    if not all(texts.get(name) for name in _REQUIRED) or texts["signature_version"] != "v1":
        raise RefusedError("the body is no message of SMN")
    return texts


def is_pinned(url: str, region: str, domain: str) -> bool:
    """Return whether a certificate's address is whole one of SMN's in the region.

    The domain holds everybody's buckets, too.
    """
    shape = rf"https://smn\.{re.escape(region)}\.{re.escape(domain)}"
    return bool(re.fullmatch(rf"{shape}/smn/SMN_{re.escape(region)}_[0-9a-f]{{32}}\.pem", url))


def signed_text(message: Mapping[str, str]) -> bytes:
    """Return what is signed: members and their values, each on a line, by name.

    Raises:
        RefusedError: a member other than the message itself has a line break: two messages could
            then have one signed text.
    """
    names = [name for name in _SIGNED if name != "subject" or message.get("subject")]
    if message["type"] in _CONFIRMATIONS:
        names.append("subscribe_url")
    if any(_BREAKS.search(message.get(name, "")) for name in names if name != "message"):
        raise RefusedError("a signed member has a line break where none can be")
    return "".join(f"{name}\n{message.get(name, '')}\n" for name in sorted(names)).encode()


def _vouched_for(message: Mapping[str, str]) -> tuple[bytes, str]:
    """Return what of a notification may be parsed, and as what.

    That is the message itself where it is one of our own events; else the signed members around
    it, whose topic tells the region of what a cloud reports.
    """
    try:
        inner = parse_json(message["message"].encode())
    except (EventError, UnicodeEncodeError):
        inner = None
    keys = set(inner) if isinstance(inner, dict) else set()
    if keys & _OWN:
        media = "cloudevents+json" if "specversion" in keys else "json"
        return message["message"].encode(), f"application/{media}"
    signed = {name: message[name] for name in _SIGNED if message.get(name)}
    return json.dumps(signed).encode(), "application/json"


def _epoch_s(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo else float("-inf")
    except (ValueError, OverflowError):
        return float("-inf")


def _answered(
    proof: Mapping[str, Any], message: Mapping[str, str], region: str, tools: Tools
) -> str:
    """Confirm a subscription where that is permitted, else leave it to the operator."""
    url, topic = message.get("subscribe_url", ""), message["topic_urn"]
    hosts = proof.get("confirm_hosts") or [host.format(region=region) for host in _HOSTS]
    is_known = any(url.startswith(f"https://{host}/") for host in hosts)
    if message["type"] != _CONFIRMATIONS[0] or not proof.get("confirm") or not is_known:
        shown = url if is_known else "(an address on a host that is not SMN's)"
        logs.log(logging.WARNING, "subscription", where=topic, detail=shown)
        return "noted"
    try:
        tools.fetch(url, "", {})
    except KeysError as error:
        logs.log(logging.ERROR, "subscription", where=topic, detail=str(error))
        raise
    logs.log(logging.INFO, "subscription", where=topic, detail="confirmed")
    return "confirmed"
