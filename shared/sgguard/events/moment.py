"""When an event happened: every spelling that the clouds' audit trails use, as seconds in UTC.

Numbers are seconds, milliseconds or microseconds since 1970-01-01 UTC, told apart by their size:
one cloud writes all three into one event. Texts are RFC 3339, with or without a zone, the compact
form of ISO 8601, and what CTS writes into files (``2016/12/08 11:07:28 GMT+08:00``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_FIRST_S, _END_S = 946_684_800.0, 4_102_444_800.0  # the years 2000 to 2099
_UNITS = (1.0, 1e3, 1e6)
_TEXT = re.compile(
    r"(\d{4})[-/]?(\d{2})[-/]?(\d{2})[T ](\d{2}):?(\d{2}):?(\d{2})(\.\d{1,9})?\d*"
    r" ?(?:Z|(?:GMT|UTC)?([+-])(\d{2}):?(\d{2})|GMT|UTC)?",
    re.ASCII,
)
_DIGITS = re.compile(r"\d{10,17}", re.ASCII)
_ZONE_END = re.compile(r"Z|GMT|UTC|[+-]\d{2}:?\d{2}", re.ASCII)
_DAY_S = 24 * 3600


def seconds(value: object, zone: tzinfo) -> float | None:
    """Return the moment in seconds since 1970-01-01 UTC; None where the value is no moment.

    ``zone`` is that of a text without one. Moments outside of the years 2000 to 2099 are none.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int | float):
        return _of_number(value)
    return _of_text(value, zone) if isinstance(value, str) else None


def _of_number(value: float) -> float | None:
    for unit in _UNITS:
        if _FIRST_S * unit <= value < _END_S * unit:
            return float(value) / unit
    return None


def _of_text(text: str, zone: tzinfo) -> float | None:
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset.total_seconds() >= _DAY_S:
            return None
        zone = timezone(-offset if sign == "-" else offset)
    elif _ZONE_END.search(text, found.end(6)):
        zone = UTC
    try:
        whole = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone
        )
        return _of_number(whole.timestamp() + float(fraction or 0))
    except (ValueError, OverflowError):
        return None
