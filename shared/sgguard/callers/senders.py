"""What each product does with our status, and which one it therefore gets.

Our statuses mean: done (2xx), never again (400, 401, 403, 413, 415, 422), again later (409, 429,
503), or a fault of ours (500). Products read them differently: five lose an event for good at any
4xx, two send one that can never be judged for a day. So for a product that is known the status is
put into its own words: an event that has to come again gets one that it repeats, where there is
one, and an event that must not gets one that it does not repeat. The body tells the truth always.

Source: the facts collected 2026-11 (each vendor's page or source, named in ``why``).
"""

from __future__ import annotations

import msgspec

_AGAIN = frozenset({409, 429, 500, 503})
_POISON = frozenset({400, 413, 415, 422})
_NEVER = frozenset({401, 403, 404, 405, 410}) | _POISON


class Sender(msgspec.Struct, frozen=True):
    """One product: which of our statuses it repeats, and what an undesired one is turned into.

    ``repeats`` are the statuses after which it sends again. ``again`` is what it gets in place of
    one that asks for a repetition and that it would drop, None where nothing makes it repeat.
    ``never`` is what it gets in place of one that it would repeat in vain, once it is kept.
    """

    repeats: frozenset[int]
    again: int | None
    never: int | None
    why: str


_ANY = _AGAIN | _NEVER
_SERVER = frozenset({500, 503})

SENDERS: dict[str, Sender] = {
    "knative": Sender(
        frozenset({404, 408, 409, 429, 500, 503}), 503, None, "knative/eventing retries.go"
    ),
    "pubsub": Sender(_ANY, 503, 202, "Pub/Sub push: every other status than 2xx, for days"),
    "eventarc": Sender(_ANY, 503, 202, "Eventarc Standard, retry-events: as Pub/Sub, for a day"),
    "eventarc-advanced": Sender(
        frozenset({408, 409, 429, 500, 503}), 503, None, "Eventarc Advanced, retry-events"
    ),
    "cloud-scheduler": Sender(_ANY, 503, 202, "Cloud Scheduler: any other is a failure"),
    "alibaba-eventbridge": Sender(
        _ANY, 503, 202, "any failure is repeated for a day, and may block the stream meanwhile"
    ),
    "tencent-eventbridge": Sender(_ANY, 503, None, "583/59100: twice, then dead-lettered"),
    "smn": Sender(_SERVER, 503, None, "smn_faq_0014: only 5xx, six more times"),
    "eventgrid": Sender(_ANY, 503, None, "statuses are not published"),
    "github": Sender(frozenset(), None, None, "never repeated, by hand within three days"),
    "gitlab": Sender(_POISON, None, 202, "four failures in a row turn the hook off"),
    "terraform": Sender(_ANY, 503, None, "run tasks: anything but 200 is tried again"),
    "alertmanager": Sender(_SERVER, 503, None, "notify/util.go: 5xx only"),
    "zaqar": Sender(frozenset(), None, None, "an error status is never repeated"),
    "aodh": Sender(frozenset(), None, None, "the status is not looked at"),
}


def status_for(sender: str, status: int) -> int:
    """Return the status that the product needs in place of ours; ours where it is not known."""
    known = SENDERS.get(sender)
    if known is None:
        return status
    if status in _AGAIN and status not in known.repeats and known.again is not None:
        return known.again
    # 401 and 403 stay: what is wrong then is the policy, and a repetition may meet a better one.
    if status in _POISON and status in known.repeats and known.never is not None:
        return known.never
    return status
