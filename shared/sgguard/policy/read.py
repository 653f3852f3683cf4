"""How the policy is read from a file: parsed, compared with the schema, built, thought through."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sgguard import lazy, schemas
from sgguard.errors import PolicyError, Problem
from sgguard.model.codes import DeleteRemedy, LaunchRemedy, Mode, ReasonCode, UnseenCode
from sgguard.model.resource import Visibility
from sgguard.policy import caller
from sgguard.policy.callback import callbacks_of
from sgguard.policy.channel import channels_of, routes_of
from sgguard.policy.mistake import mistakes
from sgguard.policy.model import (
    ApprovalPolicy,
    Caps,
    DeletePolicy,
    Exemption,
    LaunchPolicy,
    Match,
    Policy,
    ScopePolicy,
)
from sgguard.render.language.refusal import texts_of
from sgguard.render.language.sentence import whole_english

if TYPE_CHECKING:
    import tomllib
else:
    tomllib = lazy("tomllib")  # where no policy is set there is no TOML


_WITH_DAYS = ("exemption", "caller")
"""The tables whose entries may end on a day."""
_SOME_DAY = "2027-03-31"


def load(path: str | None, *, today: date | None = None) -> Policy:
    """Return the policy in the file, or the defaults when there is none.

    A name that ends in ``.json`` is read as JSON, any other as TOML. ``today`` is the day in UTC
    that exemptions must not have ended before, None for the machine's.

    Raises:
        PolicyError: the file cannot be read or used; names file, path inside it and what is right.
    """
    if not path:
        return Policy()
    document = read(path)
    _refuse(path, _broken(document))
    policy = build(document)
    _refuse(path, mistakes(policy, today or datetime.now(UTC).date()))
    return policy


def read(path: str) -> Any:
    """Return what the file says, unchecked; days in exemptions are texts as they are in JSON.

    Raises:
        PolicyError: it cannot be read; TOML and JSON say line and column.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        remedy = "check the name, and that this user may read it"
        message = f"policy {path}: cannot be read: {error.strerror}: {remedy}"
        raise PolicyError(message) from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"policy {path}: is not UTF-8 text (byte {error.start})") from error
    is_json = Path(path).suffix.lower() == ".json"
    try:
        if is_json:
            return json.loads(text, object_pairs_hook=_no_duplicates)
        return _with_days_as_text(tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        kind = "JSON" if is_json else "TOML"
        raise PolicyError(f"policy {path}: is not valid {kind}: {error}") from error


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that comes twice: JSON would silently keep the last one."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} comes twice in one object")
        found[key] = value
    return found


def _with_days_as_text(document: dict[str, Any]) -> dict[str, Any]:
    """Write a TOML date as the text it would be in JSON, which is what the schema describes."""
    for table in _WITH_DAYS:
        entries = document.get(table)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("expires"), date):
                entry["expires"] = entry["expires"].isoformat()
    return document


def _broken(document: Any) -> tuple[Problem, ...]:
    """Compare with ``schemas/policy.schema.json``."""
    return schemas.problems("policy", document) or tuple(_no_days(document))


def _no_days(document: Any) -> list[Problem]:
    """Return the days that no calendar has, such as February the 30th."""
    found = []
    entries = [(t, n, one) for t in _WITH_DAYS for n, one in enumerate(document.get(t, ()))]
    for table, number, entry in entries:
        try:
            date.fromisoformat(entry.get("expires", _SOME_DAY))
        except ValueError:
            where = f"/{table}/{number}/expires"
            found.append(Problem(where, "is no day", "a day such as 2027-03-31"))
    return found


def _refuse(path: str, problems: tuple[Problem, ...]) -> None:
    if problems:
        raise PolicyError(f"policy {path}: " + "; ".join(map(_in_words, problems)))


def _in_words(problem: Problem) -> str:
    """Write a JSON pointer the way a TOML file spells the path."""
    where = problem.path.strip("/").replace("/", ".") or "the file"
    found, expected = map(whole_english, texts_of(problem))
    right = f" (expected {expected})" if expected else ""
    return f"{where} {found}{right}"


def build(document: Mapping[str, Any]) -> Policy:
    """Turn a document that keeps the schema into the policy."""
    overrides = {
        provider: MappingProxyType({name: int(ceiling) for name, ceiling in ceilings.items()})
        for provider, ceilings in document.get("limits", {}).items()
    }
    return Policy(
        mode=Mode(document.get("mode", Mode.OBSERVE)),
        delete=DeletePolicy(**_fields(document.get("delete", {}), DeleteRemedy)),
        launch=LaunchPolicy(**_fields(document.get("launch", {}), LaunchRemedy)),
        limits=MappingProxyType(overrides),
        caps=Caps(**_fields(document.get("caps", {}))),
        approval=ApprovalPolicy(**_fields(document.get("approval", {}))),
        scopes=tuple(map(_scope, document.get("scope", ()))),
        exemptions=tuple(map(_exemption, document.get("exemption", ()))),
        callers=tuple(map(caller.build, document.get("caller", ()))),
        halt=document.get("halt", False),
        channels=channels_of(document),
        routes=routes_of(document),
        callbacks=callbacks_of(document),
    )


_KINDS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "mode": Mode,
        "require_visibility": Visibility,
        "tolerate_unseen": lambda codes: tuple(map(UnseenCode, codes)),
        "replacements": lambda table: MappingProxyType(dict(table)),
        "warn_at_percent": int,
        "changes": int,
        "percent_of_rules": int,
        "holders": int,
        "management_ports": lambda ports: tuple(map(int, ports)),
        "expires_s": int,
        "remind_s": int,
    }
)
"""What a key's value becomes where it is not the value itself, or a list as a tuple."""


def _fields(table: Mapping[str, Any], remedies: type[StrEnum] = StrEnum) -> dict[str, Any]:
    """Return the fields a table gives, by name: those it leaves out keep their defaults.

    ``remedies`` are those of the table's guard.
    """
    kinds: dict[str, Callable[[Any], Any]] = {
        **_KINDS,
        "remedies": lambda names: tuple(map(remedies, names)),
    }
    return {
        key: kinds[key](value)
        if key in kinds
        else (tuple(value) if isinstance(value, list) else value)
        for key, value in table.items()
    }


def _scope(entry: Mapping[str, Any]) -> ScopePolicy:
    mode = entry.get("mode")
    return ScopePolicy(
        match=Match(**entry["match"]),
        mode=None if mode is None else Mode(mode),
        delete=MappingProxyType(_fields(entry.get("delete", {}), DeleteRemedy)),
        launch=MappingProxyType(_fields(entry.get("launch", {}), LaunchRemedy)),
        caps=MappingProxyType(_fields(entry.get("caps", {}))),
    )


def _exemption(entry: Mapping[str, Any]) -> Exemption:
    return Exemption(
        group=entry["group"],
        reasons=tuple(map(ReasonCode, entry["reasons"])),
        owner=entry["owner"],
        reason=entry["reason"],
        expires=date.fromisoformat(entry["expires"]),
    )
