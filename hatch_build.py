"""The description of the package: README.md with absolute links.

Where the package is shown the files beside README.md are not, and a relative link leads nowhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\]\((?![a-z][a-z0-9+.-]*:|#)(?P<path>[^)\s]+)\)")


class CustomMetadataHook(MetadataHookInterface):
    """Sets ``readme``; hatchling finds this class by the name of its file."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Put README.md into the metadata, its links below the project's address."""
        home = metadata["urls"]["Homepage"].rstrip("/")
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = _RELATIVE.sub(lambda link: f"]({home}/{link['path']})", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
