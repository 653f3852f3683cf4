"""A rolling upgrade: functions of the version before and of this one on one store for a while."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import psycopg
import pytest

from sgguard.emulator.server import serve
from sgguard.store import open_store, schema
from tests import stores
from tests.broker import cloud as kept
from tests.broker.supervisor import until
from tests.load import previous, run
from tests.load.deployment import Deployed
from tests.load.scene import scene, weather

pytestmark = pytest.mark.slow

LOAD = run.Load(seconds=6.0, senders=12, twice=20.0)


@dataclass
class Rolling:
    """Ends one function after the other, in the middle of its work, and begins it as this version.

    Between the two, both versions work on one store.
    """

    functions: list[Deployed]
    url: str
    schemas: list[int] = field(default_factory=list)

    def __call__(self) -> None:
        for one in self.functions:
            time.sleep(LOAD.seconds / (len(self.functions) + 1))
            self.schemas.append(schema_of(self.url))
            one.terminate()
            one.package = None
            one.start()
            until(one.is_ready, "the new version is ready")


def schema_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        ((version,),) = connection.execute(schema.NEWEST).fetchall()
    return version


@pytest.mark.parametrize("name", ["released", "older schema", "same schema"])
def test_an_upgrade_under_load_loses_and_doubles_nothing(name, postgres_server, tmp_path):
    commit = previous.commits().get(name)
    if commit is None:
        pytest.skip("there is no such version in this repository's history")
    before = previous.package(commit, tmp_path)
    assert previous.is_imported_from(before)
    made = scene(revoked=12)
    cloud = weather(made, latency_s=0.01, part=2.0)
    with (
        stores.place("postgres", tmp_path, postgres_server) as place,
        serve(cloud) as api,
        kept.decided(place.url) as rows,
    ):
        brief = {"LEASE_S": "10", "SGGUARD_DEADLINE_S": "10", "WORKERS": "1", "THREADS": "12"}
        env = run.environment(made, api.url, place.url, tmp_path, **brief)
        functions = [Deployed(env, before), Deployed(env, before)]
        rolling = Rolling(functions, place.url)
        try:
            for one in functions:
                one.start()
            lines = run.send(made, [one.url for one in functions], LOAD, rolling)
        finally:
            for one in functions:
                one.kill()
        found = run.Found(lines, rows())
        store = open_store(place.url)
        assert not store.open_runs()
        store.close()
    assert run.flaws(made, cloud, found) == []
    once = {one["event"] for one in lines if one["event"].startswith("once")}
    assert len(once) == len(made.groups["revoked"])
    newest = len(schema.MIGRATIONS)
    assert rolling.schemas[1:] == [newest]
    assert (rolling.schemas[0] < newest) is (name == "older schema") or name == "released"
