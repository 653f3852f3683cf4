"""Ticks of timers."""

from __future__ import annotations

from sgguard.model.occurrence import Happened
from tests.events.samples import About, Samples
from tests.events.samples.alibaba_actiontrail import time_of

SAMPLES = Samples(
    made={
        Happened.DUE: lambda about: {
            "version": "v1.0",
            "time": time_of(about),
            "trigger_type": "TIMER",
            "trigger_name": "every-hour",
            "user_event": '{"message": "a secret"}',
        }
    },
    example=About("", "", ""),
    needed=("/time", "/trigger_name"),
)
