"""How one cloud behaves where clouds differ: part of the vocabulary of ``model.py``."""

from __future__ import annotations

from typing import Literal

import msgspec

from sgguard.model.sentence import Text, said


class Capabilities(msgspec.Struct, frozen=True):
    """How a cloud behaves where clouds differ; documented, not read.

    ``on_delete_referenced``: what the cloud does when a referenced group is deleted.
    ``delete_guard``: what keeps a referenced group in front of a cloud that would cascade, as read
    from it; empty where nothing is known to.
    ``refused_with``: the error code a refused delete comes back with, empty if undocumented.
    ``group_limit_per``: whether groups are counted per instance or per interface.
    ``group_id_example``: a well-formed id, for messages.
    ``orders_groups``: whether the order of a holder's groups has a meaning.
    ``default_refused_with`` and ``managed_refused_with``: the codes for a default group and for one
    that a product owns; empty where no document tells, or where nothing is refused.
    ``foreign_refused_with``: the code for a group of another project that is shared with ours.
    ``can_force_delete``: whether the cloud itself takes a group off its instances when it is asked
    to delete it by force; an instance keeps its other groups.
    ``primary_holder``: the kind of holder (:class:`~sgguard.model.resource.Binding`) that carries
    the groups of an instance's primary interface; ``instance`` where the cloud is told by the
    instance's id.
    ``has_self_references``: whether a rule of a group may name that group itself.
    ``resumes_creation``: whether to create a group once more with the same token goes on with the
    one that was made the first time, instead of making another.
    ``rule_limit_per``: whether the rules of a group are counted together or by direction.
    ``has_projects_apart``: whether an instance can carry the groups of its own project only, and
    those that are shared with it.
    ``mixed_kinds_refused_with``: the code of the refusal when an interface is to carry groups of
    two kinds (:attr:`~sgguard.model.resource.Group.kind`); empty where they go together.
    ``sharing_native``: the native part that says whom a group is shared with; a shared group
    without one does not tell. Empty where nobody has to be told again.
    ``replaces_groups``: whether a holder gets another group in place of one with a single call that
    has its whole list.
    ``rules_together``: which rules of one group go into one call: those of changes that are
    ``alike`` (all added or all removed), ``mixed`` ones (a rule gets another in its place), or
    none together.
    ``launch_blind_spots``: the sentences about a planned launch, in place of ``blind_spots``.
    ``blind_spots``: sentences, one for each thing this cloud's API cannot tell about who holds a
    group; they are shown beside a verdict and never change it.
    """

    provider: str
    on_delete_referenced: Literal["refused", "cascades", "unknown"]
    refused_with: str
    group_limit_per: Literal["instance", "interface"]
    group_id_example: str
    delete_guard: str = ""
    blind_spots: tuple[Text, ...] = ()
    orders_groups: bool = False
    default_refused_with: str = ""
    managed_refused_with: str = ""
    foreign_refused_with: str = ""
    can_force_delete: bool = False
    primary_holder: Literal["instance", "interface", "port"] = "instance"
    has_self_references: bool = True
    resumes_creation: bool = False
    rule_limit_per: Literal["group", "direction"] = "group"
    has_projects_apart: bool = True
    mixed_kinds_refused_with: str = ""
    sharing_native: str = ""
    replaces_groups: bool = False
    rules_together: Literal["", "alike", "mixed"] = ""
    launch_blind_spots: tuple[Text, ...] = (
        said("spot.launch-interfaces"),
        said("spot.launch-templates"),
    )

    @property
    def keeps_referenced(self) -> bool:
        """Whether the delete of a referenced group is refused, by the cloud or its guard."""
        return self.on_delete_referenced == "refused" or bool(self.delete_guard)
