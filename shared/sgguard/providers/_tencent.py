"""What both Tencent APIs share: references, and the state after a change.

References: both APIs name the groups whose rules contain a group, and their English pages read as
if it were the other way round. So every name is checked against the rules of that group, and every
counted reference must have a name: a response in the wrong sense, or an incomplete one, is never
taken for "not referenced".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from sgguard.errors import CloudError, DeadlineError, NotFoundError
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Reference, Rule, Seen, Unseen
from sgguard.model.sentence import Sentence, said
from sgguard.providers._region import RegionShape
from sgguard.providers._shared import Evidence, Ruled, ruled
from sgguard.providers.access import seen_or_unseen
from sgguard.wire.client import Wire
from sgguard.wire.parallel import parallel

REGIONS = RegionShape("Tencent Cloud", "ap-guangzhou or eu-frankfurt")
"""What a region may be called. Only that of a finance region is part of a host name, where its
shape is narrower; API 2.0 takes short names, such as gz."""

Rules = Mapping[str, Ruled]
"""The rules of groups by id; a group whose rules could not be read is missing."""

Unread = Mapping[str, tuple[Unseen, ...]]
"""Why the rules of groups could not be read, by group id."""


class Reading(msgspec.Struct, frozen=True):
    """How one API reads groups by id, and the rules of one group.

    ``counts_own`` says whether a group's own rules may be part of its count. It is False for an
    API that may leave groups out of the names: there the own rules must not explain a count that
    a group left out has caused.
    """

    groups: Callable[[Sequence[str]], Mapping[str, Group]]
    rules: Callable[[str], tuple[Rule, ...]]
    counts_own: bool = True


class Checked(msgspec.Struct, frozen=True):
    """The confirmed referring groups, None where they are not known at all, and the gaps."""

    names: tuple[str, ...] | None
    unseen: tuple[Unseen, ...] = ()


def references(
    named: Mapping[str, Sequence[str]], counts: Mapping[str, int], reading: Reading
) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Return, by group, the references behind the names an API gave.

    ``named`` are the groups reported as referring to each, perhaps itself; ``counts`` how many
    references the cloud counts, where it does. Reads one wave of rules where something is named or
    counted, and a second one only where a named group turns out not to refer to the group.
    """
    # 1. A group's references to itself do not keep it from being deleted.
    others = {
        group_id: tuple(name for name in dict.fromkeys(names) if name != group_id)
        for group_id, names in named.items()
    }
    # 2. Read names and rules of every group that takes part.
    evidence, unread = _evidence(others, counts, reading)
    found: dict[str, tuple[Reference, ...]] = {}
    unseen: list[Unseen] = []
    # 3. Compare names, count and rules of each group.
    for group_id, names in others.items():
        for name in (*names, group_id):
            unseen += (replace(gap, group_id=group_id) for gap in unread.get(name, ()))
        checked = check(
            group_id,
            names,
            counts.get(group_id),
            evidence.rules,
            counts_own=reading.counts_own,
            going=others.keys(),
        )
        unseen += checked.unseen
        if checked.names is not None:
            found[group_id] = tuple(
                one for name in checked.names for one in evidence.of(group_id, name)
            )
    return Seen(found, tuple(unseen))


def check(
    group_id: str,
    names: Sequence[str],
    counted: int | None,
    rules: Rules,
    *,
    counts_own: bool = True,
    going: Collection[str] = (),
) -> Checked:
    """Compare the groups named as referring (itself not among them) with count and rules.

    ``counted`` is how many references the cloud counts, the group's own perhaps among them, None
    where it does not count. ``going`` are groups that may be deleted together with this one.
    """
    # 1. Names whose rules were read and do not name the group are unproven. Where the group's own
    #    rules name them instead, the response was in the wrong sense and the name is dropped.
    unproven = _unproven(group_id, names, rules)
    own = rules.get(group_id, {})
    reversed_names = tuple(name for name in unproven if name in own)
    kept = tuple(name for name in names if name not in reversed_names)
    # 2. Each of them is a gap, dropped or not.
    unseen = [_reversed_gap(group_id, name) for name in reversed_names]
    unseen += [_unproven_gap(group_id, name) for name in unproven if name in kept]
    # 3. A count that the known referrers do not explain means that one is missing. The rules of a
    #    group that may go together with this one are not gone before it, so it counts once.
    entries = [1 if name in going else len(rules.get(name, {}).get(group_id, ())) for name in kept]
    own_entries = int(counts_own and group_id in own)
    if counted is not None and not _is_explained(counted, entries, own_entries):
        unseen.append(_unnamed_gap(group_id, counted, len(kept)))
    # 4. No name and a gap: whether the group is referenced is not known.
    return Checked(kept if kept or not unseen else None, tuple(unseen))


def _is_explained(counted: int, entries: Sequence[int], own: int) -> bool:
    """Return whether every counted thing is known, whatever the cloud counts.

    ``entries`` are the rules of each known referrer that name the group, ``own`` is 1 where the
    group's own rules do. No document says whether groups or rules are counted, nor whether the
    group itself is.

    1. As many as there are known groups, or fewer: every reading has them all.
    2. More may be the rules of the known groups, or groups that are not known. They are taken for
       rules only where the count is exactly theirs, the group's own as one at most: then the group
       is referenced in any case, and once those references are gone only 1. explains a count.
    """
    return counted <= len(entries) + own or counted in (sum(entries), sum(entries) + own)


def _unproven(group_id: str, names: Sequence[str], rules: Rules) -> tuple[str, ...]:
    """Return the named groups whose rules were read and do not name the group."""
    return tuple(name for name in names if name in rules and group_id not in rules[name])


def _evidence(
    others: Mapping[str, Sequence[str]], counts: Mapping[str, int], reading: Reading
) -> tuple[Evidence, Unread]:
    """Read the referring groups with their rules, and the own rules that explain a count."""
    referring = sorted({name for names in others.values() for name in names})
    counted = {one for one, names in others.items() if counts.get(one, 0) > len(names)}
    groups, rules = _parallel(
        lambda: reading.groups(referring),
        lambda: _rules({*referring, *counted}, reading),
    )
    known, unread = rules
    # Own rules show whether a response was in the wrong sense; most often they are not needed.
    suspects = {
        group_id
        for group_id, names in others.items()
        if group_id not in known and _unproven(group_id, names, known)
    }
    own, own_unread = _rules(suspects - unread.keys(), reading)
    return Evidence(groups, {**known, **own}), {**unread, **own_unread}


def _rules(group_ids: Collection[str], reading: Reading) -> tuple[dict[str, Ruled], Unread]:
    """Read rules in parallel; those of groups that are gone or may not be read are missing."""
    ids = sorted(group_ids)

    def ask(group_id: str) -> Seen[Any]:
        try:
            return Seen(reading.rules(group_id))
        except NotFoundError:
            return Seen(None)

    def rules_of(group_id: str) -> Seen[Any]:
        return seen_or_unseen(
            said("part.of", part="rules", thing=group_id), lambda: ask(group_id), None
        )

    read = dict(zip(ids, parallel([partial(rules_of, one) for one in ids]), strict=True))
    found = {one: ruled(seen.value) for one, seen in read.items() if seen.value is not None}
    return found, {one: seen.unseen for one, seen in read.items() if seen.unseen}


def _parallel(*calls: Callable[[], Any]) -> list[Any]:
    return parallel(calls)


def _reversed_gap(group_id: str, name: str) -> Unseen:
    return _gap(
        group_id,
        said("why.reversed", name=name, group=group_id),
    )


def _unproven_gap(group_id: str, name: str) -> Unseen:
    return _gap(group_id, said("why.unproven", name=name))


def _unnamed_gap(group_id: str, counted: int, named: int) -> Unseen:
    return _gap(group_id, said("why.unnamed", counted=counted, named=named))


def _gap(group_id: str, why: Sentence) -> Unseen:
    return Unseen(
        code=UnseenCode.NOT_TOLD,
        what="references",
        why=why,
        remedy=said("remedy.look-at-references"),
        group_id=group_id,
    )


T = TypeVar("T")

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 2.0


def poll_until(wire: Wire, ask: Callable[[], T], is_over: Callable[[T], bool], what: str) -> T:
    """Poll ``ask`` until ``is_over`` accepts its result, and return that; ``what`` names it.

    The pause doubles from ``FIRST_WAIT_S`` to ``LONGEST_WAIT_S``.

    Raises:
        DeadlineError: the next poll would be too late; the outcome of ``what`` is unknown.
        CloudError: a poll failed, or ``is_over`` found that the operation failed.
    """
    wait_s = FIRST_WAIT_S
    while not is_over(found := ask()):
        if wait_s >= wire.deadline.remaining_s():
            raise DeadlineError(f"the time for this event was used up before {what} was over")
        wire.retry.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
    return found


def is_reached(ask: Callable[[], bool]) -> bool:
    """Return whether ``ask`` finds the aim of a refused change reached.

    Where the state cannot be read, the refusal stands.
    """
    try:
        return ask()
    except (CloudError, DeadlineError):
        return False
