"""A PostgreSQL server of our own, from the distribution's package, for tests and benches."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sgguard.demo.processes import free_port


def programs() -> Path | None:
    """The folder with initdb and pg_ctl: Debian's newest, or whatever the path has."""
    folders = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name))
    found = shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


def why_not() -> str:
    """What is missing for a server; nothing if none is."""
    if programs() is None:
        return "no PostgreSQL server here: apt-get install postgresql"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


class Server:
    """One server on a port of the loopback and a socket in its own folder."""

    def __init__(self, folder: Path, options: str) -> None:
        self.folder = folder
        self.options = options
        self.port = free_port()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres:s3cret-pw@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database: str = "postgres") -> str:
        """The same on the socket, on which less is done for each message than on the loopback."""
        return f"postgresql://postgres:s3cret-pw@/{database}?host={self.folder}&port={self.port}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, as a user it accepts."""
        command = [str(programs() / program), *arguments]
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            command = ["setpriv", *ids, *command]
        # What is inherited by the server must not be a pipe, or nobody sees its end.
        with (self.folder / "said").open("w+") as said:
            ended = subprocess.run(
                command,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=60,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            )
            said.seek(0)
            assert ended.returncode == 0, said.read()

    def begin(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} {self.options}"
        self.run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def end(self, how: str = "fast") -> None:
        self.run("pg_ctl", "-D", "data", "-m", how, "-w", "stop")


@contextmanager
def server(options: str = "") -> Iterator[Server]:
    """Run a server with these options as long as the context lasts; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="sgguard-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        (folder / "password").write_text("s3cret-pw")
        (folder / "password").chmod(0o644)
        made = Server(folder, options)
        made.run(
            *("initdb", "-D", "data", "-U", "postgres", "-E", "UTF8", "--no-sync"),
            *("--auth=scram-sha-256", "--pwfile=password"),
        )
        made.begin()
        try:
            yield made
        finally:
            made.end("immediate")
    finally:
        shutil.rmtree(folder)
