"""What the operator permits, as values. Out of the box nothing is permitted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from sgguard.model.caller import Caller
from sgguard.model.codes import DeleteRemedy, LaunchRemedy, Mode, ReasonCode, UnseenCode
from sgguard.model.resource import Visibility
from sgguard.policy.callback import CallbackPolicy
from sgguard.policy.channel import ChannelPolicy, Route

Guard = Literal["delete", "launch"]
FailureEffect = Literal["block", "error"]
"""What to do when a verdict cannot be reached: a verdict of block, or an error to try again."""

CarryOut = Literal["remedied", "always"]
"""Which deletes a mode carries out: those that need a remedy, or those of free groups as well."""

EXEMPTABLE = (
    ReasonCode.PROTECTED,
    ReasonCode.GROUP_FORBIDDEN,
    ReasonCode.BASELINE_MISSING,
    ReasonCode.LIMIT_NEAR,
    ReasonCode.CAP_EXCEEDED,
)
"""Reasons that the policy itself gives, and so may excuse; those of a cloud are never excused."""

Overrides = Mapping[str, Mapping[str, int]]
Sparse = Mapping[str, Any]
"""Some fields of a part of the policy, by name, with the values they take."""


class DeletePolicy(msgspec.Struct, frozen=True):
    """What is permitted when a group is to be deleted.

    ``protected`` are fnmatch patterns over a group's address, id or name; a protected group is
    neither deleted nor are its rules changed for another's sake. ``fallback_group`` is the id (or
    address) that ``move`` binds in place of a deleted group. ``rewrite`` makes rules name another
    group instead of the deleted one: the one that ``replacements`` has for it (by id, address or
    pattern, the first that fits), else ``replacement_group``. ``force`` lets the cloud itself
    take a group off everything that carries it, where it knows such a delete (Tencent).
    ``carry_out`` says whether a group that is free is deleted too, or left to the caller.

    ``tolerate_unseen`` are the codes of gaps that warn instead of blocking: the group is then
    judged by what was seen. ``require_visibility`` is how far the credentials must see before
    anything is allowed, None for as far as they happen to. ``mode`` is that of this guard, None
    for the policy's. ``when_incomplete`` and ``when_unreachable`` say what becomes of a request
    whose facts are incomplete, or whose cloud does not answer; neither can allow anything.
    """

    protected: tuple[str, ...] = ()
    remedies: tuple[DeleteRemedy, ...] = ()
    fallback_group: str = ""
    tolerate_unseen: tuple[UnseenCode, ...] = ()
    require_visibility: Visibility | None = None
    mode: Mode | None = None
    replacement_group: str = ""
    replacements: Mapping[str, str] = msgspec.field(default_factory=dict)
    when_incomplete: FailureEffect = "block"
    when_unreachable: FailureEffect = "error"
    carry_out: CarryOut = "remedied"


class LaunchPolicy(msgspec.Struct, frozen=True):
    """What is required of a launch, and what may be done to an instance that broke it.

    ``baseline`` and ``forbidden`` are fnmatch patterns over a group's address, id or name: every
    baseline entry must be matched by a group of the instance, no forbidden one may be. An entry
    written as an address concerns that scope only. From ``warn_at_percent`` of a limit a
    judgement warns. ``bind`` adds a missing baseline group, ``unbind`` removes a forbidden one:
    never the last, unless ``fallback_group`` can be bound in its place. ``quarantine`` replaces
    all groups by ``quarantine_group`` where those two do not suffice. The other fields mean what
    they mean for a delete.
    """

    baseline: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    warn_at_percent: int = 80
    remedies: tuple[LaunchRemedy, ...] = ()
    tolerate_unseen: tuple[UnseenCode, ...] = ()
    require_visibility: Visibility | None = None
    mode: Mode | None = None
    quarantine_group: str = ""
    fallback_group: str = ""
    when_incomplete: FailureEffect = "block"
    when_unreachable: FailureEffect = "error"


class Caps(msgspec.Struct, frozen=True):
    """How much one plan may change, whatever the verdict.

    At most ``changes`` changes, at most ``percent_of_rules`` percent of one group's rules, and
    never the last rule that lets anybody in on one of the ``management_ports``. Of a bind at most
    ``holders`` holders.
    """

    changes: int = 100
    percent_of_rules: int = 100
    management_ports: tuple[int, ...] = (22, 3389)
    holders: int = 10_000


class ApprovalPolicy(msgspec.Struct, frozen=True):
    """Who may approve in mode ``approve``, and how long an approval request is open, in seconds."""

    approvers: tuple[str, ...] = ()
    may_approve_own: bool = False
    expires_s: int = 86400
    remind_s: int = 14400


class Match(msgspec.Struct, frozen=True):
    """Which groups a scope is about: each field is an fnmatch pattern, all of them must fit.

    ``name`` is that of the group; ``tag`` is ``key=value``, and one tag must fit. A group whose
    name or tags are not told may fit: the strictest of what is possible holds for it.
    """

    provider: str = "*"
    account: str = "*"
    region: str = "*"
    name: str = "*"
    tag: str = "*"


class ScopePolicy(msgspec.Struct, frozen=True):
    """What is different for some groups: fields of the policy by name, nothing else changes.

    ``mode`` is None where the scope does not say; it comes before the mode of a guard that is
    not in the scope itself.
    """

    match: Match
    mode: Mode | None = None
    delete: Sparse = msgspec.field(default_factory=dict)
    launch: Sparse = msgspec.field(default_factory=dict)
    caps: Sparse = msgspec.field(default_factory=dict)


class Exemption(msgspec.Struct, frozen=True):
    """Reasons of the policy that do not count for some groups, until a day, and who is responsible.

    ``group`` is an fnmatch pattern over a group's address, id or name, or over an instance's id
    for a launch. It is honoured until the end of the day ``expires``, in UTC.
    """

    group: str
    reasons: tuple[ReasonCode, ...]
    owner: str
    reason: str
    expires: date


class Policy(msgspec.Struct, frozen=True):
    """Everything the operator decided. ``limits`` overrides ceilings by provider and limit name.

    The first of the ``scopes`` that fits a group decides about it. ``callers`` are those who may
    ask over HTTP. ``halt`` stops all changes.
    """

    mode: Mode = Mode.OBSERVE
    delete: DeletePolicy = msgspec.field(default_factory=DeletePolicy)
    launch: LaunchPolicy = msgspec.field(default_factory=LaunchPolicy)
    limits: Overrides = msgspec.field(default_factory=dict)
    caps: Caps = msgspec.field(default_factory=Caps)
    approval: ApprovalPolicy = msgspec.field(default_factory=ApprovalPolicy)
    scopes: tuple[ScopePolicy, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    callers: tuple[Caller, ...] = ()
    halt: bool = False
    channels: tuple[ChannelPolicy, ...] = ()
    routes: tuple[Route, ...] = ()
    callbacks: CallbackPolicy = msgspec.field(default_factory=CallbackPolicy)
