"""The runtimes that artifacts are built for: their Python, their C library, and how they start.

Versions of Python are those that the platforms document (read 2026-11-28) and this package runs
on, the default first: Alibaba FC has 3.12 for event functions and 3.11 in ``custom.debian12``,
FunctionGraph 3.12, Cloud Run functions 3.11 to 3.13. Tencent's page of 2025-01-03 ends with 3.10,
on which this package does not run; 3.11 is used in the open (``/var/lang/python311``). Where a
region has none of them, the runtime ``oci`` is the way.
"""

from __future__ import annotations

import msgspec

from sgguard import hiding
from sgguard.errors import InputError
from sgguard.packaging import entry

MIB = 1024 * 1024


@hiding("entries")
class Runtime(msgspec.Struct, frozen=True):
    """One runtime.

    ``pythons`` has what it offers, the default first; ``glibc`` the newest version that a wheel
    may need. ``entries`` are the templates of the files that start the function, by their name in
    the artifact. ``is_server`` tells whether a web server goes with it; ``zip_max_bytes`` is what
    the platform takes at most; an image (``is_image``) is packed as a layer.
    """

    name: str
    what: str
    platform: str
    pythons: tuple[str, ...]
    glibc: tuple[int, int]
    entries: dict[str, str]
    is_server: bool
    zip_max_bytes: int
    handler: str
    host: str = ""
    port: int = 0
    interpreter: str = ""
    is_image: bool = False

    @property
    def leaves_out(self) -> frozenset[str]:
        """Distributions that functions-framework asks for, and that are not imported here."""
        if self.name == "google-cloud-run":
            return frozenset()  # its own command starts the function
        return _ASYNC if self.is_server else _ASYNC | {"gunicorn"}


_ASYNC = frozenset({"starlette", "uvicorn", "uvicorn-worker", "watchdog"})
"""For functions of another colour, and for a reloader."""

_ALL = (
    Runtime(
        "tencent-scf-event",
        "an event function of Tencent Cloud SCF",
        "tencent_scf",
        ("3.11", "3.12", "3.13"),
        (2, 17),
        {"index.py": entry.HANDLER},
        is_server=False,
        zip_max_bytes=50 * MIB,
        handler="index.main_handler",
    ),
    Runtime(
        "tencent-scf-web",
        "a web function of Tencent Cloud SCF",
        "tencent_scf",
        ("3.11", "3.12", "3.13"),
        (2, 17),
        {"scf_bootstrap": entry.BOOTSTRAP, "server.py": entry.SERVER},
        is_server=True,
        zip_max_bytes=50 * MIB,
        handler="scf_bootstrap",
        host="0.0.0.0",  # noqa: S104 - the platform asks for it
        port=9000,
        interpreter="/var/lang/python{digits}/bin/python{python}",
    ),
    Runtime(
        "alibaba-fc-event",
        "an event function of Alibaba Cloud FC 3",
        "alibaba_fc",
        ("3.12",),
        (2, 31),
        {"index.py": entry.HANDLER},
        is_server=False,
        zip_max_bytes=100 * MIB,
        handler="index.handler",
    ),
    Runtime(
        "alibaba-fc-custom",
        "a function of Alibaba Cloud FC 3 on the runtime custom.debian12",
        "alibaba_fc",
        ("3.11",),
        (2, 36),
        {"bootstrap": entry.BOOTSTRAP, "server.py": entry.SERVER},
        is_server=True,
        zip_max_bytes=100 * MIB,
        handler="bootstrap",
        host="0.0.0.0",  # noqa: S104 - the platform asks for it
        port=9000,
        interpreter="/usr/bin/python{python}",
    ),
    Runtime(
        "huawei-functiongraph-event",
        "an event function of Huawei Cloud FunctionGraph",
        "huawei_functiongraph",
        ("3.12",),
        (2, 17),
        {"index.py": entry.HANDLER},
        is_server=False,
        zip_max_bytes=40 * MIB,
        handler="index.handler",
    ),
    Runtime(
        "huawei-functiongraph-http",
        "an HTTP function of Huawei Cloud FunctionGraph, behind APIG",
        "huawei_functiongraph",
        ("3.12",),
        (2, 17),
        {"bootstrap": entry.BOOTSTRAP, "server.py": entry.SERVER},
        is_server=True,
        zip_max_bytes=40 * MIB,
        handler="bootstrap",
        host="127.0.0.1",
        port=8000,
        interpreter="/opt/function/runtime/python{python}/rtsp/python/bin/python3",
    ),
    Runtime(
        "google-cloud-run",
        "a function of Google Cloud Run",
        "container",
        ("3.12", "3.11", "3.13"),
        (2, 35),
        {"main.py": entry.FRAMEWORK},
        is_server=True,
        zip_max_bytes=100 * MIB,
        handler="the function's name",
    ),
    Runtime(
        "linux",
        "a service of a Linux machine behind a proxy, such as systemd and nginx",
        "container",
        ("3.11", "3.12", "3.13"),
        (2, 28),
        {"server.py": entry.SERVER},
        is_server=True,
        zip_max_bytes=100 * MIB,
        handler="server.py",
        host="127.0.0.1",
        port=8080,
    ),
)

_IMAGES = (
    Runtime(
        name,
        f"a container {where}",
        platform,
        ("3.11", "3.12", "3.13"),
        (2, 36),
        {"server.py": entry.SERVER},
        is_server=True,
        zip_max_bytes=100 * MIB,
        handler="server.py",
        host="0.0.0.0",  # noqa: S104 - a container is reached from outside
        port=port,
        is_image=True,
    )
    for name, where, platform, port in (
        ("oci", "that brings its own settings: Knative, Cloud Run, podman", "container", 8080),
        ("tencent-scf-image", "that Tencent Cloud SCF starts", "tencent_scf", 9000),
        ("alibaba-fc-image", "that Alibaba Cloud FC 3 starts", "alibaba_fc", 9000),
        (
            "huawei-functiongraph-image",
            "that Huawei Cloud FunctionGraph starts",
            "huawei_functiongraph",
            8000,
        ),
    )
)

RUNTIMES = {one.name: one for one in (*_ALL, *_IMAGES)}


class Target(msgspec.Struct, frozen=True):
    """What is built for: a runtime and one of its Pythons."""

    runtime: Runtime
    python: str

    @property
    def digits(self) -> str:
        """The version as tags write it: ``311``."""
        return self.python.replace(".", "")


def target(name: str, python: str = "") -> Target:
    """Return the target of a runtime's name; without a Python it is the runtime's first.

    Raises:
        InputError: there is no such runtime, or it has no such Python.
    """
    if name not in RUNTIMES:
        raise InputError(f"there is no runtime {name!r}: expected one of {', '.join(RUNTIMES)}")
    runtime = RUNTIMES[name]
    if python and python not in runtime.pythons:
        raise InputError(
            f"{name} has no Python {python} that sgguard runs on: "
            f"expected one of {', '.join(runtime.pythons)}"
        )
    return Target(runtime, python or runtime.pythons[0])


def entry_files(one: Target, function: str, policy_name: str = "") -> dict[str, bytes]:
    """Return the files that start a function; with a policy they name the one in the artifact."""
    runtime = one.runtime
    settings = (
        f'os.environ.setdefault("SGGUARD_POLICY", os.path.join(HERE, "{policy_name}"))\n'
        if policy_name
        else ""
    )
    words = {
        "function": function,
        "name": runtime.name,
        "what": runtime.what,
        "platform": runtime.platform,
        "settings": settings,
        "entry": runtime.handler.rpartition(".")[2],
        "host": runtime.host,
        "port": runtime.port,
        "interpreter": runtime.interpreter.format(digits=one.digits, python=one.python),
    }
    return {name: text.format(**words).encode() for name, text in runtime.entries.items()}
