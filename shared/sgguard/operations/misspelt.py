"""Which setting is meant by a variable that no setting has."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sgguard.settings import SERVICES, SETTINGS, variable_part

_PROVIDER, _SERVICE = "<PROVIDER>", "<SERVICE>"


def misspelt(name: str, providers: Iterable[str]) -> str:
    """Return what is wrong with a variable that no setting has, and which one may be meant."""
    known = [
        one.name.replace(_PROVIDER, variable_part(provider)).replace(_SERVICE, service)
        for one in SETTINGS
        for provider in (providers if _PROVIDER in one.name else ("",))
        for service in (SERVICES if _SERVICE in one.name else ("",))
    ]
    near = get_close_matches(name, known, n=1, cutoff=0.75)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{name} is set, but there is no such setting{hint}"
