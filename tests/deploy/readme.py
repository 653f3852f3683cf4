"""The commands of a deployment's page, as they stand there."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

_BLOCK = re.compile(
    r"^(?P<indent> *)(?:\d+\. )?```sh\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL
)
FIRST, _NEXT = "## From nothing to the first decision", "\n## "


def commands(page: Path, section: str = FIRST) -> list[str]:
    """Return the blocks of a section, in their order and without indentation."""
    text = page.read_text(encoding="utf-8").partition(f"{section}\n")[2].partition(_NEXT)[0]
    return [textwrap.dedent(match["text"]) for match in _BLOCK.finditer(text)]


def filled(command: str, values: Mapping[str, str]) -> str:
    """Return a command with what its reader puts in the place of ``NAME=…`` and ``<a text>``.

    Raises:
        KeyError: nothing is known for one of them.
    """
    for name, value in values.items():
        command = command.replace(name, value) if name.startswith("<") else command
    return re.sub(r"\b(\w+)=…", lambda found: f"{found[1]}={values[found[1]]}", command)
