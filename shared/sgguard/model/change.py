"""What can be done to a cloud, as data: one change is one step of a plan and of its journal.

A change says what the world looks like before and after it. So a change whose answer was lost is
settled by looking, and taking it back is a change of the same kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from sgguard.model.resource import Binding, Group, Rule

ChangeKind = Literal["add-rule", "remove-rule", "set-groups", "create-group", "delete-group"]


class Holder(msgspec.Struct, frozen=True):
    """What groups are bound to and can be changed: an instance, a network interface, a port.

    ``kind`` and the ids are those of :class:`~sgguard.model.resource.Binding`.
    """

    kind: str
    holder_id: str
    instance_id: str = ""


class Change(msgspec.Struct, frozen=True):
    """One call that changes a cloud.

    ``add-rule`` and ``remove-rule`` are about ``rule`` of ``group_id``; ``rule`` is as
    ``list_rules`` gave it. ``set-groups`` gives ``holder`` the groups ``after``, in that order,
    in place of ``before``. ``delete-group`` deletes ``group_id`` (``is_forced``: the cloud unbinds
    its holders first). ``create-group`` builds ``group`` again, without rules, in place of
    ``group_id``, which is gone; ``before`` are the groups of that name that are there already.
    """

    kind: ChangeKind
    group_id: str = ""
    rule: Rule | None = None
    holder: Holder | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    group: Group | None = None
    is_forced: bool = False

    def inverse(self) -> Change | None:
        """Return the change that takes this one back; None for one that only a restore does."""
        match self.kind:
            case "add-rule":
                return replace(self, kind="remove-rule")
            case "remove-rule":
                return replace(self, kind="add-rule")
            case "set-groups":
                return replace(self, before=self.after, after=self.before)
            case "create-group":
                return Change("delete-group", self.group_id)
            case _:
                return None


def renamed(change: Change, made: Mapping[str, str]) -> Change:
    """Return the change with the ids of groups that were built again in place of their old ones."""
    if not made or change.kind == "create-group":
        return change
    rule = change.rule
    if rule is not None and rule.peer_group in made:
        rule = replace(rule, peer_group=made[rule.peer_group])
    return replace(
        change,
        group_id=made.get(change.group_id, change.group_id),
        rule=rule,
        before=tuple(made.get(one, one) for one in change.before),
        after=tuple(made.get(one, one) for one in change.after),
    )


def holder_of(binding: Binding) -> Holder:
    """Return what a binding hangs on."""
    return Holder(binding.kind, binding.holder_id, binding.instance_id)


def content(rule: Rule) -> Rule:
    """Return the rule without its id: what two rules have in common that do the same."""
    return replace(rule, rule_id="")
