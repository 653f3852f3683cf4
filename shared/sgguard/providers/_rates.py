"""Rates that an operator sets, where the account's differ from the documented ones."""

from __future__ import annotations

import math

from sgguard.errors import SettingsError
from sgguard.wire.pacing import Rates


def merged(documented: Rates, variable: str, text: str) -> Rates:
    """Return the rates (calls per second by action), those of the text before the documented.

    ``text`` is ``Action=number`` by comma, with ``*`` in actions as in documented ones.

    Raises:
        SettingsError: a part of the text is not such a pair.
    """
    given: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        action, _, number = (one.strip() for one in part.rpartition("="))
        try:
            rate = float(number)
        except ValueError:
            rate = math.nan
        if not action or not 0 < rate < math.inf:
            raise SettingsError(
                f"{variable}: {part!r}: expected an action and its calls per second, "
                "such as AssociateSecurityGroups=20"
            )
        given[action] = rate
    return {**given, **{key: rate for key, rate in documented.items() if key not in given}}
