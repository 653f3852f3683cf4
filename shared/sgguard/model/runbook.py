"""What a person does about each reason, gap and outcome: the runbook behind every code.

``sgguard explain-code`` prints it, and deploy/reasons.md is made from it. What a code means stands
beside the code, in :mod:`sgguard.model.codes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from sgguard.model.codes import TOLERABLE, Outcome, ReasonCode, UnseenCode


class Runbook(msgspec.Struct, frozen=True):
    """One code: what to ``do`` now, in which ``evidence`` to look, how to ``silence`` it.

    ``silence`` is empty where no policy can; ``related`` are codes that are often met with it.
    """

    do: str
    evidence: str = ""
    silence: str = ""
    related: tuple[str, ...] = ()


_GROUP = "the group as it was read"
_RULES = "each rule that names it: group, direction, ports, description"
_HOLDERS = "each holder: kind, id, name, and what else it carries"
_LIMIT = "the limit: ceiling, number now and after the change, and where the ceiling was read"
_INSTANCE = "the instance and its interfaces, each with its groups"
_NONE = "none: the message names it"
_EXEMPT = "an `[[exemption]]` for the group with this reason, an owner and a last day"
_CEILING = "`limits` in the policy, where the cloud has granted you another ceiling"

_REASONS: dict[str, Runbook] = {
    "free": Runbook(
        "delete it; look at the blind spots listed in the decision first",
        _GROUP,
        related=("referenced-within-set", "left-to-caller"),
    ),
    "referenced": Runbook(
        "revoke or rewrite the rules that `sgguard explain` lists, or permit the remedies "
        "`revoke` or `rewrite`",
        _RULES,
        related=("referenced-will-cascade", "referenced-within-set", "bound"),
    ),
    "referenced-will-cascade": Runbook(
        "as for `referenced`; do not delete the group before, its references in other groups "
        "would be lost",
        _RULES,
        related=("referenced", "other-project"),
    ),
    "referenced-within-set": Runbook(
        "delete in the order of the plan", _RULES, related=("referenced", "free")
    ),
    "bound": Runbook(
        "unbind or move the holders that `sgguard explain` lists, or permit the remedies "
        "`unbind` or `move`",
        _HOLDERS,
        related=("referenced", "replacement-unusable"),
    ),
    "default-group": Runbook("keep it; the cloud does not delete it", _GROUP),
    "cloud-managed": Runbook("delete it in the product that owns it", _GROUP, related=("bound",)),
    "protected": Runbook(
        "change `delete.protected`, or add an exemption", _GROUP, _EXEMPT, ("group-forbidden",)
    ),
    "not-found": Runbook(
        "check id, region, account and what the credentials may see",
        _NONE,
        related=("group-malformed", "facts-incomplete"),
    ),
    "group-malformed": Runbook(
        "correct the id: its form is the cloud's own", _NONE, related=("not-found",)
    ),
    "facts-incomplete": Runbook(
        "do what its remedy says: grant a permission, use wider credentials, or ask again; see "
        "[Gaps](#gaps)",
        "each gap: its code, what was not seen, and what would make it visible",
        "`tolerate_unseen` with the code of the gap: it is then a warning",
        tuple(UnseenCode),
    ),
    "cap-exceeded": Runbook(
        "make the change in smaller parts or by hand, raise the cap that is named, or add an "
        "exemption",
        _NONE,
        _EXEMPT,
    ),
    "replacement-unusable": Runbook(
        "correct the group that the message names in the policy", _NONE, related=("bound",)
    ),
    "within-limits": Runbook("launch", _LIMIT, related=("limit-near",)),
    "default-group-applies": Runbook(
        "name a group in the request if the default group is not intended", _NONE
    ),
    "groups-per-instance-exceeded": Runbook(
        "bind fewer groups, or have the quota raised", _LIMIT, _CEILING, ("limit-near",)
    ),
    "instances-per-group-exceeded": Runbook(
        "use another group, or have the quota raised", _LIMIT, _CEILING, ("limit-near",)
    ),
    "limit-near": Runbook(
        "plan for another group or a higher quota; nothing is blocked",
        _LIMIT,
        f"a higher `launch.warn_at_percent`, or {_EXEMPT}",
        ("groups-per-instance-exceeded", "instances-per-group-exceeded", "project-limit-exceeded"),
    ),
    "rules-without-effect": Runbook("split or remove rules of the group", _LIMIT),
    "group-not-found": Runbook(
        "check id, region, account and what the credentials may see",
        _NONE,
        related=("group-malformed", "facts-incomplete"),
    ),
    "group-other-network": Runbook(
        "use a group of the instance's network", _GROUP, related=("group-other-project",)
    ),
    "group-other-project": Runbook(
        "use a group of the instance's project", _GROUP, related=("group-other-network",)
    ),
    "group-kinds-mixed": Runbook("choose groups of one kind", _GROUP),
    "project-limit-exceeded": Runbook(
        "raise the quota, or launch fewer", _LIMIT, _CEILING, ("limit-near",)
    ),
    "instance-not-found": Runbook(
        "check id, region, account and what the credentials may see",
        _NONE,
        related=("facts-incomplete",),
    ),
    "instance-refuses-binding": Runbook(
        "wait, or bring the instance into another state", _INSTANCE
    ),
    "group-forbidden": Runbook(
        "use another group, permit the remedy `unbind` or `quarantine`, or add an exemption",
        _GROUP,
        _EXEMPT,
        ("protected", "baseline-missing"),
    ),
    "baseline-missing": Runbook(
        "add the group, permit the remedy `bind`, or add an exemption",
        _NONE,
        _EXEMPT,
        ("group-forbidden",),
    ),
}

_TOLERATE = "`tolerate_unseen` of `[delete]` or `[launch]` with this code: it is then a warning"
_GAP = "what was not seen, and what would make it visible"
_GAPS: dict[str, str] = {
    "no-permission": "the credentials may not make a call: grant the permission that is named",
    "unknown-shape": "a response has a shape that the API does not document: report it to the "
    "maintainers of sgguard",
    "record-ceiling": "the API returns only so many records, and there are more: look at the rest "
    "in the console, or ask again",
    "other-project": "other projects may use the group, and the credentials see only their own: "
    "use wider credentials",
    "cross-account": "other accounts may use the group, and their rules cannot be read: look "
    "there too",
    "not-told": "a response leaves out or contradicts something that a verdict needs: ask again, "
    "or look in the console",
    "api-absent": "the region does not offer the call that would tell: look in the console",
    "out-of-time": "the time of the event was used up before all groups of a large set were read: "
    "ask again with fewer groups, or raise `SGGUARD_DEADLINE_S`",
}

_OUTCOMES: dict[str, str] = {
    "unchanged": "nothing, or what the reasons say",
    "left-to-caller": 'delete them, or let the guard do it: `delete.carry_out = "always"` in '
    "the policy",
    "remediated": "nothing; `sgguard restore DECISION` restores what was removed",
    "undone": "read `note`, remove the cause, and send a new event",
    "partly-undone": "repair what `note` names, then run `sgguard resume DECISION`; with "
    "`--accept` it stays as it is",
    "pending": "approve or deny: `sgguard approvals list`",
    "refused": "nothing; a new event creates a new approval request",
    "superseded": "nothing, or send a new event",
    "halted": "`sgguard halt status` tells who stopped the changes and why; send a new event "
    "after `sgguard halt off`",
    "unfinished": "deliver the event again, or run `sgguard resume`",
    "accepted": "nothing; `sgguard restore DECISION` restores what was deleted",
}

REASONS: Mapping[ReasonCode, Runbook] = MappingProxyType(
    {ReasonCode(code): one for code, one in _REASONS.items()}
)
"""What to do about each reason."""

GAPS: Mapping[UnseenCode, Runbook] = MappingProxyType(
    {
        UnseenCode(code): Runbook(
            text.partition(": ")[2],
            _GAP,
            _TOLERATE if code in TOLERABLE else "",
            ("facts-incomplete",),
        )
        for code, text in _GAPS.items()
    }
)
"""What to do about each gap."""

GAP_MEANINGS: Mapping[UnseenCode, str] = MappingProxyType(
    {UnseenCode(code): text.partition(": ")[0] for code, text in _GAPS.items()}
)
"""What each gap means, in one line."""

OUTCOMES: Mapping[Outcome, Runbook] = MappingProxyType(
    {Outcome(code): Runbook(text) for code, text in _OUTCOMES.items()}
)
"""What to do after each outcome."""
