"""Further dimensions of random Alibaba clouds: each changes a finished cloud, as `Kind.quirks`.

Each returns whether the cloud now hides from its readers something that a right verdict of theirs
would need; a block is then no fault.
"""

from __future__ import annotations

from sgguard.emulator.state import Cloud
from tests.false_verdicts.kinds import ALIBABA
from tests.false_verdicts.random_source import RandomSource


def denied(rng: RandomSource, cloud: Cloud) -> bool:
    """Queries without permission are answered with an empty list, on every kind of server."""
    cloud.accounts[0].denied = rng.some(ALIBABA.actions, 1, 3)
    cloud.quirks["denied_queries"] = rng.choice(["empty", "empty", "forbidden"])
    if rng.chance(0.3):
        cloud.quirks["dry_run"] = "absent"
    if rng.chance(0.3):
        cloud.quirks["address_count"] = "absent"
    return True


def hidden(rng: RandomSource, cloud: Cloud) -> bool:
    """A policy by tag hides instances and interfaces; the groups count their addresses."""
    del rng
    cloud.quirks["hidden_instances"] = [one.id for one in cloud.instances]
    cloud.quirks["hidden_interfaces"] = [one.id for one in cloud.interfaces]
    return True


def paged(rng: RandomSource, cloud: Cloud) -> bool:
    """Page numbers are retired, and the last page has no token at all."""
    cloud.quirks["paging"] = "tokens"
    cloud.quirks["omits_empty_token"] = rng.chance(0.7)
    return False


DIMENSIONS = (denied, hidden, paged)
