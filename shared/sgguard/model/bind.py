"""What is asked, read and planned where one group is put on many holders, or taken off them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import msgspec

from sgguard.errors import SgguardError
from sgguard.model.address import Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Holder
from sgguard.model.codes import Verdict
from sgguard.model.decision import Forecast, Reason
from sgguard.model.facts import GroupFacts
from sgguard.model.request import Action
from sgguard.model.resource import Group, Limit, Tags, Unseen, Visibility
from sgguard.model.sentence import Sentence, Text


class Part(msgspec.Struct, frozen=True):
    """Where a holder carries groups: itself, or one of its interfaces."""

    holder: Holder
    group_ids: tuple[str, ...]


class HolderState(msgspec.Struct, frozen=True):
    """One holder as its cloud shows it, with each part of it that would be changed.

    ``refusal`` is why its groups cannot be changed now, in the cloud's words with its code;
    ``is_passing``: that ends by itself. ``last_request_id`` is that of the latest change of it,
    where it is told, and ``failure`` the code with which that one failed.
    """

    holder_id: str
    kind: str
    parts: tuple[Part, ...] = ()
    name: str = ""
    state: str = ""
    project: str = ""
    network: str = ""
    refusal: Text = ""
    is_passing: bool = False
    last_request_id: str = ""
    failure: str = ""
    tags: Tags | None = None

    @property
    def group_ids(self) -> tuple[str, ...]:
        """Return its groups, each once."""
        return tuple(dict.fromkeys(one for part in self.parts for one in part.group_ids))

    def carries(self, group_id: str, *, everywhere: bool) -> bool:
        """Return whether every part (or any) carries the group."""
        found = [group_id in part.group_ids for part in self.parts]
        return bool(found) and (all(found) if everywhere else any(found))

    def is_reached(self, action: Action, group_id: str) -> bool:
        """Return whether the aim of an action is there already."""
        if action == "bind":
            return self.carries(group_id, everywhere=True)
        return not self.carries(group_id, everywhere=False)


class HolderFacts(msgspec.Struct, frozen=True):
    """What was read of one holder; ``state`` is None where the cloud says there is none."""

    holder_id: str
    state: HolderState | None = None
    is_malformed: bool = False
    unseen: tuple[Unseen, ...] = ()


class BindFacts(msgspec.Struct, frozen=True):
    """What was read to judge a bind; ``holders`` each once, in the order named or found.

    ``others`` are the further groups that the holders carry, where their kind or name matters.
    ``is_undo``: an earlier decision is taken back; ``since`` says of holders, by id, what happened
    to them after it.
    """

    capabilities: Capabilities
    scope: Scope
    action: Action
    group: GroupFacts
    holders: tuple[HolderFacts, ...]
    limits: tuple[Limit, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    visibility: Visibility = Visibility.ACCOUNT
    others: Mapping[str, Group | None] = msgspec.field(default_factory=dict)
    since: Mapping[str, Sentence] = msgspec.field(default_factory=dict)
    is_undo: bool = False


class RowCode(StrEnum):
    """Why a holder's row is what it is; :data:`ROW_MEANINGS` says what each means."""

    FITS = "fits"
    REACHED = "reached"
    DONE = "done"
    BUSY = "busy"
    UNFINISHED = "unfinished"
    HOLDER_MALFORMED = "holder-malformed"
    HOLDER_NOT_FOUND = "holder-not-found"
    FACTS_INCOMPLETE = "facts-incomplete"
    GROUPS_PER_HOLDER_EXCEEDED = "groups-per-holder-exceeded"
    HOLDERS_PER_GROUP_EXCEEDED = "holders-per-group-exceeded"
    GROUP_KINDS_MIXED = "group-kinds-mixed"
    OTHER_NETWORK = "other-network"
    OTHER_PROJECT = "other-project"
    HOLDER_REFUSES = "holder-refuses"
    BASELINE_MISSING = "baseline-missing"
    LAST_GROUP = "last-group"
    CHANGED_SINCE = "changed-since"
    GROUP_REFUSED = "group-refused"
    REFUSED_BY_CLOUD = "refused-by-cloud"


ROW_MEANINGS: Mapping[RowCode, str] = MappingProxyType(
    {
        RowCode.FITS: "nothing is against it",
        RowCode.REACHED: "it is as asked already: nothing to do",
        RowCode.DONE: "it was changed, and the cloud showed it so afterwards",
        RowCode.BUSY: "the cloud is busy with it: it is changed later",
        RowCode.UNFINISHED: "its change was not begun, or how it ended is not known yet",
        RowCode.HOLDER_MALFORMED: "the text is no id of a holder of this cloud",
        RowCode.HOLDER_NOT_FOUND: "the cloud shows no such holder",
        RowCode.FACTS_INCOMPLETE: "something the verdict needs could not be seen",
        RowCode.GROUPS_PER_HOLDER_EXCEEDED: "it would carry too many groups",
        RowCode.HOLDERS_PER_GROUP_EXCEEDED: "too many holders would carry the group",
        RowCode.GROUP_KINDS_MIXED: "it would carry groups of two kinds, which the cloud refuses",
        RowCode.OTHER_NETWORK: "the group belongs to another network",
        RowCode.OTHER_PROJECT: "the group belongs to another project",
        RowCode.HOLDER_REFUSES: "it cannot be changed in its present state",
        RowCode.BASELINE_MISSING: "it would lack a group that the policy requires",
        RowCode.LAST_GROUP: "it would be left without a group",
        RowCode.CHANGED_SINCE: "somebody else changed it since: it is left as it is",
        RowCode.GROUP_REFUSED: "the cloud refuses the group, whatever the holder",
        RowCode.REFUSED_BY_CLOUD: "the cloud refuses this holder: `cloud_code` says why",
    }
)
"""What each code of a row means, in one line: the reference table is made from it."""

Status = Literal["planned", "nothing", "refused", "done", "open"]
"""Of one holder: to be changed, nothing to do, refused, changed, or not at its end."""


class Row(msgspec.Struct, frozen=True):
    """The verdict on one holder, with its evidence.

    ``group_ids`` are the groups it carried when it was judged. ``cloud_code`` and ``request_id``
    are the cloud's own, where it answered. ``message`` is the sentence in English, or what came of
    the holder when it was changed.
    """

    holder_id: str
    status: Status
    code: RowCode
    message: str = ""
    kind: str = ""
    name: str = ""
    group_ids: tuple[str, ...] = ()
    cloud_code: str = ""
    request_id: str = ""
    sentence: Sentence | None = None


class BindJudgement(msgspec.Struct, frozen=True):
    """What the guard says: ``reasons`` about the request as a whole, and a row for each holder."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    rows: tuple[Row, ...]
    forecast: tuple[Forecast, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """One holder that a plan changes: all its parts."""

    holder_id: str
    kind: str
    parts: tuple[Holder, ...]


class BindPlan(msgspec.Struct, frozen=True):
    """One group, and every holder that it is put on or taken off. ``guard`` marks it when kept."""

    scope: Scope
    action: Action
    group_id: str
    targets: tuple[Target, ...]
    undoes: str = ""
    guard: Literal["bind"] = "bind"

    def names(self) -> frozenset[str]:
        """Return the ids of every holder and of every part that is changed."""
        parts = (part.holder_id for one in self.targets for part in one.parts)
        return frozenset({*(one.holder_id for one in self.targets), *parts})


class Batch(msgspec.Struct, frozen=True):
    """One line of the journal: the holders of one call, or of calls that go out together."""

    action: Action
    group_id: str
    holders: tuple[str, ...]


class Sent(msgspec.Struct, frozen=True):
    """What is known when a call returns: its id, and of each holder by id the error or None.

    A holder that is missing is being changed. ``reached`` are those that were as wanted already.
    """

    request_id: str = ""
    results: Mapping[str, SgguardError | None] = msgspec.field(default_factory=dict)
    reached: frozenset[str] = frozenset()


Refusal = Literal["holder", "group", "full", "later", "size", "denied", "throttled", "unknown"]
"""What a refused call means: one holder is wrong, the group is, the group is full, somebody is
busy, too many ids, no permission, too fast, or that it is not known whether it was made."""
