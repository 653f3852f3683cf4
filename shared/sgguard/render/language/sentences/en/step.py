"""The steps of plans."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "thing.any": "any",
    "thing.ingress": "ingress",
    "thing.egress": "egress",
    "traffic.from": "{traffic:kind} from {group}",
    "traffic.to": "{traffic:kind} to {group}",
    "holder.named": "{kind:kind} {holder}",
    "holder.part": "{kind:kind} {holder} of {instance}",
    "holder.every-planned": "every planned instance",
    "plan.revoke": "revoke {way:silent}rule {rule} ({traffic}) of {holder}",
    "plan.put-back": "put {way:silent}rule {rule} ({traffic}) back into {holder}",
    "plan.rewrite": "make {way:silent}rule {rule} ({traffic}) of {holder} name {group} instead",
    "plan.rewrite-back": "make {way:silent}rule {rule} ({traffic}) of {holder} name {group} again",
    "plan.unbind": "unbind {group:60} from {holder}",
    "plan.bind": "bind {group:60} to {holder}",
    "plan.bind-again": "bind {group:60} to {holder} again",
    "plan.move": "move {holder} from {group:60} to {new}",
    "plan.move-back": "move {holder} back to {group:60}",
    "plan.replace": "replace all groups of {holder} by {group}",
    "plan.replace-back": "give {holder} its groups back: {groups:rest}",
    "plan.replace-back.none": "give {holder} its groups back: none",
    "plan.delete": "delete {group}",
    "plan.delete-forced": "delete {group} by force: the cloud unbinds its instances",
    "plan.create": "create {group} again, under a new id",
    "plan.create-without": "create {group} again, under a new id, without {lost:rest}",
    "plan.restore-rule": "restore rule {rule} of {group}",
    "plan.clear-place": "revoke rule {rule} of {group}, which took its place",
    "plan.restore-groups": "restore groups of {holder}: {groups:rest}",
    "plan.take-back": "take back: {step}",
    "plan.lacking": "{step}; a restore lacks {lacking:rest}",
    "lost.name": "its name (not told)",
    "lost.tags": "its tags (not told)",
    "lost.sharing": "whom it is shared with (not told)",
}
