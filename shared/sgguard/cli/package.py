"""``sgguard package``: what a platform runs, built from this installation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from sgguard import __version__
from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.files import require_writable
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, epilog
from sgguard.cli.output import print_json
from sgguard.errors import SettingsError
from sgguard.packaging import requirement, runtime
from sgguard.packaging.build import Artifact, Wish, build
from sgguard.packaging.runtime import RUNTIMES, Target

_KIB = 1024


@command(
    short_help="Build a function for a platform.",
    epilog=epilog(
        "sgguard package delete_request --runtime tencent-scf-event -o delete_request.zip",
        "sgguard package cloud_event --runtime alibaba-fc-event --policy policy.toml \\",
        "  --extra postgres --compile-with python3.12 -o cloud_event.zip",
        exit_codes="0 success, 2 error",
    ),
)
@click.argument("function", metavar="FUNCTION")
@click.option(
    "--runtime",
    "runtime_name",
    type=click.Choice(list(RUNTIMES)),
    required=True,
    help="What it is built for.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    metavar="FILE",
    required=True,
    help="The archive to write; its list of contents goes beside it (.cdx.json).",
)
@click.option("--python", default="", metavar="X.Y", help="The runtime's Python, if not its usual.")
@POLICY_OPTION
@click.option(
    "--extra",
    "extras",
    type=click.Choice(requirement.EXTRAS),
    multiple=True,
    help="An extra that the function needs; repeatable.",
)
@click.option(
    "--compile-with",
    "interpreter",
    default="",
    metavar="PYTHON",
    help="A Python of the target's version, where this one is another: it makes the byte code.",
)
@click.option(
    "--wheels",
    type=click.Path(),
    metavar="FOLDER",
    help="Where wheels are kept (default: sgguard/wheels in XDG_CACHE_HOME or ~/.cache).",
)
@click.option("--offline", "is_offline", is_flag=True, help="Fetch nothing: use the kept wheels.")
@JSON_OPTION
def package(function: str, runtime_name: str, *, out: str, as_json: bool, **given: Any) -> None:
    """Build FUNCTION for a platform: an archive with what it needs and nothing else.

    Versions are those of this installation, wheels those of the platform's Python; the same inputs
    give the same bytes. Without --policy the function reads SGGUARD_POLICY where it runs.
    """
    require_writable(out, "--out")
    wish = _wish(function, runtime_name, **given)
    artifact = build(wish)
    listed = f"{out}.cdx.json"
    for path, content in ((out, artifact.content), (listed, artifact.sbom)):
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            raise SettingsError(f"--out {path}: {error.strerror}: name another file") from error
    if as_json:
        print_json(_document(wish, artifact, out, listed))
    else:
        _print(wish.target, artifact, out, listed)


def _wish(
    function: str,
    runtime_name: str,
    *,
    python: str,
    policy: str | None,
    extras: tuple[str, ...],
    interpreter: str,
    wheels: str | None,
    is_offline: bool,
) -> Wish:
    folder = Path(wheels) if wheels else _cache()
    target = runtime.target(runtime_name, python)
    chosen = tuple(sorted(set(extras)))
    return Wish(function, target, folder, policy or "", chosen, interpreter, is_offline)


def _cache() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME", "")
    return Path(folder if folder.startswith("/") else Path.home() / ".cache", "sgguard", "wheels")


def _document(wish: Wish, artifact: Artifact, out: str, listed: str) -> dict[str, object]:
    return {
        "artifact": out,
        "sbom": listed,
        "sha256": artifact.sha256,
        "bytes": len(artifact.content),
        "bytes_unpacked": artifact.unpacked,
        "function": wish.function,
        "runtime": wish.target.runtime.name,
        "python": wish.target.python,
        "handler": wish.target.runtime.handler,
        "has_byte_code": not artifact.uncompiled,
        "version": __version__,
        "packages": {one.pin.name: one.pin.version for one in artifact.wheels},
    }


def _print(target: Target, artifact: Artifact, out: str, listed: str) -> None:
    terminal.say(f"{artifact.sha256}  {out}")
    size, unpacked = len(artifact.content) // _KIB, artifact.unpacked // _KIB
    terminal.say(f"{size} KiB, {unpacked} KiB unpacked, {len(artifact.wheels)} packages: {listed}")
    terminal.say(f"Python {target.python}, handler {target.runtime.handler}")
    if artifact.uncompiled:
        terminal.note(f"no byte code, so every cold start compiles: {artifact.uncompiled}")
