"""Follows a page in a fresh root: run inside of namespaces of its own, by ``test_fresh_root.py``.

Nothing of this machine is in the root but the package that the page asks for (a virtual environment
and its Python, mounted to be read), and a stand-in for systemd, which does not run in a container:
it starts what the unit says, as a user without rights. nginx, curl and Python are the root's own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.deploy import readme

_SYSTEMCTL = r"""#!/usr/bin/python3
import os, pathlib, re, subprocess, sys
words = sys.argv[1:]
if words[0] == "reload":
    sys.exit(subprocess.call(["nginx"]))
assert words[:2] == ["enable", "--now"], words
stem, _, name = words[2].partition("@")
unit = pathlib.Path(f"/etc/systemd/system/{stem}@.service").read_text().replace("%i", name)
value = lambda key: re.findall(rf"^{key}=(.*)$", unit, re.M)
env = {"PATH": "/usr/bin:/bin"}
for path in value("EnvironmentFile"):
    for line in pathlib.Path(path).read_text().splitlines():
        key, _, text = line.partition("=")
        env[key] = text
for folder in value("StateDirectory"):
    place = pathlib.Path("/var/lib", folder)
    place.mkdir(mode=0o700, exist_ok=True)
    os.chown(place, 65534, 65534)
(command,) = value("ExecStart")
subprocess.Popen(
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command.split()],
    env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=open("/var/log/unit", "wb"),
    stderr=subprocess.STDOUT, start_new_session=True,
)
"""


def run(*command: str, check: bool = True, **more: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    if check and done.returncode:
        raise SystemExit(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Root:
    """The root, and a shell in it."""

    def __init__(self, folder: Path, shown: list[str]) -> None:
        self.folder = folder
        for one in shown:  # the same places inside, to be read only
            place = folder / one.lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            run("mount", "--bind", one, str(place))
        for name, kind in (("proc", "proc"), ("dev", "devtmpfs")):
            done = run("mount", "-t", kind, name, str(folder / name), check=False)
            if done.returncode:
                run("mount", "--bind", f"/{name}", str(folder / name))

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        place = self.folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def shell(self, script: str, **env: str) -> str:
        variables = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **env}
        command = ["chroot", str(self.folder), "/bin/sh", "-euc", f"cd /root/deploy\n{script}"]
        return run(*command, env=variables, timeout=300).stdout


def emulator(python: str) -> dict[str, str]:
    """Start the clouds on this namespace's loopback; return what leads to them."""
    process = subprocess.Popen(
        [python, "-m", "sgguard", "emulate", "--port", "9000"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found: dict[str, str] = json.loads(process.stdout.readline())["env"]
    return found


def certificate(root: Root) -> None:
    """Put the certificate where the page says that it is, and let the root's curl trust it."""
    tls = root.folder / "etc/sgguard/tls"
    tls.mkdir(parents=True)
    name = ("-subj", "/CN=guard.example", "-addext", "subjectAltName=DNS:guard.example")
    files = ("-keyout", str(tls / "key.pem"), "-out", str(tls / "cert.pem"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, *files)
    bundle = root.folder / "etc/ssl/certs/ca-certificates.crt"
    bundle.write_text(bundle.read_text() + (tls / "cert.pem").read_text())
    root.write("/etc/hosts", "127.0.0.1 localhost guard.example\n")


def main(given: dict[str, str]) -> str:
    """Follow the page, and return the first decision."""
    run("ip", "link", "set", "lo", "up")
    root = Root(Path(given["root"]), json.loads(given["shown"]))
    cloud = emulator(given["python"])
    for path in Path(given["page"]).parent.iterdir():
        root.write(f"/root/deploy/{path.name}", path.read_text())
    root.write("/usr/local/bin/systemctl", _SYSTEMCTL, 0o755)
    # What was downloaded before is enough: there is no network here.
    root.write(
        "/usr/local/bin/sgguard",
        f'#!/bin/sh\n[ "$1" = package ] && set -- "$@" --offline\n'
        f'XDG_CACHE_HOME={given["cache"]} exec {given["python"]} -m sgguard "$@"\n',
        0o755,
    )
    certificate(root)
    build, configure, start, ask = readme.commands(Path(given["page"]))
    root.shell(build)
    # "sgguard callers new portal prints a secret and the row for policy.toml"
    told = root.shell("sgguard callers new portal")
    (secret,) = re.findall(r"^sgg_\S+$", told, re.MULTILINE)
    (row,) = re.findall(r"^proof = .*$", told, re.MULTILINE)
    policy = (root.folder / "root/deploy/policy.toml").read_text()
    root.write("/root/deploy/policy.toml", re.sub(r"(?m)^proof = .*$", row, policy))
    root.shell(readme.filled(configure, cloud))
    # The one thing that no reader does: the cloud is the emulator.
    endpoint = f"SGGUARD_ENDPOINT_TENCENT={cloud['SGGUARD_ENDPOINT_TENCENT']}\n"
    with (root.folder / "etc/sgguard/sgguard.env").open("a") as file:
        file.write(endpoint)
    root.shell(start)
    begun_s = time.monotonic()
    while True:
        answer = root.shell(ask, KEY=secret)
        if answer.startswith("{"):
            return answer
        if time.monotonic() > begun_s + 60:
            log = root.folder / "var/log/unit"
            raise SystemExit(f"{answer}\n{log.read_text() if log.exists() else 'not started'}")
        time.sleep(0.5)


if __name__ == "__main__":
    print(main(json.loads(os.environ["GIVEN"])), file=sys.stdout)
