"""The first event of a deployment: its own policy lets in what its trigger sends."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from sgguard.emulator.server import serve
from sgguard.runtimes import event
from sgguard.runtimes.platforms import alibaba_fc, huawei_functiongraph, tencent_scf
from tests.deploy import terraform
from tests.deploy.grants import DEPLOY
from tests.worlds import world_of

PLACES = {
    "tencent-scf": ("tencent", tencent_scf, "tencent-eventbridge", {}),
    "alibaba-fc": ("alibaba", alibaba_fc, "alibaba-eventbridge", SimpleNamespace()),
    "huawei-functiongraph": (
        "huawei",
        huawei_functiongraph,
        "huawei-functiongraph",
        SimpleNamespace(),
    ),
}


def sample(page: str) -> dict:
    """The event on a trigger's page."""
    text = (DEPLOY / "triggers" / f"{page}.md").read_text()
    return json.loads(text.split("<!-- sample: ")[1].split("```json\n")[1].split("```")[0])


def settings(folder: str) -> set[str]:
    """The variables that the deployment sets in what its platform encodes."""
    path = DEPLOY / folder / "main.tf"
    parts = terraform.encoded(path.read_text()) if path.exists() else ()
    return {
        name
        for argument, part in parts
        if argument == "user_data"
        for name in terraform.read(f"x = {part}\n")["x"]
    }


@pytest.mark.parametrize("folder", PLACES)
@pytest.mark.sampled(4)
def test_the_event_of_the_triggers_page_passes_the_policy_of_the_deployment(monkeypatch, folder):
    cloud, platform, page, context = PLACES[folder]
    world = world_of(cloud)
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("FUNCTION_TARGET", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("SGGUARD_POLICY", str(DEPLOY / folder / "policy.toml"))
    with serve(world.emulator()) as running:
        for name, value in world.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv(f"SGGUARD_ENDPOINT_{cloud.upper()}", running.url)
        for name in settings(folder):
            if name.endswith("_REGION"):
                monkeypatch.setenv(name, world.region)
        answer = event.Handler("cloud_event", platform)(sample(page), context)
    assert answer["type"] == "sgguard.cloud_event.v1", answer
    assert answer["happened"] != "irrelevant"
    assert answer["groups"] or answer["instances"]
