"""Buildah, skopeo and podman, as far as the page of the image goes.

The root itself stands in for the base: it has Python where distroless has it. That an image is
built and run with a root that is only read is what ``tests/packaging/test_image.py`` does.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import tarfile
from pathlib import Path

from tests.deploy.platforms import state

_BASE = "gcr.io/distroless/python3-debian12"
DIGEST = f"sha256:{hashlib.sha256(_BASE.encode()).hexdigest()}"
_RUN = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")


def skopeo(words: list[str]) -> None:
    """``skopeo inspect`` of the base."""
    if words != ["inspect", "--format", "{{.Digest}}", f"docker://{_BASE}"]:
        raise state.refuse(f"skopeo {words}")
    print(DIGEST)


def buildah(words: list[str]) -> None:
    """``buildah bud`` of a Containerfile, and ``buildah push``."""
    match words:
        case ["bud", "--build-arg", base, "-t", name, "."]:
            _built(Path("Containerfile"), base, name)
        case ["bud", "-f", file, "--build-arg", base, "-t", name, "."]:
            _built(Path(file), base, name)
        case ["push", "--digestfile", file, name]:
            state.kept(f"images/{name.replace('/', '_')}")
            Path(file).write_text(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}")
        case _:
            raise state.refuse(f"buildah {words}")


def _built(file: Path, base: str, name: str) -> None:
    if base != f"BASE={_BASE}@{DIGEST}":
        raise state.refuse(f"the base is not named by its digest: {base}")
    lines = [line.partition(" ") for line in file.read_text().splitlines() if line[:1] not in "# "]
    said = {word: rest for word, _, rest in lines if word != "ARG"}
    if tuple(said) != ("FROM", "ADD", "WORKDIR", "ENV", "USER", "ENTRYPOINT"):
        raise state.refuse(f"{file}: {tuple(said)}")
    args = {
        rest.partition("=")[0]: rest.partition("=")[2] for word, _, rest in lines if word == "ARG"
    }
    args["BASE"] = base.partition("=")[2]

    def put(text: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda found: args[found[1]], text)

    if put(said["FROM"]) != args["BASE"]:
        raise state.refuse(said["FROM"])
    source, target = said["ADD"].split()
    with tarfile.open(source) as packed:
        packed.extractall(target, filter="fully_trusted")
    image = {
        "env": dict(one.split("=", 1) for one in shlex.split(said["ENV"])),
        "cwd": said["WORKDIR"],
        "user": put(said["USER"]).partition(":")[0],
        "command": re.findall(r'"([^"]+)"', said["ENTRYPOINT"]),
    }
    state.keep(f"images/{name.replace('/', '_')}", image)


def run(name: str, env: dict[str, str], port: int) -> None:
    """Start an image as its user, with nothing of this environment."""
    image = state.kept(f"images/{name.replace('/', '_')}")
    given = {**image["env"], **env, "PORT": str(port), **state.of_cloud()}
    state.started(image["command"], given, port, cwd=image["cwd"], uid=image["user"])


def podman(words: list[str]) -> None:
    """``podman run -d`` with a port, a policy and credentials."""
    match words:
        case ["run", "-d", *options, name]:
            env = {}
            left = [one for one in options if one not in _RUN]
            if len(left) != len(options) - len(_RUN):
                raise state.refuse(f"podman run without one of {_RUN}")
            for option, value in zip(left[::2], left[1::2], strict=True):
                match option:
                    case "-p":
                        if value != "8080:8080":
                            raise state.refuse(f"-p {value}")
                    case "-v":
                        source, target, mode = value.split(":")
                        if mode != "ro":
                            raise state.refuse(f"-v {value}")
                        Path(target).write_bytes(Path(source).read_bytes())
                        Path(target).chmod(Path(source).stat().st_mode & 0o777)
                    case "-e" if "=" in value:
                        key, _, text = value.partition("=")
                        env[key] = text
                    case "-e":
                        env |= state.own_environment(value)
                    case _:
                        raise state.refuse(f"podman run {option} {value}")
            run(name, env, 8080)
        case _:
            raise state.refuse(f"podman {words}")
