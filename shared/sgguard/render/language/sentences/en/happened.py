"""What an event of a cloud meant, and what a delete broke, in English."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "event.other-kind": "this function is not for events of this kind ({kind})",
    "event.fresh": "every decision reads rules and groups anew: nothing is kept to refresh",
    "event.other-account": "it happened in another account than the one of the credentials here",
    "event.long-ago": "it happened more than a day ago: nothing was changed",
    "event.ahead": "its time is in the future: nothing was changed",
    "event.not-held": "refused with {code}, which does not say that it is held: nothing is changed",
    "event.own-attempt": "decision {decision} has just tried to free it, and could not: "
    "nothing is changed",
    "event.interfaces-only": "it names interfaces only, and the cloud does not tell whose they are",
    "event.no-timer": "nothing is started by a timer here",
    "after.unkept": "no decision about the group is kept: what named it or carried it is not known",
    "after.gap": "{what:kind}: {why:700}",
    "after.gap-before": "not seen before the delete either: {what:kind}",
    "after.other-account": "{group} of account {account}: its rules cannot be read from here",
    "after.referrer-gone": "{group}, whose rules named it, is gone as well, or hidden",
    "after.rules": "rules of {group}: {why:700}",
    "after.holder": "{holder}: {why:700}",
    "after.holder-unreadable": "{holder}: its groups cannot be read from here",
    "after.there": "{group:200} is still there: the event is late, or the group was made again",
    "after.broken": "{group:200} is gone: {broken:room=700 apart}",
    "after.vanished": "{n} rules of other groups vanished with it",
    "after.dangling": "{n} rules still name it and match nothing",
    "after.bare": "{n} holders are left without any group",
    "after.doubtful": "{group:200} is gone; what it broke is not wholly known",
    "after.intact": "{group:200} is gone, and nothing that named or carried it is broken",
}
