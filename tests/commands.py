"""The command line in this process, and an approval request that is pending."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from sgguard.cli import cli, failure
from sgguard.emulator.server import serve
from sgguard.telemetry.logs import LOGGER
from tests.approvals.harness import KEY, ApprovalHarness, approval_harness

POLICY_FILE = """
mode = "approve"
[delete]
remedies = ["revoke", "unbind"]
[caps]
management_ports = []
[approval]
approvers = ["ada", "bob", "eve"]
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sgguard(capsys) -> Iterator[Run]:
    """Run a command; gives its exit code, standard output and standard error."""
    handlers, level, propagate = list(LOGGER.handlers), LOGGER.level, LOGGER.propagate

    def run(*args: str) -> tuple[int, str, str]:
        code = failure.run(cli, args)
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    LOGGER.handlers[:], LOGGER.propagate = handlers, propagate
    LOGGER.setLevel(level)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[ApprovalHarness]:
    """A cloud on loopback, a store, and the environment that leads a command to both."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY_FILE)
    with approval_harness("tencent", tmp_path) as made, serve(made.emulator) as cloud:
        # a command's own view of the store has the machine's clock
        made.clock.now_s = time.time()
        env = {
            **made.world.env,
            "SGGUARD_APPROVAL_KEY": KEY,
            "SGGUARD_STORE": made.url,
            "SGGUARD_POLICY": str(policy),
            "SGGUARD_ENDPOINT_TENCENT": cloud.url,
            "USER": "ada",
            "COLUMNS": "80",
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield made


def fits(text: str, width: int = 80) -> bool:
    """Say whether every line has room on the terminal."""
    return all(len(line) <= width for line in text.splitlines())
