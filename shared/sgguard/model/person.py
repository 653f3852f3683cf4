"""Names of people: which can be one, and which two may be the same person's.

Whether somebody approves what they requested is decided by names, which may be spelt to look alike:
names are compared by what they look like, and what no honest name has is refused. Both follow
Unicode Technical Standard #39: the skeleton (4), and the restriction level *highly restrictive*
(5.2), https://www.unicode.org/reports/tr39/.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from sgguard.model.sentence import Text, listed, said

_TABLE = Path(__file__).with_name("confusables.txt")

_EAST_ASIAN = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "BOPOMOFO"}),
    frozenset({"CJK", "HANGUL"}),
)
"""The scripts that are written together, and with Latin, by one writer."""
_LATIN = "LATIN"
_CALLED = {"IDEOGRAPHIC": "CJK", "HALFWIDTH": "KATAKANA"}
_OF_ANY_SCRIPT = frozenset({"MODIFIER", "FEMININE", "MASCULINE"})
"""Letters by category only: their names say what they do, not of which script they are."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS_MAX = 4
"""More marks on one character than any orthography has would hide others."""


def problem_of(name: str) -> Text:
    """Return what keeps this text from being the name of a person; empty: nothing does.

    An address, a login or a role is a name as well. Empty is no problem: it says that nobody is
    named.
    """
    if any(unicodedata.category(one) in _INVISIBLE for one in name):
        return said("wrong.invisible")
    if _has_many_marks(name):
        return said("wrong.marks")
    scripts = _scripts(name)
    if len(scripts) > 1 and not any(scripts - {_LATIN} <= one for one in _EAST_ASIAN):
        return said("wrong.scripts", scripts=listed(one.capitalize() for one in sorted(scripts)))
    return ""


def may_be_same(one: str, other: str) -> bool:
    """Return whether two names are the same, or look the same; case and spaces do not matter."""
    return not _looks(one).isdisjoint(_looks(other))


def _looks(name: str) -> frozenset[str]:
    """Return what a name looks like: as it is spelt, and in lower case.

    Letters of one case look like others that their other case does not: ``I`` like ``l``.
    """
    plain = "".join(unicodedata.normalize("NFKC", name).split())
    return frozenset({_skeleton(plain).casefold(), _skeleton(plain.casefold()).casefold()})


def _skeleton(text: str) -> str:
    """Return the text with every character as the one that stands for all that look like it."""
    table = _prototypes()
    visible = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFD", "".join(table.get(c, c) for c in visible))


@lru_cache(maxsize=1)
def _prototypes() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in _TABLE.read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            prototype, *alike = line.split()
            stands = "".join(chr(int(point, 16)) for point in prototype.split("+"))
            found.update((chr(int(point, 16)), stands) for point in alike)
    return found


def _scripts(name: str) -> frozenset[str]:
    """Return the scripts of the letters in a name.

    Python has no table of scripts; the name of a letter begins with that of its script.
    """
    letters = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c)[0] == "L")
    words = (unicodedata.name(c, "UNKNOWN").split(" ")[0].partition("-")[0] for c in letters)
    return frozenset(_CALLED.get(word, word) for word in words) - _OF_ANY_SCRIPT


def _has_many_marks(name: str) -> bool:
    row = 0
    for one in unicodedata.normalize("NFD", name):
        row = row + 1 if unicodedata.category(one) == "Mn" else 0
        if row > _MARKS_MAX:
            return True
    return False
