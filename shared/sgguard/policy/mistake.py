"""Policies that keep the schema and contradict themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from sgguard.errors import Problem
from sgguard.model import person
from sgguard.model.codes import Mode
from sgguard.model.person import may_be_same
from sgguard.policy import caller
from sgguard.policy.callback import callback_mistakes
from sgguard.policy.channel import channel_mistakes
from sgguard.policy.exemption import is_over
from sgguard.policy.match import is_same_group, is_too_wide, matches
from sgguard.policy.model import DeletePolicy, LaunchPolicy, Policy
from sgguard.policy.scope import applied, modes

_GROUP_ID = re.compile(r"sg-[A-Za-z0-9-]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The ids of groups in every cloud."""


def mistakes(policy: Policy, today: date) -> tuple[Problem, ...]:
    """Return every mistake in a policy file, with its path and what would be right."""
    found = (
        *_delete("/delete", policy.delete),
        *_launch("/launch", policy.launch),
        *_scopes(policy),
        *_approval(policy),
        *_exemptions(policy, today),
        *channel_mistakes(policy.channels, policy.routes),
        *callback_mistakes(policy.callbacks),
        *caller.mistakes(policy.callers, today),
    )
    return tuple(dict.fromkeys(found))


def _scopes(policy: Policy) -> Iterator[Problem]:
    """Look at what each scope makes of the policy, and whether it can ever decide."""
    for number, scope in enumerate(policy.scopes):
        where, effective = f"/scope/{number}", applied(policy, scope)
        if scope.delete:
            yield from _delete(f"{where}/delete", effective.delete)
        if scope.launch:
            yield from _launch(f"{where}/launch", effective.launch)
        earlier = [n for n in range(number) if policy.scopes[n].match == scope.match]
        if earlier:
            message = f"never decides: scope.{earlier[0]} asks for the same and comes first"
            yield Problem(f"{where}/match", message, "another match, or one scope for both")


def _delete(where: str, delete: DeletePolicy) -> Iterator[Problem]:
    if "move" in delete.remedies and not delete.fallback_group:
        right = "the id or address of the group that the remedy move binds instead"
        yield Problem(f"{where}/fallback_group", "is missing", right)
    if "rewrite" in delete.remedies and not (delete.replacement_group or delete.replacements):
        right = "the id or address of the group that the remedy rewrite makes rules name, or a "
        right += "table delete.replacements"
        yield Problem(f"{where}/replacement_group", "is missing", right)
    for old, new in delete.replacements.items():
        if is_same_group(old, new):
            message = f"replaces {old} by {new}, which is the same group"
            yield Problem(
                f"{where}/replacements/{old}", message, "another group than the one replaced"
            )


def _launch(where: str, launch: LaunchPolicy) -> Iterator[Problem]:
    if "quarantine" in launch.remedies and not launch.quarantine_group:
        right = "the id or address of the group that the remedy quarantine binds instead of all"
        yield Problem(f"{where}/quarantine_group", "is missing", right)
    for name in ("quarantine_group", "fallback_group"):
        group = getattr(launch, name)
        hit = next((one for one in launch.forbidden if group and is_same_group(one, group)), None)
        if hit is not None:
            message = f"is {group}, which launch.forbidden has ({hit})"
            yield Problem(f"{where}/{name}", message, "a group that is not forbidden")
    for entry in launch.baseline if "bind" in launch.remedies else ():
        if not _GROUP_ID.fullmatch(entry.rpartition(":")[2]):
            message = f"has {entry}, a name or pattern: the remedy bind cannot tell which group"
            yield Problem(f"{where}/baseline", message, "ids or addresses, or no remedy bind")
    for entry in launch.baseline:
        hit = next((one for one in launch.forbidden if matches(one, entry, None)), None)
        if hit is not None:
            message = f"demands {entry}, which launch.forbidden has ({hit})"
            yield Problem(f"{where}/baseline", message, "groups that are not forbidden")


def _approval(policy: Policy) -> Iterator[Problem]:
    if Mode.APPROVE in modes(policy) and not policy.approval.approvers:
        right = "the names of approvers: mode approve needs one"
        yield Problem("/approval/approvers", "is missing", right)
    names = policy.approval.approvers
    if any(not name.strip() or "*" in name for name in names):
        yield Problem("/approval/approvers", "has an entry that is no name", "names, no patterns")
    for number, name in enumerate(names):
        where = f"/approval/approvers/{number}"
        yield from _name_problems(where, name)
        if any(may_be_same(name, other) for other in names[:number]):
            yield Problem(where, "looks like another approver", "each person once")


def _exemptions(policy: Policy, today: date) -> Iterator[Problem]:
    for number, one in enumerate(policy.exemptions):
        where = f"/exemption/{number}"
        if is_over(one, today):
            message = f"was {one.expires.isoformat()}: the exemption of {one.group} is over"
            right = f"a day from {today.isoformat()} on, or no such exemption"
            yield Problem(f"{where}/expires", message, right)
        if is_too_wide(one.group):
            message = f"is {one.group}, which every group of a cloud matches"
            yield Problem(f"{where}/group", message, "a pattern that some groups match")
        yield from _name_problems(f"{where}/owner", one.owner)
        for key, text in (("owner", one.owner), ("reason", one.reason)):
            if not text.strip():
                yield Problem(f"{where}/{key}", "is empty", f"the {key} of the exemption")


def _name_problems(where: str, name: str) -> Iterator[Problem]:
    if problem := person.problem_of(name):
        yield Problem(where, problem, "a name that is written in one script and can be read")
