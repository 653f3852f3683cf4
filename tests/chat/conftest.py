"""A harness for each channel."""

from __future__ import annotations

import pytest

from sgguard.chat import handover
from tests.chat.harness import chat_harness
from tests.chat.services import SERVICES, WITH_BUTTONS


@pytest.fixture(params=WITH_BUTTONS)
def buttons(request, tmp_path):
    """Each channel whose messages have buttons that come back."""
    with chat_harness(request.param, tmp_path) as given:
        yield given


@pytest.fixture(params=list(SERVICES))
def chat(request, tmp_path):
    """Each channel."""
    with chat_harness(request.param, tmp_path) as given:
        yield given


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Clicks wait for their acts, however slow the machine is; their own tests say otherwise."""
    monkeypatch.setattr(handover, "WAIT_S", 60.0)
