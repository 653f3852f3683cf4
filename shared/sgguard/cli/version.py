"""The version that ``sgguard --version`` prints, with the commit where it is known.

A wheel holds the commit that it was built from; in a checkout it is the one that is checked out.
"""

from __future__ import annotations

from pathlib import Path

import sgguard

COMMIT_FILE = "_commit"
"""Written into the package when it is built; see ``hatch_build.py``."""

_DIGITS = 12
_PACKAGE = Path(sgguard.__file__).parent


def text(package: Path = _PACKAGE) -> str:
    """Return the version, and the beginning of the commit in parentheses."""
    commit = _read(package / COMMIT_FILE) or _checked_out(package.parent.parent)
    return f"{sgguard.__version__} ({commit[:_DIGITS]})" if commit else sgguard.__version__


def _checked_out(root: Path) -> str:
    """Return the commit of the repository that has the package in its folder ``shared``."""
    if not (root / "shared" / "sgguard").is_dir():
        return ""
    git = root / ".git"
    if git.is_file():  # a worktree: its own folder is elsewhere
        git = root / _read(git).removeprefix("gitdir:").strip()
    head = _read(git / "HEAD")
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    common = git / (_read(git / "commondir") or ".")
    packed = (line.partition(" ") for line in _read(common / "packed-refs").splitlines())
    return _read(common / name) or next((one for one, _, ref in packed if ref == name), "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
