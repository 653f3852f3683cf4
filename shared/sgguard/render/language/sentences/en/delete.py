"""The reasons of the delete guard."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "delete.default-group": ("{group} is the default group of its project and cannot be deleted."),
    "delete.cloud-managed": "{group} is managed by {owner:60}: delete it there, not here.",
    "delete.protected": "{group} is protected by the policy (delete.protected: {pattern}).",
    "delete.protected.maybe": (
        "{group} may be protected by the policy (delete.protected: {pattern}): its name could not "
        "be read."
    ),
    "delete.referenced": {
        "one": "{n:of=rule} of {groups:of=other-group} names {group}: "
        "{holders:rest short 44}.{then}",
        "other": "{n:of=rule} of {groups:of=other-group} name {group}: "
        "{holders:rest short 44}.{then}",
    },
    "delete.then.guard": " {guard:60} would refuse with {code:40}.",
    "delete.then.refused": " The cloud refuses to delete a referenced group.",
    "delete.then.refused-with": " The cloud would refuse with {code:40}.",
    "delete.then.unknown": " The cloud may refuse, or silently drop them.",
    "delete.cascade": (
        "If {group} were deleted, {n:of=rule} of {groups:of=group} would silently vanish: "
        "{holders:rest short 44}."
    ),
    "delete.referenced.still": (
        "{group:48} stays referenced by {holders:rest short 44}, which is in this request but "
        "cannot be deleted itself."
    ),
    "delete.referenced.circle": (
        "{group:48} is in a circle of references with {holders:rest short 44}; the rule to revoke "
        "first could not be read."
    ),
    "delete.within": (
        "{group:48} is named by {holders:rest short 44}, deleted in the same request and before it."
    ),
    "delete.within.circle": (
        "{group:40} is in a circle of references ({circle:rest}): rules go first."
    ),
    "delete.bound": ("{group} is carried by {kinds:room=80}: {holders:rest short 44}.{refusal}"),
    "delete.bound.short": "{group} is carried by {kinds:room=80}.{refusal}",
    "delete.bound.refusing": " {who:40} cannot be changed now: {why:80}.",
    "delete.bound.refusing-more": {
        "one": " {who:40} and {n} other cannot be changed now: {why:80}.",
        "other": " {who:40} and {n} others cannot be changed now: {why:80}.",
    },
    "delete.free": (
        "{group:48} is free {reach}: no in- or outbound rule of {who} names it and nothing carries "
        "it{blind}."
    ),
    "delete.blind": " (blind spots of this cloud's API: {n})",
    "who.another": "another group",
    "who.staying": "a group that stays",
    "reach.seen": "as far as was seen",
    "reach.project": "as far as this project sees",
    "reach.account": "in this account",
    "reach.cloud": "in the whole cloud",
}
