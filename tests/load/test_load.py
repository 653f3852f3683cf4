"""200 deliveries at once, a slow cloud that fails, an end in the middle: nothing wrong or lost."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import pytest

from sgguard.emulator.server import serve
from tests import stores
from tests.broker import cloud as kept
from tests.load import run
from tests.load.deployment import Deployed
from tests.load.scene import scene, weather

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("SGGUARD_LOAD_S", "600"))
SOAK_S = 300.0
"""From here on memory and descriptors are compared: before, everything still warms up."""


@dataclass
class Watched:
    """Ends the function in the middle, begins it again, and looks at what it holds."""

    function: Deployed
    seconds: float
    samples: list[tuple[int, int]] = field(default_factory=list)
    ended: int = 0

    def __call__(self) -> None:
        begun_s = time.monotonic()
        at = {0.3: self.restart, **{part / 20: self.sample for part in range(8, 20)}}
        for part, act in sorted(at.items()):
            time.sleep(max(0.0, begun_s + part * self.seconds - time.monotonic()))
            act()

    def restart(self) -> None:
        self.function.terminate()
        self.ended += 1
        self.function.start()

    def sample(self) -> None:
        self.samples.append(self.function.held())


def is_flat(samples: Sequence[int], spare: int) -> bool:
    """Whether the last quarter holds no more than the first: one sample may be a moment's."""
    part = max(1, len(samples) // 4)
    return median(samples[-part:]) < median(samples[:part]) * 1.15 + spare


def test_nothing_is_wrong_lost_or_doubled(postgres_server, tmp_path, capsys):
    made = scene(revoked=40)
    cloud = weather(made)
    with (
        stores.place("postgres", tmp_path, postgres_server) as place,
        serve(cloud) as api,
        kept.decided(place.url) as rows,
    ):
        kept.migrated(place.url)
        function = Deployed(run.environment(made, api.url, place.url, tmp_path))
        watched = Watched(function, SECONDS)
        function.start()
        try:
            lines = run.send(made, [function.url], run.Load(SECONDS), watched)
        finally:
            function.kill()
        found = run.Found(lines, rows())
    wrong = run.flaws(made, cloud, found)
    p50, p99 = found.times_ms()
    kib, descriptors = zip(*watched.samples, strict=True)
    again = sum(line["attempts"] - 1 for line in lines)
    with capsys.disabled():
        print(
            f"\n{len(lines)} deliveries of {len(found.rows)} events in {SECONDS:.0f} s, "
            f"{again} sent again; p50 {p50:.0f} ms, p99 {p99:.0f} ms; {cloud.calls} calls, "
            f"{cloud.failed} failed; {min(kib) >> 10} to {max(kib) >> 10} MiB, "
            f"{min(descriptors)} to {max(descriptors)} descriptors"
        )
    assert wrong == [], Counter(str(line["reasons"]) for line in lines)
    assert watched.ended == 1
    assert len(lines) > len(found.rows), "nothing was sent twice"
    assert cloud.failed > 0
    if SECONDS >= SOAK_S:
        assert is_flat(kib, spare=10 * 1024), watched.samples
        assert is_flat(descriptors, spare=40), watched.samples
