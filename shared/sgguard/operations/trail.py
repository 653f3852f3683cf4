"""The audit trail as operators ask for it: filtered, by shortened ids, as rows and as CSV.

Decisions come from the store in pages, the newest first, so that a year of them needs no memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from math import inf, nextafter
from typing import Any

import msgspec

from sgguard import clouds
from sgguard.engine.context import Context
from sgguard.errors import AddressError, InputError
from sgguard.model.address import Address
from sgguard.model.decision import Decision
from sgguard.render.document import to_json
from sgguard.render.values import time_json
from sgguard.store.base import Store
from sgguard.store.rows import Query, Record

Json = dict[str, Any]

SOURCE = "check"
"""The source of decisions that ``sgguard check --keep`` keeps."""

SHORTEST_ID = 4
"""Fewer characters of an id are most likely a slip."""

_PAGE = 200
_COLONS = 3
_WILD = "*?["
_CUT = "…."


class Wanted(msgspec.Struct, frozen=True):
    """Which decisions; ``target`` is a pattern over addresses, times are seconds since 1970.

    ``spellings`` has by cloud how its addresses may write ``account``, where not as it is.
    """

    target: str = ""
    account: str = ""
    spellings: Mapping[str, Collection[str]] = msgspec.field(default_factory=dict)
    verdict: str = ""
    outcome: str = ""
    requester: str = ""
    since_s: float | None = None
    until_s: float | None = None
    limit: int | None = None


def keep(decision: Decision, context: Context, *, by: str) -> Json:
    """Keep a decision that nothing is done about, and return its document.

    Raises:
        StoreError: it could not be kept.
    """
    document = to_json(decision)
    if context.store is None:
        raise InputError("there is no store to keep the decision in")
    context.store.keep(
        Record(
            decision_id=decision.decision_id,
            source=SOURCE,
            event_id=decision.event_id,
            guard=decision.guard,
            target=decision.target,
            requester=by,
            verdict=document["verdict"],
            mode=document["mode"],
            outcome=document["outcome"],
            document_json=json.dumps(document, ensure_ascii=False),
        )
    )
    return document


def decisions(store: Store, wanted: Wanted) -> Iterator[Record]:
    """Yield the decisions that are wanted, the newest first.

    Raises:
        InputError: the pattern of targets fits nothing that could be one.
        StoreError: the store cannot be read.
    """
    if wanted.target:
        require_possible(wanted.target)
    left = wanted.limit
    for record in _newest_first(store, wanted):
        if wanted.since_s is not None and record.at_s < wanted.since_s:
            return
        if not _fits(record, wanted):
            continue
        yield record
        left = None if left is None else left - 1
        if left == 0:
            return


def _newest_first(store: Store, wanted: Wanted) -> Iterator[Record]:
    literal = "" if _is_pattern(wanted.target) else wanted.target
    before_s, size = wanted.until_s, _PAGE
    seen: set[str] = set()
    while True:
        rows = store.decisions(Query(literal, wanted.verdict, wanted.outcome, before_s, size))
        yield from (one for one in rows if one.decision_id not in seen)
        if len(rows) < size:
            return
        # The next page begins with the last moment again: several decisions may share it.
        last_s = rows[-1].at_s
        seen = {one.decision_id for one in rows if one.at_s == last_s}
        following_s = nextafter(last_s, inf)
        size = size * 2 if following_s == before_s else _PAGE
        before_s = following_s


def _fits(record: Record, wanted: Wanted) -> bool:
    is_target = not wanted.target or any(
        fnmatchcase(one, wanted.target) or one == wanted.target for one in record.target
    )
    if wanted.account and not any(_is_in_account(one, wanted) for one in record.target):
        return False
    return is_target and (not wanted.requester or fnmatchcase(record.requester, wanted.requester))


def _is_in_account(address: str, wanted: Wanted) -> bool:
    provider, _, rest = address.partition(":")
    return rest.partition(":")[0] in wanted.spellings.get(provider, (wanted.account,))


def _is_pattern(text: str) -> bool:
    return any(one in text for one in _WILD)


def require_possible(target: str) -> None:
    """Refuse a target that no decision can have: a slip would look like "nothing was decided".

    Raises:
        InputError: it is neither an address, nor a pattern that fits one.
    """
    if not _is_pattern(target):
        _require_address(target)
        return
    provider, colon, _ = target.partition(":")
    literal = provider[: next(n for n, c in enumerate(f"{provider}*") if c in _WILD)]
    is_open = not colon or "*" in provider
    near = [one for one in clouds.names() if one.startswith(literal)]
    is_possible = bool(near) if is_open else any(fnmatchcase(one, provider) for one in near)
    is_open_ended = colon or "*" in provider
    if not is_possible or not is_open_ended or target.count(":") > _COLONS:
        raise _impossible(target)


def _require_address(target: str) -> None:
    parts = target.split(":")
    try:
        # A planned launch is about a scope: provider:account:region.
        is_scope = len(parts) == _COLONS and all(parts[::2])
        Address.parse(f"{target}:any" if is_scope else target)
    except AddressError:
        raise _impossible(target) from None
    if parts[0] not in clouds.names():
        raise _impossible(target)


def _impossible(target: str) -> InputError:
    last = target.rpartition(":")[2].lstrip("*") or "sg-…"
    return InputError(
        f"no decision can be about {target!r}: expected an address "
        "provider:account:region:group-id, or a pattern of one, such as "
        f"'*:{last}' or 'tencent::ap-guangzhou:*'"
    )


def whole_decision_id(store: Store, given: str) -> str:
    """Return the one decision id that is so, or begins so.

    Raises:
        InputError: none does, or several do.
    """
    if store.decision(given) is not None:
        return given
    return _whole(given, store.decision_ids, "decision", "sgguard decisions list")


def whole_approval_id(store: Store, given: str) -> str:
    """Return the one approval id that is so, or begins so.

    Raises:
        InputError: none does, or several do.
    """
    if store.approval(given) is not None:
        return given
    return _whole(given, store.approval_ids, "approval", "sgguard approvals list --state all")


def whole_letter_id(store: Store, given: str) -> str:
    """Return the one id of a dead letter that is so, or begins so.

    Raises:
        InputError: none does, or several do.
    """
    if store.dead_letter(given) is not None:
        return given
    return _whole(given, store.dead_letter_ids, "dead letter", "sgguard deadletter list")


def _whole(given: str, find: Callable[[str], Sequence[str]], kind: str, listing: str) -> str:
    beginning = given.rstrip(_CUT)
    found = find(beginning) if beginning else ()
    if len(found) == 1 and len(beginning) >= SHORTEST_ID:
        return found[0]
    if len(found) > 1:
        raise InputError(f"several {kind}s begin with {beginning!r}: {', '.join(found)}")
    short = "" if len(beginning) >= SHORTEST_ID else f" (give {SHORTEST_ID} characters or more)"
    raise InputError(f"there is no {kind} {given!r}{short}: see {listing}")


def row(record: Record) -> Json:
    """Return a decision in short, with the field names of its document."""
    document: Json = json.loads(record.document_json)
    decided_at = document.get("decided_at") or time_json(datetime.fromtimestamp(record.at_s, UTC))
    return {
        "decision_id": record.decision_id,
        "event_id": record.event_id,
        "source": record.source,
        "guard": record.guard,
        "verdict": record.verdict,
        "outcome": record.outcome,
        "mode": record.mode,
        "target": list(record.target),
        "requested_by": record.requester,
        "decided_at": decided_at,
        "note": document.get("note", ""),
        "approval": document.get("approval"),
    }
