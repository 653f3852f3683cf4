"""The reasons of the launch guard, and of the bind guard."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "subject.instance": "Instance {instance}",
    "subject.launch": {
        "one": "The launch of {n:of=instance}",
        "other": "The launch of {n:of=instance}",
    },
    "holder.planned": "The instance",
    "holder.each-planned": "Each instance",
    "holder.interface": "{interface} of {instance}",
    "thing.live": "live",
    "thing.documented": "documented",
    "thing.policy": "policy",
    "per.project": "the project",
    "per.referenced-group": "a group that rules of others name",
    "per.group": "a group",
    "per.instance": "an instance",
    "per.interface": "an interface",
    "limit.would-carry": "{holder:80} would carry {n:of=group}",
    "limit.would-be-on": "{group} would be on {count} ({now} now, {more} more)",
    "limit.would-have": "The project would have {n:of=port} ({now} now, {more} more)",
    "limit.of-holder": "{after} of {ceiling} groups per {unit:kind}",
    "limit.of-group": "{group} on {after} of {ceiling} {unit:kind}s",
    "limit.of-project": "{after} of {ceiling} ports of the project",
    "limit.exceeded": "{change}, over the limit of {ceiling} for {per} ({source:kind}){advice}.",
    "limit.advice": "; the cloud advises it, but does not enforce it",
    "limit.near": "{change}: {after} of {ceiling}{share} ({source:kind}).",
    "limit.share": ", {percent} %",
    "limit.without-effect": "{used} composite rules of {ceiling} ({note}).",
    "limit.per-direction": "counted for each direction by itself",
    "limit.and": "{note}; {own}",
    "limit.not-offered": "{action} is not offered here",
    "limit.not-read": "the account's own were not read",
    "limit.no-call": "API 2.0 has no call for quotas",
    "limit.of-referenced": "for a group that a rule of another group names; interfaces count as "
    "well",
    "limit.left-out": "the cloud leaves {key} out",
    "limit.contradicted": "the cloud says {told}, which its documents contradict; set a policy "
    "limit if your account really has more",
    "limit.raisable": "5 by default; Alibaba raises it to 10 or 16 on request, the policy can "
    "say so ({page})",
    "limit.basic-holders": "of a basic group ({page}); newer pages count up to 6000 private "
    "addresses",
    "limit.advanced-holders": "of an advanced group, counted in interfaces ({page})",
    "limit.prefix-lists": "a prefix list counts with its capacity ({page})",
    "limit.over-all-groups": "groups times their rules, over all groups of an interface ({page})",
    "limit.basic-peers": "groups that a basic group may name ({page})",
    "limit.advanced-peers": "an advanced group names no groups ({page})",
    "limit.of-region": "of an account and region; raised on request",
    "limit.none": "OpenStack limits neither groups per port nor ports per group",
    "limit.quota": "quota {key}",
    "limit.advised": "advice of the vendor",
    "limit.advised-more": "advice of the vendor; the cloud binds more",
    "limit.silent": "per direction; rules beyond it are accepted and silently do not take effect",
    "limit.of-policy": "set by the policy",
    "limit.counted-at": "{where}: {note}",
    "launch.other-network": "{group} belongs to network {theirs:40}, but the instance to network "
    "{ours:40}.",
    "launch.other-project": "{group} belongs to project {theirs:40}, but the instance to project "
    "{ours:40}.",
    "launch.no-instance": "{subject} is not in {place}, or these credentials cannot see it.",
    "launch.unbindable": "{subject} cannot be bound now{state}: {why}",
    "launch.state": " ({state:30})",
    "launch.interface-unchangeable": "Interface {interface:40} of {instance} cannot be changed "
    "now: {why}",
    "launch.kinds-mixed": "{holder:80} would carry groups of two kinds: {kinds:room=100}. The "
    "cloud would refuse with {code}.",
    "launch.is-of-kind": "{group:40} is {kind}",
    "launch.is-of-no-kind": "{group:40} is of no kind",
    "launch.forbidden": "{group} is forbidden by the policy (launch.forbidden: {pattern}).",
    "launch.forbidden.maybe": "{group} may be forbidden by the policy (launch.forbidden: "
    "{pattern}): its name could not be read.",
    "launch.baseline": "{subject} lacks the baseline group {entry:60}; it has "
    "{groups:rest}{unknown}.",
    "launch.baseline.none": "{subject} lacks the baseline group {entry:60}; it has none{unknown}.",
    "launch.nameless": "; the name of {names:room=60} could not be read",
    "launch.default-taken": "No group was given: the cloud takes the project's default group, "
    "{groups:room=80}.",
    "launch.default-unknown": "No group was given: the cloud picks one itself, usually the "
    "project's default group, and creates it if need be. Its limits were not checked.",
    "launch.no-limit": "{subject}: no limit is known that it could break.",
    "launch.within": "{subject} is within the limits: {usages:rest}.",
    "bind.cloud-managed": "{group} belongs to {owner}, which alone binds it.",
    "bind.forbidden.maybe": "{group} may be (its name is not told) forbidden by the policy "
    "(launch.forbidden: {pattern}).",
    "bind.cap": {
        "one": "{n} holder would be changed, the policy permits {most} (caps.holders).",
        "other": "{n} holders would be changed, the policy permits {most} (caps.holders).",
    },
    "bind.would-get": {
        "one": "{planned} of {n} holder would get {group}; already so: {nothing}, refused: "
        "{refused}.",
        "other": "{planned} of {n} holders would get {group}; already so: {nothing}, refused: "
        "{refused}.",
    },
    "bind.would-lose": {
        "one": "{planned} of {n} holder would lose {group}; already so: {nothing}, refused: "
        "{refused}.",
        "other": "{planned} of {n} holders would lose {group}; already so: {nothing}, refused: "
        "{refused}.",
    },
    "bind.uncounted": "How many holders carry the group could not be seen, and {limit} is limited.",
}
