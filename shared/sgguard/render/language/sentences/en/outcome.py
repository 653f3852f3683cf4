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
    "why.only-restore": "only sgguard restore creates it again",
    "why.changed-since": "it has changed since: {how:9000}",
    "halted": "{by} stopped all changes: {reason:2000}",
    "halted.policy": "the policy file stops all changes (halt = true)",
}
