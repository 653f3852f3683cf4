"""Characters that must not reach a terminal, and those that an encoding does not have."""

from __future__ import annotations

import codecs
import re

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Control characters but for line break and tab, format characters, halves of surrogate pairs."""

_LOOKALIKES = {
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{BOX DRAWINGS LIGHT VERTICAL}": "|",
    "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
    "\N{BOX DRAWINGS LIGHT VERTICAL AND RIGHT}": "|",
    "\N{BOX DRAWINGS LIGHT UP AND RIGHT}": "`",
}


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for a character that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_LOOKALIKES.get(one, "?") for one in lost), error.end


codecs.register_error("sgguard", _replaced)


def harmless(text: str) -> str:
    """Return the text without characters that steer a terminal; U+FFFD stands for each."""
    return _HARMFUL.sub("\ufffd", text)


def escaped_json(text: str, encoding: str) -> str:
    """Return JSON with escapes for what steers a terminal, and for what cannot be encoded."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text  # nearly all JSON, found in a third of the time
    escaped = _HARMFUL.sub(lambda found: _escaped(found[0]), text)
    try:
        escaped.encode(encoding)
    except UnicodeEncodeError:
        return "".join(one if one.isascii() else _escaped(one) for one in escaped)
    return escaped


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n] << 8 | units[n + 1]:04x}" for n in range(0, len(units), 2))
