"""The true state: read from the emulator and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from sgguard.emulator.state import Group
from sgguard.policy.model import Match
from tests.false_verdicts.case import Case


@dataclass(frozen=True)
class Holder:
    """What stands in the way of deleting a group: who, of which kind, and whose it is."""

    group_id: str
    kind: str
    holder_id: str
    project: str = ""

    @property
    def is_rule(self) -> bool:
        return self.kind.startswith("a rule")

    @property
    def is_interface(self) -> bool:
        return self.kind.endswith(" interface")

    def __str__(self) -> str:
        whose = f" of project {self.project}" if self.project else ""
        return f"{self.group_id} is held by {self.kind} {self.holder_id}{whose}"


def holders(case: Case, group_ids: Iterable[str]) -> list[Holder]:
    """Everything that holds one of the groups, rules of the others of the set left out."""
    members = list(group_ids)
    cloud = case.cloud
    return [
        *(
            Holder(one, f"a rule ({rule.direction} {rule.action}) of", other.id, other.project)
            for one in members
            for other, rule in cloud.references(one)
            if other.id not in members
        ),
        *(
            Holder(one, f"{i.kind} interface", i.id, i.project)
            for one in members
            for i in cloud.interfaces_with(one)
        ),
        *(
            Holder(one, a.kind, a.id, a.project)
            for one in members
            for a in cloud.attachments_with(one)
        ),
    ]


def obstacle(case: Case, group_id: str) -> str:
    """Why the group itself cannot be deleted by who asks, whoever holds it; empty if nothing."""
    group = case.cloud.group(group_id)
    if group is None or group.region != case.region:
        return f"{group_id} does not exist there"
    if not is_own(case, group):
        return f"{group_id} belongs to another account or project"
    if group.default:
        return f"{group_id} is the default group"
    if group.managed_by or group.protected:
        return f"{group_id} is managed by the cloud"
    return ""


def is_own(case: Case, group: Group) -> bool:
    """Whether the group belongs to who asks, as far as the credentials reach."""
    if case.is_admin:
        return True
    if case.project:
        return group.project == case.project
    return group.account == case.caller.id


def is_free(case: Case, group_ids: Iterable[str]) -> bool:
    """Whether the groups can be deleted together, leaving nothing broken."""
    members = list(group_ids)
    return not holders(case, members) and not any(obstacle(case, one) for one in members)


def forbids(case: Case, group_id: str) -> str:
    """Why the policy forbids the delete, whatever the cloud permits; empty if it does not."""
    group = case.cloud.group(group_id)
    return f"{group_id} is protected" if group and is_protected(case, group) else ""


def shows_sharing(case: Case, group_id: str) -> bool:
    """Whether the owner can see that others may use the group (OpenStack only)."""
    group = case.cloud.group(group_id)
    if group is None:
        return False
    is_hidden = group_id in case.cloud.quirks.get("shared_by_admin", [])
    return "*" in group.shared_with or (bool(group.shared_with) and not is_hidden)


def is_beyond(case: Case, holder: Holder) -> bool:
    """Whether the holder is in nothing that these credentials can read.

    Tokens confined to a project see neither rules nor ports of others; that is promised only
    as far as ``visibility: project`` says, and where no sign of sharing is visible.
    """
    if not case.project or case.is_admin or holder.project == case.project:
        return False
    return not shows_sharing(case, holder.group_id)


def is_beyond_every_reader(case: Case) -> bool:
    """Whether the cloud cuts its response about these groups at a ceiling."""
    ceiling = 100
    return case.provider == "alibaba" and any(
        len({other.id for other, _ in case.cloud.references(one)}) >= ceiling
        for one in case.targets
    )


def permitted(case: Case, group: Group) -> set[str]:
    """The remedies that the policy permits for a group: the first scope that fits it decides."""
    overrides = next((s.delete for s in case.policy.scopes if _fits(s.match, case, group)), {})
    return set(overrides.get("remedies", case.policy.delete.remedies))


def is_protected(case: Case, group: Group) -> bool:
    """Whether the policy protects the group from every change, and no exemption applies today."""
    overrides = next((s.delete for s in case.policy.scopes if _fits(s.match, case, group)), {})
    patterns = [*overrides.get("protected", case.policy.delete.protected)]
    if case.provider == "tencent-dfw":  # it tells no tags: a scope by tag may hold, and protects
        maybe = (s for s in case.policy.scopes if s.match.tag != "*")
        patterns += [*case.policy.delete.protected]
        patterns += [one for s in maybe for one in s.delete.get("protected", ())]
    today = datetime.now(UTC).date()
    excused = [
        one.group
        for one in case.policy.exemptions
        if "protected" in one.reasons and today <= one.expires
    ]
    return _is_meant(patterns, case, group) and not _is_meant(excused, case, group)


def _fits(match: Match, case: Case, group: Group) -> bool:
    has_tag = match.tag == "*" or any(
        fnmatchcase(f"{key}={value}", match.tag) for key, value in group.tags.items()
    )
    return (
        has_tag and fnmatchcase(group.region, match.region) and fnmatchcase(group.name, match.name)
    )


def _is_meant(patterns: Iterable[str], case: Case, group: Group) -> bool:
    texts = (group.id, group.name, f"{case.provider}::{group.region}:{group.id}")
    return any(fnmatchcase(text, pattern) for pattern in patterns for text in texts)


def remedy_missing(case: Case, holder: Holder) -> str:
    """Why the policy does not permit to free the group of this holder; empty if it does."""
    group = case.cloud.group(holder.group_id)
    assert group is not None
    allowed = permitted(case, group)
    if holder.is_rule:
        theirs = case.cloud.group(holder.holder_id)
        assert theirs is not None
        if is_protected(case, theirs):
            return f"{theirs.id} is protected"
        allowed = allowed & permitted(case, theirs) & {"revoke", "rewrite"}
    elif holder.is_interface:
        allowed &= {"unbind", "move", "force"}
    else:
        return f"nothing frees {holder.kind}"
    return "" if allowed else f"nothing is permitted about {holder}"
