"""Why a plan may not be carried out, and exemptions."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "unit.change": {"one": "{n} change", "other": "{n} changes"},
    "unit.ingress-rule": {"one": "{n} ingress rule", "other": "{n} ingress rules"},
    "unit.egress-rule": {"one": "{n} egress rule", "other": "{n} egress rules"},
    "exempted": "Exempted by {owner:40}, until {expires} ({reason:50}): {about}",
    "cap.changes": {
        "one": "The plan has {n} change, and caps.changes permits {cap}.",
        "other": "The plan has {n} changes, and caps.changes permits {cap}.",
    },
    "cap.percent": {
        "one": "The plan revokes {number} of the {n} rule of {group}, and caps.percent_of_rules "
        "permits {cap} %.",
        "other": "The plan revokes {number} of the {n} rules of {group}, and caps.percent_of_rules "
        "permits {cap} %.",
    },
    "cap.port": "The plan revokes the last rule of {group} that lets port {port} in "
    "(caps.management_ports).",
    "cap.no-room-for-rule": "{group} has {number} of at most {most}: there is no room to add the "
    "rewritten rule before the old one is removed.",
    "cap.no-room-to-name": {
        "one": "{group} names {number} of at most {n} group: there is no room to name {peer} "
        "before the old one is no longer named.",
        "other": "{group} names {number} of at most {n} groups: there is no room to name {peer} "
        "before the old one is no longer named.",
    },
    "cap.project-over": {
        "one": "The project has {n} rule more than its quota: none could be restored.",
        "other": "The project has {n} rules more than its quota: none could be restored.",
    },
    "cap.project-full": "The project has all rules of its quota: there is no room to add a "
    "rewritten one.",
    "used.missing": "{group}, which the policy would use instead, is not in {scope}.",
    "used.network": "{group}, which the policy would use, belongs to {network}.",
    "used.project": "{group}, which the policy would use, is of project {project}.",
    "used.kind-untold": "{group}, which the policy would use, is unusable: it is not told whether "
    "its kind goes with the holder's groups.",
    "used.kind-refused": "{group}, which the policy would use, is unusable: it is {kind}, and "
    "{code} keeps it off the holder's groups.",
    "used.forbidden": "{group}, which the policy would use, is forbidden by it ({pattern}).",
    "used.forbidden.maybe": "{group}, which the policy would use, may be (its name could not be "
    "read) forbidden by it ({pattern}).",
    "used.full": {
        "one": "{group}, which the policy would use, would be on {n} holders ({now} now, {more} "
        "more), over the limit of {ceiling} ({limit}).",
        "other": "{group}, which the policy would use, would be on {n} holders ({now} now, {more} "
        "more), over the limit of {ceiling} ({limit}).",
    },
    "used.uncounted": "{group}, which the policy would use: how many holders carry it could not be "
    "seen, and the cloud limits that.{then}",
    "used.tolerated": " The policy tolerates it.",
    "used.holder-full": {
        "one": "{kind:kind} {holder} would carry {n} group of at most {ceiling}.",
        "other": "{kind:kind} {holder} would carry {n} groups of at most {ceiling}.",
    },
    "used.unusable": "What the policy would bind is unusable: {why}",
    "plan.diverged": "{why}: send the request again.",
    "plan.impossible": "The remedy cannot be planned: {why}",
}
