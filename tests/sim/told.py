"""Stories in which somebody delivers what the outbox has: ``--kind told``.

They are the stories of their seeds, and workers that deliver beside everything else.
"""

from __future__ import annotations

import random

from tests.sim.story import Json, Story

_WHATS = ("kill", "kill-after", "freeze", "freeze-after", "lost", "throttle", "error")
_POINTS = ("any", "store-write", "cloud-write")


def add_told(story: Story, rng: random.Random) -> None:
    """Add workers that deliver, at the moments of other workers mostly."""
    story.tells = True
    moments = [float(one["at"]) for one in story.tasks]
    for number in range(rng.randint(2, 5)):
        at_s = rng.choice(moments) + rng.choice([0.0, rng.uniform(0, 1), rng.uniform(0, 5)])
        mishaps: list[list[object]] = []
        if rng.random() < 0.5:
            seconds = round(rng.choice([2.0, 20.0, rng.uniform(62, 90)]), 3)
            mishaps = [[rng.choice(_POINTS), rng.randint(1, 6), rng.choice(_WHATS), seconds]]
        made: Json = {"name": f"tell{number}", "kind": "tell", "at": round(at_s, 3)}
        story.tasks.append({**made, "mishaps": mishaps})
