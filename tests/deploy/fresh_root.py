"""Follows a page in a fresh root: run inside of namespaces of its own, by ``test_fresh_root.py``.

Nothing of this machine is in the root but the package that the page asks for (a virtual environment
and its Pythons, mounted to be read), and stand-ins for platforms and their tools
(``tests/deploy/platforms``). nginx, curl, bash and Python are the root's own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from string import Template
from typing import Any

from tests.deploy import readme
from tests.deploy.grants import DEPLOY
from tests.deploy.pages import PAGES, Page

_TOOLS = (
    *("terraform", "tccli", "s", "gcloud", "kubectl", "buildah", "skopeo", "podman", "systemctl"),
    "console",
)
_HOSTS = (
    *("guard.example", "service.scf.example", "apig.example", "kubernetes.default.svc"),
    "functiongraph.cn-north-4.myhuaweicloud.com",
)
_HOME = "/root/sgguard"
_KEPT = "/tmp/exported"
_WAIT_S = 60.0


def run(*command: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if check and done.returncode:
        raise SystemExit(f"{command[:3]}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Root:
    """The root, and a shell in it that stays where a page has gone."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.folder, self.given = Path(given["root"]), given
        self.place, self.env = _HOME, dict[str, str]()
        self._mount(Path(given["fresh"]))
        for one in given["shown"]:  # the same places inside, to be read only
            place = self.path(one)
            if Path(one).is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            run("mount", "--bind", one, str(place))
        for name, kind in (("proc", "proc"), ("dev", "devtmpfs")):
            done = run("mount", "-t", kind, name, str(self.path(name)), check=False)
            if done.returncode:
                run("mount", "--bind", f"/{name}", str(self.path(name)))

    def _mount(self, fresh: Path) -> None:
        """Put what is written above the fresh root, which every page begins with."""
        above = self.folder.with_suffix(".above")
        above.mkdir()
        run("mount", "-t", "tmpfs", "tmpfs", str(above))
        for name in ("upper", "work"):
            (above / name).mkdir()
        layers = f"lowerdir={fresh},upperdir={above}/upper,workdir={above}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, str(self.folder))

    def path(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        place = self.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def shell(self, script: str) -> str:
        """Run a block, in the folder in which the one before has ended."""
        variables = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        text = f"touch {_KEPT}\n. {_KEPT}\ncd {self.place}\n{script}\n"
        text += f"pwd > /tmp/place\nexport -p > {_KEPT}\n"
        command = ["chroot", str(self.folder), "/bin/bash", "-euc", text]
        told = run(*command, env={**variables, **self.env}, timeout=300).stdout
        self.place = self.path("/tmp/place").read_text().strip()
        return told

    def start(self, *words: str) -> None:
        """Start one of the stand-ins, which runs to the end."""
        command = ["chroot", str(self.folder), self.given["python"], "-m", "tests.deploy.platforms"]
        subprocess.Popen([*command, *words], env={**os.environ, "PYTHONPATH": self.given["tests"]})


def emulator(python: str) -> dict[str, str]:
    """Start the clouds on this namespace's loopback; return what leads to them."""
    process = subprocess.Popen(
        [python, "-m", "sgguard", "emulate", "--port", "9700"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found: dict[str, str] = json.loads(process.stdout.readline())["env"]
    return found


def certificate(root: Root) -> tuple[str, str]:
    """Put a certificate into the root, and let its curl trust it; return its files."""
    tls = root.path("/etc/sgguard/tls")
    tls.mkdir(parents=True)
    names = ",".join(f"DNS:{name}" for name in _HOSTS)
    subject = ("-subj", "/CN=guard.example", "-addext", f"subjectAltName={names}")
    files = ("-keyout", str(tls / "key.pem"), "-out", str(tls / "cert.pem"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files)
    bundle = root.path("/etc/ssl/certs/ca-certificates.crt")
    bundle.write_text(bundle.read_text() + (tls / "cert.pem").read_text())
    root.write("/etc/hosts", f"127.0.0.1 localhost {' '.join(_HOSTS)}\n")
    return "/etc/sgguard/tls/cert.pem", "/etc/sgguard/tls/key.pem"


def furnish(root: Root, cloud: dict[str, str]) -> None:
    """Put into the root what the page takes for granted: a checkout, the package, the tools."""
    root.path(_HOME).mkdir()
    run("cp", "-a", str(DEPLOY), str(root.path(_HOME)))
    tests, python, cache = (root.given[one] for one in ("tests", "python", "cache"))
    for name in _TOOLS:
        root.write(
            f"/usr/local/bin/{name}",
            f'#!/bin/sh\nPYTHONPATH={tests} exec {python} -m tests.deploy.platforms {name} "$@"\n',
            0o755,
        )
    # What was downloaded before is enough: there is no network here.
    root.write(
        "/usr/local/bin/sgguard",
        f'#!/bin/sh\n[ "$1" = package ] && set -- "$@" --offline\n'
        f'XDG_CACHE_HOME={cache} exec {python} -m sgguard "$@"\n',
        0o755,
    )
    pythons = root.given["pythons"]
    for version, place in pythons.items():
        if version != "3.11":
            root.path(f"/usr/local/bin/python{version}").symlink_to(place)
    config = {"env": cloud, "pythons": pythons, "certificate": "/etc/sgguard/tls/cert.pem"}
    root.write("/var/lib/platforms/config.json", json.dumps(config))


def prepare(root: Root, page: Page, cloud: dict[str, str]) -> None:
    """Do what a reader does beside the commands."""
    here = f"{_HOME}/deploy/{page.folder}"
    for name, edit in page.edits.items():
        root.write(f"{here}/{name}", edit(root.path(f"{here}/{name}").read_text()))
    for name, text in page.files.items():
        root.write(f"{here}/{name}", Template(text).substitute(cloud))
    for name, text in page.own.items():
        root.env[name] = Template(text).substitute(cloud)
    if page.has_caller:
        # "sgguard callers new portal prints a secret and the row for policy.toml"
        told = root.shell("sgguard callers new portal")
        (root.env["KEY"],) = re.findall(r"^sgg_\S+$", told, re.MULTILINE)
        (row,) = re.findall(r"^proof = .*$", told, re.MULTILINE)
        policy = root.path(f"{here}/{page.has_caller}")
        policy.write_text(re.sub(r"(?m)^proof = .*$", row, policy.read_text()))
    if page.has_edge or page.has_certificate:
        files = certificate(root)
        if page.has_edge:
            root.start("edge", *files)


def main(given: dict[str, Any]) -> str:
    """Follow the page, and return what its last command has printed."""
    page = PAGES[given["page"]]
    run("ip", "link", "set", "lo", "up")
    root = Root(given)
    cloud = emulator(given["python"])
    furnish(root, cloud)
    prepare(root, page, cloud)
    values = {name: Template(text).substitute(cloud) for name, text in page.values.items()}
    blocks = readme.commands(DEPLOY / page.folder / "README.md", page.section)
    *before, ask = [readme.filled(one, values) for one in blocks]
    for block in before:
        root.shell(block)
    if page.console:
        root.shell(Template(f"console {' '.join(page.console)}").substitute(cloud))
    begun_s = time.monotonic()
    while not (told := root.shell(ask)).strip().startswith("{"):
        if time.monotonic() > begun_s + _WAIT_S:
            raise SystemExit(told)
        time.sleep(0.5)
    return told


if __name__ == "__main__":
    print(main(json.loads(os.environ["GIVEN"])), file=sys.stdout)
