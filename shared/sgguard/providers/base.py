"""The interface of every provider: reading, changing, and changing many holders at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from sgguard.errors import (
    SgguardError,
)
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Change, Holder
from sgguard.model.request import Action, HolderFilter
from sgguard.model.resource import (
    Binding,
    Group,
    Instance,
    Limit,
    Reference,
    Rule,
    Seen,
    Visibility,
)
from sgguard.model.sending import MaySend, Tokened, always

if TYPE_CHECKING:  # only a bind needs them
    from sgguard.model.bind import HolderState, Refusal, Sent, Target

T = TypeVar("T")


class Provider(Protocol):
    """Reads of the security groups of one cloud, account and region.

    Every method may be called from several threads at once and sends as few calls as the cloud's
    API allows for all ids together. What could not be seen is returned as ``unseen`` beside the
    value; an id that is missing from a returned mapping was not reported by the cloud.

    All methods raise :class:`~sgguard.errors.CloudError` when the call itself failed, and
    :class:`~sgguard.errors.DeadlineError` when the time is used up. A missing permission or an
    unknown shape in *one* part is not raised but becomes ``unseen``.
    """

    @property
    def capabilities(self) -> Capabilities:
        """How this cloud behaves where clouds differ."""
        ...

    @property
    def visibility(self) -> Visibility:
        """How far these credentials can see."""
        ...

    def is_group_id(self, text: str) -> bool:
        """Return whether this could be a group id here; a malformed one is never sent."""
        ...

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id; None: the cloud has no such group."""
        ...

    def find_groups(self, name: str) -> tuple[str, ...]:
        """Return the ids of all groups of exactly this name that these credentials can see."""
        ...

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return, by id, every rule of *another* group whose peer is that group."""
        ...

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return, by id, every binding of that group to a holder."""
        ...

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return, by id, how many instances carry that group, as the cloud's limit counts them."""
        ...

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules, in the cloud's order, ingress first."""
        ...

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return the instance and its groups; None: the cloud has no such instance."""
        ...

    def read_limits(self, group_ids: Sequence[str] = ()) -> Seen[tuple[Limit, ...]]:
        """Return the ceilings that concern security groups, with where each was read.

        Where a ceiling limits the rules of a group and its use is known only by counting them,
        ``used`` is the number of the fullest of the groups named.
        """
        ...


class Changes(Protocol):
    """Changes to the security groups of a cloud; every provider has these methods as well.

    Each change is sent once and never repeated automatically; reading beforehand and waiting until
    an asynchronous change is complete are part of it. All raise
    :class:`~sgguard.errors.CloudError` with the cloud's own code, and
    :class:`~sgguard.errors.ConflictError` where the state is no longer what the change expects;
    then nothing was changed. After an error with ``is_outcome_known`` False the change may have
    been made: read it back. ``token`` is the same for the same intended change, also after a
    crash; it is sent where the cloud takes one (Alibaba's ClientToken).
    """

    def add_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Add a rule to the group, at its position.

        ``rule`` is as :meth:`Provider.list_rules` returned it, of this group or with another
        ``peer_group``; afterwards ``list_rules`` returns an equal one up to ``rule_id``. Where
        ids are positions (``ingress[3]``), it is inserted there, or last if there are fewer rules.

        Raises:
            ConflictError: the group has the rule already, so it is not this caller's; nothing was
                changed. Alibaba Cloud does not say so: there the group is read just before.
        """
        ...

    def remove_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Remove exactly this rule from the group, and no other.

        It is the one with this id and content. Where no rule has this id (it was restored and has
        another one, or the id is empty) it is the one with this content; where ids are positions
        and other changes have shifted it, the nearest one with this content.

        Raises:
            NotFoundError: the group has no such rule (any more), or there is no such group.
        """
        ...

    def read_holder(self, holder: Holder) -> tuple[str, ...] | None:
        """Return the groups of the holder, in the cloud's order; None: no such holder."""
        ...

    def set_groups(
        self, holder: Holder, before: tuple[str, ...], after: tuple[str, ...], *, token: str
    ) -> None:
        """Make the holder carry ``after`` (never empty) instead of ``before``.

        Sent as the call that changes least: adding or removing the one group that differs where
        the cloud can do that at that position, the whole list otherwise, with its revision where
        the cloud has one. The holder always has at least one group. Returns when it is done.

        Raises:
            ConflictError: the holder does not carry ``before`` (any more).
            LimitError: too many groups, or too many holders.
        """
        ...

    def define_group(self, group: Group) -> Group:
        """Return the group, which was read before, with everything needed to create it again.

        That is all its rules, and in ``native`` what :meth:`create_group` needs beside the fields
        that every cloud has. It costs the calls of :meth:`Provider.list_rules`, and one more where
        another API has a native part.

        Raises:
            UnknownShapeError: not all rules, or not all native parts, could be read.
            NotFoundError: there is no such group (any more).
        """
        ...

    def create_group(self, group: Group, *, token: str) -> str:
        """Create a group like this one, without any rule, and return its id.

        Name, description, network, kind, project and tags are kept as far as the cloud takes them,
        and what :meth:`define_group` adds; rules that the cloud itself gives a new group are
        removed. A group that cannot be finished is deleted again; where that fails too, or its
        result is not known, the outcome is unknown.
        """
        ...

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group; ``is_forced`` makes the cloud unbind its holders first."""
        ...


class Cloud(Provider, Changes, Protocol):
    """A provider that can read and change."""


@runtime_checkable
class SharedGroups(Protocol):
    """A further method of a cloud that shares groups with single projects."""

    def shared_with(self, group_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return, by id, the projects that a group is shared with; ``*`` stands for every one.

        Raises:
            CloudError: the policies cannot be read.
        """
        ...


@runtime_checkable
class GuardedDeletes(Protocol):
    """A further method of a cloud in front of which something may keep referenced groups."""

    def delete_guard(self) -> str:
        """Return what refuses to delete a referenced group here; empty: nothing does.

        Raises:
            CloudError: it cannot be read.
        """
        ...


@runtime_checkable
class BatchChanges(Protocol):
    """Additional methods of a cloud that reads or changes many holders with few calls.

    They do for many holders what the methods of :class:`Changes` do for one.
    """

    def read_holders_batch(self, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
        """Return, for each holder in order, what ``read_holder`` returns."""
        ...

    def set_groups_batch(
        self, changes: Sequence[Change], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Make changes of kind ``set-groups``, of different holders, with as few calls as it takes.

        Return, for each change in order, None or the error that ``set_groups`` would have raised,
        with the same meaning: the unknown outcome of a call for many is that of each of them.
        ``may_send`` is asked right before each call; a change that was not sent has an
        :class:`~sgguard.model.sending.UnsentError`.
        """
        ...


@runtime_checkable
class RuleBatches(Protocol):
    """A further method of a cloud that changes many rules of one group with few calls.

    ``Capabilities.rules_together`` says which.
    """

    def change_rules(
        self, group_id: str, changes: Sequence[Tokened], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Make changes of rules of one group, as if one after another in their order.

        ``changes`` are each with the token that :meth:`Changes.add_rule` takes. Return what
        :meth:`BatchChanges.set_groups_batch` does, in the terms of ``add_rule`` and
        ``remove_rule``. A change that another one's failure kept from being sent has an
        :class:`~sgguard.model.sending.UnsentError`.
        """
        ...


class Bulk(Protocol):
    """One group put on many holders of a cloud, or taken off them, with few calls.

    ``largest`` is how many holders one :meth:`send` takes: of one ``kind`` together.
    ``looks_first``: it reads each holder itself right before it changes it.
    """

    @property
    def largest(self) -> int:
        """How many holders go into one :meth:`send`."""
        ...

    @property
    def looks_first(self) -> bool:
        """Whether a :meth:`send` reads each holder right before."""
        ...

    def kind_of(self, holder_id: str) -> str:
        """Return which kind of holder this could be the id of; empty: of none."""
        ...

    def read(self, holder_ids: Sequence[str]) -> Seen[dict[str, HolderState | None]]:
        """Return each holder by id, as it is now; one whose groups are about to change is passing.

        None: the cloud has no such holder. An id that is missing could not be read.
        """
        ...

    def find(self, wanted: HolderFilter) -> Seen[tuple[HolderState, ...]]:
        """Return every holder that fits; a filter that this cloud cannot answer is ``unseen``."""
        ...

    def send(self, action: Action, group_id: str, some: Sequence[Target]) -> Sent:
        """Change the holders, once each; return what is known of each by now.

        A holder without a result is being changed: :meth:`read` shows when that ends.

        Raises:
            CloudError: the call for all of them was refused, or its outcome is not known.
            DeadlineError: there was no time left, and nothing was sent.
        """
        ...

    def meaning(self, error: SgguardError) -> Refusal:
        """Return what the refusal of a :meth:`send`, or of one of its holders, means."""
        ...
