"""The closed sets: verdicts, modes, outcomes, reason codes, gaps in the facts, and remedies.

Each is on the wire, in the JSON Schemas and in the reference tables; tests compare them with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Verdict(StrEnum):
    """What the facts mean."""

    ALLOW = "allow"
    BLOCK = "block"
    REMEDIATE = "remediate"


class Mode(StrEnum):
    """What may be done about it. Out of the box: only look."""

    OBSERVE = "observe"
    APPROVE = "approve"
    ENFORCE = "enforce"


class Outcome(StrEnum):
    """What was done to the cloud; :data:`OUTCOMES` says what each means."""

    UNCHANGED = "unchanged"
    LEFT_TO_CALLER = "left-to-caller"
    REMEDIATED = "remediated"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly-undone"
    PENDING = "pending"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    HALTED = "halted"
    UNFINISHED = "unfinished"
    ACCEPTED = "accepted"


OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.UNCHANGED: "nothing was to be done, or the mode is `observe`",
        Outcome.LEFT_TO_CALLER: "the groups may be deleted, and the caller deletes them",
        Outcome.REMEDIATED: "the whole plan was carried out",
        Outcome.UNDONE: "a step was refused; all before it was undone",
        Outcome.PARTLY_UNDONE: "not everything could be undone: `note` names what is left",
        Outcome.PENDING: "an approval is open",
        Outcome.REFUSED: "an approver denied it, or the approval request expired",
        Outcome.SUPERSEDED: "a newer event came first, or the facts changed; nothing was changed",
        Outcome.HALTED: "all changes are stopped",
        Outcome.UNFINISHED: "the time was used up; the next delivery or `sgguard resume` continues",
        Outcome.ACCEPTED: "a person ended it as it was: `note` says who, why and what is left",
    }
)
"""What each outcome means, in one line: the reference table is made from it."""


class ReasonCode(StrEnum):
    """Why a verdict is what it is; :data:`MEANINGS` says what each means. Stable on the wire."""

    FREE = "free"
    REFERENCED = "referenced"
    REFERENCED_WILL_CASCADE = "referenced-will-cascade"
    REFERENCED_WITHIN_SET = "referenced-within-set"
    BOUND = "bound"
    DEFAULT_GROUP = "default-group"
    CLOUD_MANAGED = "cloud-managed"
    PROTECTED = "protected"
    NOT_FOUND = "not-found"
    GROUP_MALFORMED = "group-malformed"
    FACTS_INCOMPLETE = "facts-incomplete"
    CAP_EXCEEDED = "cap-exceeded"
    REPLACEMENT_UNUSABLE = "replacement-unusable"
    WITHIN_LIMITS = "within-limits"
    DEFAULT_GROUP_APPLIES = "default-group-applies"
    GROUPS_PER_INSTANCE_EXCEEDED = "groups-per-instance-exceeded"
    INSTANCES_PER_GROUP_EXCEEDED = "instances-per-group-exceeded"
    LIMIT_NEAR = "limit-near"
    RULES_WITHOUT_EFFECT = "rules-without-effect"
    GROUP_NOT_FOUND = "group-not-found"
    GROUP_OTHER_NETWORK = "group-other-network"
    GROUP_OTHER_PROJECT = "group-other-project"
    GROUP_KINDS_MIXED = "group-kinds-mixed"
    PROJECT_LIMIT_EXCEEDED = "project-limit-exceeded"
    INSTANCE_NOT_FOUND = "instance-not-found"
    INSTANCE_REFUSES_BINDING = "instance-refuses-binding"
    GROUP_FORBIDDEN = "group-forbidden"
    BASELINE_MISSING = "baseline-missing"


_MEANINGS = {
    "free": "no group outside the request names it, nothing carries it, everything was read",
    "referenced": "rules of other groups name it; the delete would be refused, or worse",
    "referenced-will-cascade": "rules of other groups name it and would silently vanish",
    "referenced-within-set": "only groups deleted together with it name it",
    "bound": "instances, interfaces or other products carry it",
    "default-group": "it is the cloud's default group",
    "cloud-managed": "a product of the cloud owns it",
    "protected": "the policy protects it",
    "not-found": "the cloud shows no such group",
    "group-malformed": "the text is no group id of this cloud",
    "facts-incomplete": "something the verdict needs could not be seen",
    "cap-exceeded": "the plan would change more than the policy's caps permit",
    "replacement-unusable": "a group the policy would use instead is not there, or not usable",
    "within-limits": "every limit that was read holds after the change",
    "default-group-applies": "no group was given, so the cloud picks one itself",
    "groups-per-instance-exceeded": "an instance or interface would carry too many groups",
    "instances-per-group-exceeded": "too many instances or interfaces would carry a group",
    "limit-near": "a limit holds, but most of it is used",
    "rules-without-effect": "a group has more rules of a kind than take effect",
    "group-not-found": "the cloud shows no such group",
    "group-other-network": "the group belongs to another network than the instance",
    "group-other-project": "the group belongs to another project than the instance",
    "group-kinds-mixed": "an interface would carry groups of two kinds, which the cloud refuses",
    "project-limit-exceeded": "the project would have more of something than its quota permits",
    "instance-not-found": "the cloud shows no such instance",
    "instance-refuses-binding": "the instance cannot be bound in its present state",
    "group-forbidden": "the policy forbids the group",
    "baseline-missing": "the policy requires a group that is not there",
}

MEANINGS: Mapping[ReasonCode, str] = MappingProxyType(
    {ReasonCode(code): meaning for code, meaning in _MEANINGS.items()}
)
"""What each reason code means, in one line: the reference table is made from it."""

DELETE_CODES = (
    ReasonCode.FREE,
    ReasonCode.REFERENCED,
    ReasonCode.REFERENCED_WILL_CASCADE,
    ReasonCode.REFERENCED_WITHIN_SET,
    ReasonCode.BOUND,
    ReasonCode.DEFAULT_GROUP,
    ReasonCode.CLOUD_MANAGED,
    ReasonCode.PROTECTED,
    ReasonCode.NOT_FOUND,
    ReasonCode.GROUP_MALFORMED,
    ReasonCode.FACTS_INCOMPLETE,
    ReasonCode.CAP_EXCEEDED,
    ReasonCode.REPLACEMENT_UNUSABLE,
)
"""The codes of the delete guard."""

LAUNCH_CODES = (
    ReasonCode.WITHIN_LIMITS,
    ReasonCode.DEFAULT_GROUP_APPLIES,
    ReasonCode.GROUPS_PER_INSTANCE_EXCEEDED,
    ReasonCode.INSTANCES_PER_GROUP_EXCEEDED,
    ReasonCode.LIMIT_NEAR,
    ReasonCode.RULES_WITHOUT_EFFECT,
    ReasonCode.GROUP_NOT_FOUND,
    ReasonCode.GROUP_MALFORMED,
    ReasonCode.GROUP_OTHER_NETWORK,
    ReasonCode.GROUP_OTHER_PROJECT,
    ReasonCode.GROUP_KINDS_MIXED,
    ReasonCode.PROJECT_LIMIT_EXCEEDED,
    ReasonCode.INSTANCE_NOT_FOUND,
    ReasonCode.INSTANCE_REFUSES_BINDING,
    ReasonCode.GROUP_FORBIDDEN,
    ReasonCode.BASELINE_MISSING,
    ReasonCode.FACTS_INCOMPLETE,
    ReasonCode.CAP_EXCEEDED,
    ReasonCode.REPLACEMENT_UNUSABLE,
)
"""The codes of the launch guard."""


class UnseenCode(StrEnum):
    """What kind of gap in the facts something unseen is: each is tolerated by itself.

    But ``out-of-time``, which no policy can tolerate: whoever asks again may see it.
    """

    NO_PERMISSION = "no-permission"
    UNKNOWN_SHAPE = "unknown-shape"
    RECORD_CEILING = "record-ceiling"
    OTHER_PROJECT = "other-project"
    CROSS_ACCOUNT = "cross-account"
    NOT_TOLD = "not-told"
    API_ABSENT = "api-absent"
    OUT_OF_TIME = "out-of-time"


TOLERABLE = frozenset(UnseenCode) - {UnseenCode.OUT_OF_TIME}
"""Gaps that a policy may tolerate. What there was no time for may be seen by whoever asks again."""


class DeleteRemedy(StrEnum):
    """How a group that is to be deleted may be freed.

    ``revoke``: remove the rules that name it, ``rewrite``: let them name another group.
    ``unbind``: remove it from holders that have further groups, ``move``: bind another group first.
    ``force``: the cloud's own forced delete.
    """

    REVOKE = "revoke"
    REWRITE = "rewrite"
    UNBIND = "unbind"
    MOVE = "move"
    FORCE = "force"


class LaunchRemedy(StrEnum):
    """What may be done to an instance: add a group, remove one, or replace all by one."""

    BIND = "bind"
    UNBIND = "unbind"
    QUARANTINE = "quarantine"
