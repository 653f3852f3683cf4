"""Scenarios: emulated clouds, the events to send to a function and the decisions they must give.

A scenario is a TOML file::

    title = "What it is about"

    [env]                       # environment of a client; {url} is the emulator's address
    TENCENTCLOUD_SECRET_ID = "…"

    [policies.repair.delete]    # policies by name, as a policy file would state them
    remedies = ["revoke"]

    [[clouds]]                  # see sgguard.emulator.state.Cloud
    provider = "tencent"

    [[events]]                  # a request and the decision expected
    function = "delete_request"
    title = "A web tier that other groups still reference"
    data = { target = "tencent::ap-guangzhou:sg-5ua9adfv" }
    expect = { verdict = "block", reasons = ["referenced"] }
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from sgguard.emulator.core import require_known
from sgguard.emulator.resource import build
from sgguard.emulator.state import State

VERDICTS = ("allow", "block", "remediate")
DELIVERIES = ("structured", "binary", "bare")

_BUILT_IN = resources.files("sgguard.emulator") / "scenarios"


@dataclass(slots=True)
class Expect:
    """The expected response: the HTTP status, and for 200 the verdict and its reason codes.

    ``reasons`` are exactly the codes of the reasons that carry the verdict, in any order;
    reasons that merely explain (``info``) need not be listed. ``order`` is the order in which a
    set may be deleted, as group ids; empty when it does not matter. ``outcome`` is the code of
    what was done.
    """

    verdict: str = ""
    reasons: list[str] = field(default_factory=list)
    status: int = 200
    order: list[str] = field(default_factory=list)
    outcome: str = "unchanged"


@dataclass(slots=True)
class ScenarioEvent:
    """One event for one function, with the response it must give.

    ``delivery`` is its format: a ``structured`` or ``binary`` CloudEvent, or ``bare``.
    ``policy`` names one of the scenario's policies; empty is the default policy. ``is_shown``
    makes the demo print the whole decision with its graph; one that is not ``is_proven`` is sent
    without the proof of its caller.
    """

    function: str
    title: str
    data: Any
    expect: Expect
    delivery: str = "structured"
    policy: str = ""
    is_shown: bool = False
    is_proven: bool = True


@dataclass(slots=True)
class Scenario:
    """A whole scenario. ``clouds`` are kept as stated, ready for ``Emulator.load``."""

    title: str = ""
    env: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)
    clouds: list[Any] = field(default_factory=list)
    events: list[ScenarioEvent] = field(default_factory=list)

    def client_env(self, url: str) -> dict[str, str]:
        """Return the environment with which sgguard calls the emulator at ``url``, not a cloud."""
        names = [str(cloud["provider"]).upper().replace("-", "_") for cloud in self.clouds]
        endpoints = {f"SGGUARD_ENDPOINT_{name}": url for name in names}
        return endpoints | {name: value.replace("{url}", url) for name, value in self.env.items()}


def built_in() -> tuple[str, ...]:
    """Return the names of the built-in scenarios, sorted."""
    return tuple(sorted(p.name[:-5] for p in _BUILT_IN.iterdir() if p.name.endswith(".toml")))


def load(name: str | Path) -> Scenario:
    """Return a built-in scenario by name, or the one in a TOML file.

    Raises:
        ValueError: there is no such scenario, the file is not TOML, or something in it does not
            fit; the message names the file and the path inside it.
    """
    if str(name) in built_in():
        return parse((_BUILT_IN / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")
    try:
        text = Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(
            f"{name}: no such scenario ({error.strerror or error}): expected a TOML file or one of "
            f"{', '.join(built_in())}"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: not UTF-8 text: {error}") from error
    return parse(text, str(name))


def parse(text: str, file: str) -> Scenario:
    """Return the scenario a TOML text states; ``file`` is what errors call it.

    Raises:
        ValueError: it is not TOML, or not a valid scenario.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: not TOML: {error}") from error
    try:
        return _check(build(Scenario, raw, "scenario"))
    except ValueError as error:
        raise ValueError(f"{file}: {str(error).removeprefix('scenario.')}") from error


def _check(scenario: Scenario) -> Scenario:
    require_known(State.load({"clouds": scenario.clouds}))
    for name, policy in scenario.policies.items():
        if not isinstance(policy, Mapping):
            raise ValueError(f"policies.{name}: expected a table, got {policy!r}")  # noqa: TRY004
    for number, event in enumerate(scenario.events):
        _check_event(event, f"events[{number}]", scenario.policies)
    return scenario


def _check_event(event: ScenarioEvent, path: str, policies: Mapping[str, Any]) -> None:
    expect = event.expect
    if expect.status == 200 and expect.verdict not in VERDICTS:  # noqa: PLR2004 - HTTP's own
        raise ValueError(
            f"{path}.expect.verdict: expected one of {', '.join(VERDICTS)}, got {expect.verdict!r}"
        )
    if event.delivery not in DELIVERIES:
        raise ValueError(
            f"{path}.delivery: expected one of {', '.join(DELIVERIES)}, got {event.delivery!r}"
        )
    if event.policy and event.policy not in policies:
        known = ", ".join(policies) or "none is stated"
        raise ValueError(f"{path}.policy: expected one of {known}, got {event.policy!r}")
