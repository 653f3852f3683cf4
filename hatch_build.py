"""What a build adds: README.md with absolute links, and the commit that it is made from.

Where the package is shown the files beside README.md are not, and a relative link leads nowhere.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\]\((?![a-z][a-z0-9+.-]*:|#)(?P<path>[^)\s]+)\)")
_COMMIT = "_commit"


class CustomMetadataHook(MetadataHookInterface):
    """Sets ``readme``; hatchling finds this class by the name of its file."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Put README.md into the metadata, its links below the project's address."""
        home = metadata["urls"]["Homepage"].rstrip("/")
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = _RELATIVE.sub(lambda link: f"]({home}/{link['path']})", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


class CustomBuildHook(BuildHookInterface):
    """Puts the commit into the wheel, and into the source archive that a wheel is built from."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the commit where it is known; an editable install looks at its checkout."""
        commit = self._commit()
        if version == "editable" or not commit:
            return
        written = Path(self.directory, _COMMIT)
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(f"{commit}\n", encoding="utf-8")
        target = f"sgguard/{_COMMIT}" if self.target_name == "wheel" else _COMMIT
        build_data["force_include"][str(written)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's signature
        """Leave nothing beside what was built."""
        Path(self.directory, _COMMIT).unlink(missing_ok=True)

    def _commit(self) -> str:
        kept = Path(self.root, _COMMIT)
        if kept.exists():  # unpacked from a source archive
            return kept.read_text(encoding="utf-8").strip()
        if not Path(self.root, ".git").exists():
            return ""
        asked = ("git", "rev-parse", "HEAD")
        try:
            found = subprocess.run(  # noqa: S603 - no part of it comes from outside
                asked, cwd=self.root, capture_output=True, text=True, check=False
            )
        except OSError:
            return ""
        return found.stdout.strip() if found.returncode == 0 else ""
