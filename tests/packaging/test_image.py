"""The image: built on a base without a shell, and run as nobody, with a root that is only read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sgguard.demo.processes import free_port
from sgguard.emulator.server import serve
from tests.deploy.grants import DEPLOY
from tests.packaging import artifact
from tests.packaging.test_server_runtimes import KEY, PROOF
from tests.worlds import world_of

pytestmark = pytest.mark.slow

TOOLS = ("buildah", "mmdebstrap", "unshare")
IN_BASE = "python3-minimal,libpython3-stdlib,ca-certificates,libexpat1,libssl3"
SHELLS = ("sh", "bash", "dash", "busybox")

# The kernel's own read-only root: a bind mount in a mount namespace, with devices in memory.
_RUN = """
mount --bind "$ROOT" "$ROOT" && mount -t tmpfs tmpfs "$ROOT/dev" && mkdir -m 1777 "$ROOT/dev/shm" &&
mount -o remount,bind,ro "$ROOT" && ! touch "$ROOT/app/x" 2>/dev/null &&
exec env -i {env} chroot --userspec="$IDS" "$ROOT" {command}
"""


@dataclass
class Image:
    """A built image: where its files are mounted, and what it says of itself."""

    root: Path
    config: dict


def run(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    ended = subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended.stdout.strip()


def base() -> Path:
    """Debian's Python and nothing that could start a program; kept from one run to the next."""
    kept = artifact._cache().parent / "test-base.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(".fresh.tar")
        command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={IN_BASE}"]
        made = subprocess.run(
            [*command, "bookworm", str(fresh)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            pytest.skip(f"there is no Debian to be had: {made.stderr.splitlines()[-1:]}")
        fresh.rename(kept)
    return kept


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Iterator[Image]:
    missing = [one for one in TOOLS if shutil.which(one) is None]
    if missing or os.geteuid():
        pytest.skip(f"an image is built by root with {', '.join(TOOLS)}; missing: {missing}")
    folder = tmp_path_factory.mktemp("image")
    env = {**os.environ, "STORAGE_DRIVER": "vfs"}
    places = ("--root", str(folder / "storage"), "--runroot", str(folder / "run"))

    def buildah(*words: str) -> str:
        return run("buildah", *places, *words, env=env, cwd=folder)

    (folder / "app.tar").write_bytes(artifact.built("delete_request", "oci").content)
    shutil.copy(DEPLOY / "container" / "Containerfile", folder)
    try:
        empty = buildah("from", "scratch")
        buildah("mount", empty)
        buildah("umount", empty)
    except AssertionError as error:
        pytest.skip(f"no container can be mounted here: {str(error).splitlines()[-1]}")
    buildah("add", empty, str(base()), "/")
    buildah("commit", "-q", empty, "base")
    buildah("bud", "-q", "--isolation", "chroot", "--build-arg", "BASE=localhost/base", "-t", "fn")
    made = buildah("from", "localhost/fn")
    config = json.loads(buildah("inspect", "--type", "image", "fn"))["OCIv1"]["config"]
    try:
        yield Image(Path(buildah("mount", made)), config)
    finally:
        buildah("umount", made)


def test_the_image_needs_no_shell_and_nothing_in_it_can_be_changed_by_its_user(image):
    assert image.config["User"] == "10001:10001"
    assert image.config["Entrypoint"] == ["/usr/bin/python3", "/app/server.py"]
    found = [
        place / name
        for place in (image.root / "bin", image.root / "usr/bin", image.root / "app")
        for name in SHELLS
        if (place / name).exists()
    ]
    assert found == []
    owned = [path for path in (image.root / "app").rglob("*") if path.lstat().st_uid]
    open_to_all = [path for path in (image.root / "app").rglob("*") if path.stat().st_mode & 0o022]
    assert (owned, open_to_all) == ([], [])


def test_the_image_decides_as_nobody_with_a_root_that_is_only_read(image, tmp_path):
    world = world_of("tencent")
    policy = image.root / "policy.toml"
    policy.write_text(artifact.caller("delete_request", PROOF))
    with serve(world.emulator()) as running:
        port = free_port()
        env = dict(one.split("=", 1) for one in image.config["Env"])
        env |= {"PORT": str(port), "SGGUARD_POLICY": "/policy.toml", **world.env}
        env["SGGUARD_ENDPOINT_TENCENT"] = running.url
        words = " ".join(f"'{name}={value}'" for name, value in env.items())
        script = _RUN.format(env=words, command=" ".join(image.config["Entrypoint"]))
        outer = {**os.environ, "ROOT": str(image.root), "IDS": image.config["User"]}
        command = ["unshare", "--mount", "sh", "-c", script]
        with artifact.serving(command, tmp_path, outer, port) as served:
            answers = [
                httpx.post(
                    served.url,
                    json={"target": f"tencent::{world.region}:{getattr(world, who)}"},
                    headers={"authorization": f"Bearer {KEY}"},
                    trust_env=False,
                    timeout=60,
                ).json()
                for who in ("free", "referenced")
            ]
            ids = Path(f"/proc/{served.process.pid}/status").read_text()
    assert [one["verdict"] for one in answers] == ["allow", "block"]
    assert "Uid:\t10001\t10001" in ids
