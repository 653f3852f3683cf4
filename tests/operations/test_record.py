"""Recorded facts are files that users keep: their keys outlive the names in the code."""

from __future__ import annotations

import json

import pytest

from sgguard.operations import replay
from tests.guards.builders import facts, group, planned


@pytest.mark.parametrize(
    "of", [facts(group("sg-1")), planned(group(count=1))], ids=["delete", "launch"]
)
def test_a_record_keeps_the_key_that_earlier_versions_read(of, tmp_path):
    recorded = json.loads(replay.record(of))
    assert "traits" in recorded["facts"]
    assert "capabilities" not in recorded["facts"]
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(recorded), encoding="utf-8")
    assert replay.replay(path) == of
