"""How the policy is read from a file: parsed, compared with the schema, built."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sgguard.decision import Mode
from sgguard.errors import PolicyError, Problem
from sgguard.model import Visibility
from sgguard.policy.model import DeletePolicy, LaunchPolicy, Policy


def load(path: str | None) -> Policy:
    """Return the policy in the file, or the defaults when there is none.

    A name that ends in ``.json`` is read as JSON, any other as TOML.

    Raises:
        PolicyError: the file cannot be read or used; names file, path inside it and what is right.
    """
    if not path:
        return Policy()
    document = _read(path)
    _check(path, document)
    return _build(document)


def _read(path: str) -> Any:
    """Parse the file; TOML and JSON say line and column of what they cannot read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"policy {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"policy {path}: is not UTF-8 text (byte {error.start})") from error
    is_json = Path(path).suffix.lower() == ".json"
    try:
        if is_json:
            return json.loads(text, object_pairs_hook=_no_duplicates)
        return tomllib.loads(text)
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


def _check(path: str, document: Any) -> None:
    """Compare with ``schemas/policy.schema.json``; jsonschema is imported only here (90 ms)."""
    from sgguard import schemas  # noqa: PLC0415 - most starts have no policy file to check

    found = schemas.problems("policy", document)
    if found:
        raise PolicyError(f"policy {path}: " + "; ".join(map(_in_words, found)))


def _in_words(problem: Problem) -> str:
    """Write a JSON pointer the way a TOML file spells the path."""
    where = problem.path.strip("/").replace("/", ".") or "the file"
    right = f" (expected {problem.expected})" if problem.expected else ""
    return f"{where} {problem.problem}{right}"


def _build(document: Mapping[str, Any]) -> Policy:
    """Turn a checked document into the policy; keys and types are right by now."""
    delete, launch = document.get("delete", {}), document.get("launch", {})
    overrides = {
        provider: MappingProxyType({name: int(ceiling) for name, ceiling in ceilings.items()})
        for provider, ceilings in document.get("limits", {}).items()
    }
    return Policy(
        mode=Mode(document.get("mode", Mode.OBSERVE)),
        delete=DeletePolicy(
            protected=tuple(delete.get("protected", ())),
            remedies=tuple(delete.get("remedies", ())),
            fallback_group=delete.get("fallback_group", ""),
            tolerate_unseen=tuple(delete.get("tolerate_unseen", ())),
            require_visibility=_visibility(delete),
        ),
        launch=LaunchPolicy(
            baseline=tuple(launch.get("baseline", ())),
            forbidden=tuple(launch.get("forbidden", ())),
            warn_at_percent=int(launch.get("warn_at_percent", 80)),
            remedies=tuple(launch.get("remedies", ())),
            tolerate_unseen=tuple(launch.get("tolerate_unseen", ())),
            require_visibility=_visibility(launch),
        ),
        limits=MappingProxyType(overrides),
    )


def _visibility(table: Mapping[str, Any]) -> Visibility | None:
    required = table.get("require_visibility")
    return None if required is None else Visibility(required)
