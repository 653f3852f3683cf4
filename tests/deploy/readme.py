"""The commands of a deployment's page, as they stand there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

_BLOCK = re.compile(
    r"^(?P<indent> *)(?:\d+\. )?```sh\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL
)
_FIRST, _NEXT = "## From nothing to the first decision", "\n## "


def commands(page: Path) -> list[str]:
    """Return the blocks that lead to the first decision, in their order and without indentation."""
    text = page.read_text(encoding="utf-8").partition(_FIRST)[2].partition(_NEXT)[0]
    return [textwrap.dedent(match["text"]) for match in _BLOCK.finditer(text)]


def filled(command: str, values: dict[str, str]) -> str:
    """Return a command with what its reader puts in the place of ``NAME=…``.

    Raises:
        KeyError: nothing is known for one of them.
    """
    return re.sub(r"\b([A-Z_]+)=…", lambda found: f"{found[1]}={values[found[1]]}", command)
