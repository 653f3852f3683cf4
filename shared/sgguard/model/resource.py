"""What is in a cloud, in one vocabulary: groups, rules, references, bindings, limits, and facts.

Everything here is an immutable value. Vendor spellings never appear in these types: a provider
turns a cloud's answer into them, a guard turns them into a judgement (see ``decision.py``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, Literal, TypeVar

import msgspec

from sgguard.model.codes import UnseenCode
from sgguard.model.sentence import Text

T = TypeVar("T")

Tags = tuple[tuple[str, str], ...]
"""The tags of a group: keys with values. A key may come twice."""


class Direction(StrEnum):
    """Which traffic a rule is about, seen from the group that holds it."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Visibility(StrEnum):
    """How far the credentials can see: one project, one account, or the whole cloud."""

    PROJECT = "project"
    ACCOUNT = "account"
    CLOUD = "cloud"


class Rule(msgspec.Struct, frozen=True):
    """One rule of a group.

    ``rule_id`` is the cloud's id, or ``ingress[3]`` (direction and position) where a cloud has
    none. ``protocol`` is lower case, ``any`` for all; ``ports`` such as ``22``, ``8000-8010``,
    ``80,443`` or ``any``. ``peer_group`` is the group at the other end; where the other end is
    not a group it is empty and ``peer`` says what it is (a CIDR, a template, a prefix list).
    ``native`` is whatever else this cloud needs to build the rule again, in its own spelling; only
    its provider reads it.
    """

    rule_id: str
    direction: Direction
    protocol: str = "any"
    ports: str = "any"
    peer_group: str = ""
    peer: str = ""
    action: Literal["accept", "drop"] = "accept"
    priority: int | None = None
    description: str = ""
    is_enabled: bool = True
    native: tuple[tuple[str, str], ...] = ()


class Group(msgspec.Struct, frozen=True):
    """One security group as its cloud describes it.

    ``network`` is the VPC where a group belongs to one. ``managed_by`` names the cloud product
    that owns the group (empty: none does). ``kind`` is the cloud's own type (``basic``,
    ``stateless``), empty where there is only one, None where it is not told. ``is_shared`` is True
    when another project or account is known to see the group; ``is_foreign`` when it is another
    project's and these credentials, which may use it, cannot change it. ``delete_refused_with`` is
    the code with which the cloud refuses a delete to these credentials, which may only read; empty
    where they may, or where it is not known. ``rules`` is None when they were not read.

    ``name`` and ``tags`` have three states: None is "not told" (this API has no such thing, or the
    group was not read), ``""`` and ``()`` are "told to have none". A policy asks for both, and what
    is not told fits every protection and every stricter scope (:mod:`sgguard.policy.match`).
    """

    group_id: str
    name: str | None = None
    description: str = ""
    project: str = ""
    network: str = ""
    kind: str | None = None
    is_default: bool = False
    managed_by: str = ""
    is_shared: bool = False
    is_foreign: bool = False
    delete_refused_with: str = ""
    tags: Tags | None = None
    rules: tuple[Rule, ...] | None = None
    native: tuple[tuple[str, str], ...] = ()


class Reference(msgspec.Struct, frozen=True):
    """A rule of another group whose peer is the group in question.

    ``group_id`` is the group that holds the rule. ``rule`` is None where the cloud names the
    group but the rule could not be read. ``account`` is set when it is not our own. ``group_name``
    and ``tags`` are those of the group that holds the rule, None where they are not told; tags
    often say who owns it.
    """

    group_id: str
    group_name: str | None = None
    account: str = ""
    project: str = ""
    rule: Rule | None = None
    tags: Tags | None = None


class Binding(msgspec.Struct, frozen=True):
    """Something that carries the group.

    ``kind`` is ``instance``, ``interface``, ``port`` or the cloud's product type in lower case
    (``load-balancer``, ``database``, ``redis``). Where a cloud only counts, ``holder_id`` is
    empty and ``count`` says how many. ``owner`` is the device owner or managing service.
    ``other_group_ids`` are the further groups of the same holder, None where they are not reported.
    ``change_refusal`` is empty when the holder's groups can be changed now, else what the cloud
    would answer and why (its state, the product that owns it): no plan touches such a holder.
    """

    kind: str
    holder_id: str = ""
    name: str = ""
    instance_id: str = ""
    owner: str = ""
    project: str = ""
    count: int = 1
    other_group_ids: tuple[str, ...] | None = None
    change_refusal: Text = ""


class Limit(msgspec.Struct, frozen=True):
    """A ceiling of the cloud.

    ``name`` is one of ``groups-per-instance``, ``groups-per-interface``, ``instances-per-group``,
    ``interfaces-per-group``, ``instances-per-referenced-group`` (for a group that rules of others
    name), ``rules-per-group``, ``references-per-group``, ``ports-per-project``,
    ``groups-per-project``, ``rules-per-project``, ``rules-per-interface`` (over all its groups)
    and ``composite-rules-per-group`` (the last two are reported, not judged). ``ceiling`` is None
    for "no limit", 0 only for a kind of group that may have none. ``used`` is None where it is not
    reported, ``after`` is the number once the change asked about is made, None where it changes
    nothing. ``source`` is ``live``, ``documented`` or ``policy``. ``is_enforced`` is False for a
    vendor's advice that the cloud itself does not hold anyone to. ``applies_to`` is the kind of
    group it holds for (:attr:`Group.kind`), empty for every kind; a limit of the group's own kind
    comes before one for every kind.
    """

    name: str
    ceiling: int | None
    used: int | None = None
    source: Literal["live", "documented", "policy"] = "documented"
    is_enforced: bool = True
    note: Text = ""
    applies_to: str = ""
    after: int | None = None


class Unseen(msgspec.Struct, frozen=True):
    """Something a verdict would need and that could not be read.

    ``code`` is stable; ``api-absent`` says that the region does not publish the call that would
    tell. ``what`` was not seen: a word that all languages have, such as ``references``, or a
    sentence. ``why`` may be what a cloud said. ``group_id`` is empty when it concerns every group
    that was asked about. ``remedy`` says what would make it visible.
    """

    code: UnseenCode
    what: Text
    why: Text
    remedy: Text = ""
    group_id: str = ""


class Seen(msgspec.Struct, Generic[T], frozen=True):
    """What one read brought, together with what it could not bring."""

    value: T
    unseen: tuple[Unseen, ...] = ()


class Interface(msgspec.Struct, frozen=True):
    """A network interface of an instance and the groups it carries, in the cloud's order.

    ``change_refusal`` is why its groups cannot be changed now, as in :class:`Binding`.
    """

    interface_id: str
    group_ids: tuple[str, ...] = ()
    is_primary: bool = False
    change_refusal: Text = ""


class Instance(msgspec.Struct, frozen=True):
    """One instance.

    ``group_ids`` are the groups of the instance itself (its primary interface where groups hang
    on interfaces), in the cloud's order. ``binding_refusal`` is empty when the instance can be
    bound now, else what the cloud would answer and why. ``unseen_to_bind`` is what could not be
    read and matters only where a group would be bound in addition.
    """

    instance_id: str
    name: str = ""
    state: str = ""
    project: str = ""
    network: str = ""
    group_ids: tuple[str, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    binding_refusal: Text = ""
    unseen_to_bind: tuple[Unseen, ...] = ()
