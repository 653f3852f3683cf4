"""The same seed tells the same story, in every process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.generate import PROVIDERS, story_of
from tests.sim.run import run
from tests.sim.story import load

ROOT = Path(__file__).parents[2]
SEEDS = range(40, 42)
DIGEST = """
import logging
from sgguard.telemetry import logs
from tests.sim.test_same_story import digest
logs.LOGGER.setLevel(logging.CRITICAL)
print(digest())
"""


def digest() -> str:
    """Everything that happens in a few stories of every cloud, as one hash."""
    text = [
        "\n".join(run(story_of(provider, str(seed))).log)
        for provider in PROVIDERS
        for seed in SEEDS
    ]
    return hashlib.sha256("\n\n".join(text).encode()).hexdigest()


def test_a_story_does_not_depend_on_the_hashes_of_a_process():
    found = set()
    for seed in ("1", "77"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}"}
        ended = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        found.add(ended.stdout.strip())
    assert len(found) == 1
    assert all(found)


@pytest.mark.parametrize("provider", ["huawei", "tencent"])
def test_a_story_does_not_depend_on_those_told_before(provider):
    first = run(story_of(provider, "5")).log
    run(story_of(provider, "6"))
    assert run(story_of(provider, "5")).log == first


def test_a_story_that_was_kept_is_the_story_it_was(tmp_path):
    story = story_of("alibaba", "9")
    path = tmp_path / "story.json"
    path.write_text(story.to_json())
    assert load(path) == story
