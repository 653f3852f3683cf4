"""What can be done to a cloud, as data: one change is one step of a plan and of its journal.

A change says what the world looks like before and after it. So a change whose answer was lost is
settled by looking, and taking it back is a change of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sgguard.model import Binding, Group, Rule

Kind = Literal["add-rule", "remove-rule", "set-groups", "create-group", "delete-group"]


@dataclass(frozen=True, slots=True)
class Holder:
    """What carries groups and can be told which: an instance, a network interface, a port.

    ``kind`` and the ids are those of :class:`~sgguard.model.Binding`.
    """

    kind: str
    holder_id: str
    instance_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One call that changes a cloud.

    ``add-rule`` and ``remove-rule`` are about ``rule`` of ``group_id``; ``rule`` is as
    ``list_rules`` gave it. ``set-groups`` gives ``holder`` the groups ``after``, in that order,
    in place of ``before``. ``delete-group`` deletes ``group_id`` (``is_forced``: the cloud unbinds
    its holders first); ``create-group`` builds ``group`` without rules.
    """

    kind: Kind
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
            case _:
                return None


def holder_of(binding: Binding) -> Holder:
    """Return what a binding hangs on."""
    return Holder(binding.kind, binding.holder_id, binding.instance_id)


def content(rule: Rule) -> Rule:
    """Return the rule without its id: what two rules have in common that do the same."""
    return replace(rule, rule_id="")
