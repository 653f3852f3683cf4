"""What became of a decision: the sentences of its note."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "note.text": "{text:20000}",
    "note.late": "a newer event about the same came before this one; nothing was changed",
    "note.changed": "the facts have changed since the approval request: nothing was done",
    "note.waits": "waits for an approval: sgguard approvals approve {approval}",
    "note.new-plan-waits": "the "
    "new plan waits for an approval: sgguard approvals approve {approval}",
    "note.denied": "denied: nothing was done",
    "note.expired": "not approved in time: nothing was done",
    "note.lapsed": "approved, but not started in time: nothing was done",
    "note.moved": "what it was judged on has changed since it was begun: nothing was done, "
    "send the event again",
    "note.observing": "the mode is observe now: nothing was done",
    "note.unasked": "the mode is approve now, and nobody was asked: nothing was done, "
    "send the event again",
    "note.nothing-changed": "nothing was changed",
    "note.accepted": "accepted as it is by {who:2000}",
    "note.bound": "{done} of {holders} holders bound, {nothing} were so already, {refused} refused",
    "note.unbound": "{done} of {holders} holders unbound, "
    "{nothing} were so already, {refused} refused",
    "note.failed": "{step}: {why:9000}",
    "note.unknown-outcome": "outcome unknown: {step}: {how:9000}",
    "note.kept": "kept: {step}",
    "note.not-undone": "not undone: {step}: {why:9000}",
    "note.deleted": "group {group} was deleted",
    "why.named": "rules of {groups:room=300} name it by now",
    "why.only-restore": "only sgguard restore creates it again",
    "why.changed-since": "it has changed since: {how:9000}",
    "halted": "{by} stopped all changes: {reason:2000}",
    "halted.policy": "the policy file stops all changes (halt = true)",
    "left.there": "group {group} was not deleted, or exists again",
    "left.peer-gone": "rule {rule:80} of {group}: group {peer}, which it names, is gone",
    "left.group-gone": "rule {rule:80}: its group {group} is gone",
    "left.rule-gone": "rule {rule:80} of {group} does not exist any more",
    "left.stays": "rule {rule:80} of {group} stays: what it took the place of waits",
    "left.with-peer": "rule {rule:80} of {group} may come back with {peer}",
    "left.holder-gone": "{holder} is gone",
    "left.holder-bare": "{holder} has no group now",
    "left.holder-has": "{holder} has {groups:room=300} now",
    "left.holder-has-gone": "{holder} has {groups:room=300} now ({gone:room=200} is gone)",
    "note.lacking": "{new} lacks of {old}: {lacking:room=9000}",
    "note.left-out": "left out: {what:9000}",
}
