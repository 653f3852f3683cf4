"""What a caller sees of a decision: groups outside its targets are counted, and not named.

The decision that is kept is whole; only the answer to this caller is not. An entry about such a
group is left out, its id is taken out of every other text, and its name out of every text in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sgguard.callers.permit import Accounts, may_see
from sgguard.model.address import Address, Scope
from sgguard.model.caller import Caller

Json = dict[str, Any]

HIDDEN = "(a group outside your targets)"

_ID = re.compile(r"\bsg-[A-Za-z0-9-]+|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_TEXT_MAX = 200
"""The longest text that a decision's schema permits, where it has a limit."""

_LISTS = ("group_ids", "other_group_ids")
_WORDLESS = frozenset(
    {
        *("action", "code", "decided_at", "decision_id", "direction", "effect", "error_code"),
        *("event_id", "guard", "kind", "mode", "name", "outcome", "protocol", "source", "state"),
        *("type", "verdict", "visibility", "applies_to", "key", "proof", "subject"),
    }
)
"""Keys whose values are codes, ids of other things, or the caller's own words."""


def veiled(document: Json, caller: Caller, accounts: Accounts) -> Json:
    """Return the decision as the caller may see it; any other document as it is.

    Of the answer to a cloud's event, every decision and what a delete broke.
    """
    if "decisions" in document:
        decided = [veiled(one, caller, accounts) for one in document["decisions"]]
        broken = document.get("aftermath")
        broken = broken and _veiled(broken, _scope_of(broken["target"]), caller, accounts)[0]
        return {**document, "decisions": decided, "aftermath": broken}
    scope = _scope(document)
    if scope is None:
        return document
    shown, hidden = _veiled(document, scope, caller, accounts)
    if hidden:
        shown["facts"]["hidden_groups"] = hidden
    return shown


def _veiled(
    document: Json, scope: Scope | None, caller: Caller, accounts: Accounts
) -> tuple[Json, int]:
    """Return a document without the groups that a caller may not see, and how many there are."""
    if scope is None:
        return document, 0

    def is_hidden(group_id: str, account: str = "") -> bool:
        at = Scope(scope.provider, account or scope.account, scope.region)
        return bool(group_id) and not may_see(caller, Address(at, group_id), accounts)

    ids, names = _outside(document, is_hidden)
    if not ids:
        return document, 0
    by_id, by_name = _any_of(ids), _any_of(names) if names else None
    shown = _shown(document, "", ids, lambda text, key: _masked(text, key, by_id, by_name))
    return dict(shown), len(ids)


def veiled_text(text: str, known: str) -> str:
    """Return the text of an error without ids of groups that are not in what the caller sent."""
    return _ID.sub(lambda found: found[0] if found[0] in known else HIDDEN, text)


def _any_of(texts: set[str]) -> re.Pattern[str]:
    """Return what finds any of the texts as a whole: one id may begin like another."""
    either = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])")


def _scope(document: Mapping[str, Any]) -> Scope | None:
    """Return where a decision was made; None where the document is none."""
    return _scope_of((document.get("target") or [""])[0]) if "facts" in document else None


def _scope_of(target: object) -> Scope | None:
    parts = str(target).split(":")
    return Scope(*parts[:3]) if len(parts) >= 3 else None  # noqa: PLR2004 - provider, account, region


def _outside(value: Any, is_hidden: Callable[..., bool]) -> tuple[set[str], set[str]]:
    """Return ids and names of all groups in a document that are hidden."""
    ids: set[str] = set()
    names: set[str] = set()
    for entry in _objects(value):
        account = str(entry.get("account") or "")
        group_id = entry.get("group_id")
        if isinstance(group_id, str) and is_hidden(group_id, account):
            ids.add(group_id)
            named = (entry.get("group_name"), entry.get("name"))
            names |= {one for one in named if isinstance(one, str) and one}
        others = [one for key in _LISTS for one in entry.get(key) or ()]
        others += [one for one in [entry.get("peer_group")] if isinstance(one, str)]
        ids |= {one for one in others if is_hidden(one)}
    return ids, names


def _objects(value: Any) -> Iterator[Json]:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            yield one
            todo += one.values()
        elif isinstance(one, list):
            todo += one


def _shown(value: Any, key: str, ids: set[str], mask: Callable[[str, str], str]) -> Any:
    """Return a value without entries about hidden groups, and without their ids and names."""
    if isinstance(value, dict):
        return {name: _shown(one, name, ids, mask) for name, one in value.items()}
    if isinstance(value, list):
        kept = [one for one in value if not _is_about(one, key, ids)]
        return [_shown(one, key, ids, mask) for one in kept]
    return mask(value, key) if isinstance(value, str) else value


def _is_about(one: Any, key: str, ids: set[str]) -> bool:
    if isinstance(one, dict):
        return one.get("group_id") in ids
    return key in _LISTS and one in ids


def _masked(text: str, key: str, by_id: re.Pattern[str], by_name: re.Pattern[str] | None) -> str:
    found = by_id.sub(HIDDEN, text)
    if by_name is not None and key not in _WORDLESS:
        found = by_name.sub(HIDDEN, found)
    # What stands in place of an id is longer than it.
    most = max(len(text), _TEXT_MAX)
    return found if len(found) <= most else f"{found[: most - 1].rstrip()}…"
