"""Stories of binds and clicks: ``--kind bind``.

A few groups are put on a few instances, or taken off them, by events that meet: on the same
holders, beside a delete of the very group, with little time, so that the rest is handed on. Whoever
delivers goes on with it. In some of them a person is asked, and answers by a button in a chat.
"""

from __future__ import annotations

import random

from tests.sim.features import changed
from tests.sim.story import Json, Story

FEATURES = (
    "deaths",
    "freezes",
    "store errors",
    "lost answers",
    "throttles",
    "clicks",
    "editors",
    "deletes",
    "duplicates",
    "little time",
    "limits",
    "unbinds",
    "halts",
    "policies",
    "clocks",
    "keepers",
    "operators",
    "launches",
    "aliases",
)
THEMES = (
    ("deaths", "little time"),
    ("deaths", "duplicates", "little time"),
    ("freezes", "duplicates"),
    ("freezes", "little time", "operators"),
    ("store errors", "duplicates"),
    ("store errors", "little time"),
    ("lost answers", "editors"),
    ("lost answers", "deaths", "little time"),
    ("throttles", "little time"),
    ("clicks", "deaths"),
    ("clicks", "freezes", "little time"),
    ("clicks", "store errors"),
    ("clicks", "editors"),
    ("deletes", "freezes"),
    ("deletes", "deaths", "little time"),
    ("limits", "freezes"),
    ("limits", "unbinds"),
)
_SHARE = 0.15
_SHARE_MOVED = 0.4
_SHARE_UNDONE = 0.3
_POINTS = {
    "any": range(1, 50),
    "store-write": (1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12),
    "cloud-write": (1, 1, 2, 3, 4, 5),
}
_WHATS = {
    "deaths": ("any", ["kill", "kill-after"]),
    "freezes": ("any", ["freeze", "freeze-after", "pause"]),
    "store errors": ("store-write", ["error", "lost"]),
    "lost answers": ("cloud-write", ["lost"]),
    "throttles": ("any", ["throttle", "error"]),
}


def story_of_binds(provider: str, seed: str) -> Story:
    """The story of binds of that seed."""
    return _Writer(provider, seed).story


def _is_bind(task: Json) -> bool:
    event = task["events"][0]
    return "group" in event and event.get("action") != "unbind"


class _Writer:
    def __init__(self, provider: str, seed: str) -> None:
        self.rng = random.Random(f"sim binds {provider} {seed}")
        self.story = Story(provider, seed, tells=True, binds=True)
        self.has = set(self.rng.sample(FEATURES, self.rng.randint(0, 3)))
        if self.rng.random() < 0.7:
            self.has |= set(self.rng.choice(THEMES))
        self.moments = [
            self.rng.uniform(0.5, 4),
            self.rng.uniform(61, 66),
            self.rng.uniform(70, 95),
        ]
        self._cloud()
        self._policies()
        self._timing()
        self._events()
        self._people()
        self._others()
        self._carriers()
        for task in self.story.tasks:
            task.setdefault("mishaps", self._mishaps(task))
        self._taken_over(random.Random(f"sim binds rare {provider} {seed}"))
        self._moved_to(random.Random(f"sim binds move {provider} {seed}"))
        self._undone(random.Random(f"sim binds undo {provider} {seed}"))
        self._frozen_before_it_locks(random.Random(f"sim binds lock {provider} {seed}"))

    # -- the cloud -------------------------------------------------------------------------

    def _cloud(self) -> None:
        rng, story = self.rng, self.story
        self.names = [f"g{n}" for n in range(rng.randint(3, 5))]
        for name in self.names:
            peers = [one for one in self.names if one != name]
            rules = [["ingress", "22", ""]] if rng.random() < 0.5 else []
            if rng.random() < 0.3:
                rules.append(["ingress", "80", rng.choice(peers)])
            story.groups[name] = rules
        for number in range(rng.randint(2, 6)):
            story.holders[f"h{number}"] = ["g0", *rng.sample(self.names[1:], rng.choice([0, 0, 1]))]
        if "limits" in self.has:
            story.limits = {"groups": rng.randint(2, 3), "holders": rng.randint(2, 4)}
            if rng.random() < 0.5:
                story.limits.pop(rng.choice(list(story.limits)))
            if rng.random() < 0.3:  # the cloud permits no more either
                self._ceilings()
        if story.provider == "tencent":
            story.quirks["binds_at_most"] = rng.choice([1, 2, 2, 3, 100])
            story.quirks["binding_s"] = rng.choice([0, 0, 1, 3])

    def _ceilings(self) -> None:
        limits, found = self.story.limits, self.story.ceilings
        for name in ("groups-per-instance", "groups-per-interface"):
            if "groups" in limits:
                found[name] = limits["groups"]
        for name in ("instances-per-group", "interfaces-per-group"):
            if "holders" in limits:
                found[name] = limits["holders"]

    def _policies(self) -> None:
        rng = self.rng
        policy: Json = {"remedies": ["revoke", "unbind"], "mode": "enforce"}
        if "clicks" in self.has:
            policy["mode"] = "approve"
        elif rng.random() < 0.03:
            policy["mode"] = "observe"
        if rng.random() < 0.5:
            policy["remedies"] = ["revoke", "move"]
            policy["fallback_group"] = rng.choice(self.names)
        if "limits" in self.has and rng.random() < 0.2:
            policy["most_holders"] = rng.randint(1, 3)
        if "launches" in self.has:
            policy["launch_remedies"] = ["bind"]
            policy["baseline"] = [rng.choice(self.names)]
        self.story.policies["p0"] = policy
        if "policies" in self.has:
            self.story.policies["p1"] = changed(policy, rng)

    def _timing(self) -> None:
        rng, story = self.rng, self.story
        story.latency_s = (rng.choice([0.002, 0.02, 0.1]), rng.choice([0.02, 0.1, 0.2]))
        story.deadline_s = rng.choice([10.0, 30.0])
        if "little time" in self.has:
            story.latency_s = (rng.choice([0.02, 0.1]), rng.choice([0.2, 0.4, 0.6]))
            story.deadline_s = rng.choice([4.0, 5.0, 6.0, 8.0])
        story.shuffle = rng.random() < 0.5
        story.end = rng.choice(["approve", "deny", "expire"])
        if "aliases" in self.has:
            story.account = "main"

    # -- what is asked ---------------------------------------------------------------------

    def _events(self) -> None:
        rng = self.rng
        # What events have in common: a group, or holders, mostly.
        self.favourite = rng.choice(self.names[1:])
        self.events = [self._bind(number) for number in range(rng.randint(1, 3))]
        for number, event in enumerate(self.events):
            self._task(f"d{number}", "deliver", self._soon(), events=[event])
        if "deletes" in self.has or rng.random() < 0.15:
            for number in range(rng.randint(1, 2)):
                target = self.favourite if rng.random() < 0.7 else rng.choice(self.names)
                event = self._with_account({"id": f"x{number}", "targets": [target], "by": "bob"})
                self.events.append(event)
                self._task(f"x{number}", "deliver", self._soon(), events=[event])
        if "launches" in self.has:
            event = {"id": "l0", "holder": rng.choice(list(self.story.holders)), "by": "bob"}
            self.events.append(event)
            self._task("l0", "deliver", self._soon(), events=[event])
        if "duplicates" in self.has:
            for number in range(rng.randint(1, 2)):
                at_s = rng.choice([self._soon(), self._later(), self._later()])
                self._task(f"a{number}", "deliver", at_s, events=[rng.choice(self.events)])

    def _bind(self, number: int) -> Json:
        rng = self.rng
        group = self.favourite if rng.random() < 0.7 else rng.choice(self.names[1:])
        known = list(self.story.holders)
        holders = rng.sample(known, rng.randint(1, len(known)))
        if rng.random() < 0.15:
            holders.insert(rng.randint(0, len(holders)), "h9")  # there is no such instance
        event: Json = {"id": f"e{number}", "group": group, "holders": holders}
        event["by"] = rng.choice(["alice", "bob"])
        if "unbinds" in self.has and rng.random() < 0.5:
            event["action"] = "unbind"
        return self._with_account(event)

    def _with_account(self, event: Json) -> Json:
        if "aliases" in self.has and self.rng.random() < 0.5:
            event["account"] = "main"
        return event

    def _soon(self) -> float:
        return self.rng.choice([0.0, self.rng.uniform(0, 0.5), self.rng.uniform(0, 4)])

    def _later(self) -> float:
        return self.rng.choice(self.moments) + self.rng.choice([0.0, self.rng.uniform(0, 4)])

    def _task(self, name: str, kind: str, at_s: float, **more: object) -> None:
        self.story.tasks.append({"name": name, "kind": kind, "at": round(at_s, 3), **more})

    # -- people ----------------------------------------------------------------------------

    def _people(self) -> None:
        rng = self.rng
        if "clicks" not in self.has:
            return
        for number in range(rng.randint(1, 3)):
            action = rng.choice(["approve", "approve", "approve", "deny"])
            more: Json = {"action": action, "by": rng.choice(["olga", "olga", "otto", "eve"])}
            if rng.random() < 0.3:
                more["stops"] = True
            if rng.random() < 0.2:
                more["stale"] = True
            self._task(f"c{number}", "click", self._later(), **more)
            task = self.story.tasks[-1]
            task["thread_mishaps"] = self._mishaps(task)
            if rng.random() < 0.3:  # the service sends it once more
                at_s = round(task["at"] + rng.choice([0.5, 3.0, 70.0]), 3)
                again = {"name": f"c{number}b", "at": at_s, "again": f"c{number}", "mishaps": []}
                self.story.tasks.append({**task, **again})
        if rng.random() < 0.3:
            self._task("p0", rng.choice(["approve", "deny"]), self._later())

    def _others(self) -> None:
        rng = self.rng
        if "editors" in self.has:
            for number in range(rng.randint(1, 3)):
                self._edit(f"edit{number}")
        if "halts" in self.has:
            at_s = rng.uniform(0, 5)
            self._task("stop", "halt", at_s)
            self._task("lift", "lift", at_s + rng.choice([1.0, 30.0, 100.0]))
        if "policies" in self.has:
            self._task("deploy", "policy", rng.uniform(0, 6), to="p1")
        if "clocks" in self.has:
            seconds = rng.choice([-30.0, 90.0, 400.0])
            self._task("clock", "clock", rng.uniform(0, 5), seconds=seconds)
        if "operators" in self.has:
            kind = rng.choice(["resume", "resume", "undo", "accept"])
            self._task("ops", kind, self._later(), **({"any": True} if kind == "accept" else {}))
        if "keepers" in self.has:
            kind = rng.choice(["purge", "restart"])
            self._task("keeper", kind, self._later(), **({"age": 0.5} if kind == "purge" else {}))

    def _edit(self, name: str) -> None:
        rng = self.rng
        whats = ["bind", "unbind", "unbind", "delete-group", "remove-holder", "add-rule"]
        what = rng.choice(whats)
        more: Json = {"what": what, "group": self.favourite}
        if what == "add-rule":
            more |= {"peer": "", "ports": "22"}
        if what in ("bind", "unbind", "remove-holder"):
            more["holder"] = rng.choice(list(self.story.holders))
        at_s = rng.choice([rng.uniform(0, 4), self._later()])
        self._task(name, "edit", at_s, **more)

    # -- who delivers ----------------------------------------------------------------------

    def _carriers(self) -> None:
        """Let somebody deliver when something else happens, or soon after a delivery's time."""
        rng = self.rng
        moments = [float(one["at"]) for one in self.story.tasks]
        for number in range(rng.randint(1, 4)):
            delay_s = rng.choice([0.0, rng.uniform(0, 4), self.story.deadline_s, 61.0, 66.0])
            kind = "go-on" if rng.random() < 0.15 else "tell"
            more = {"awake": True} if kind == "tell" and rng.random() < 0.5 else {}
            at_s = rng.choice(moments) + delay_s + rng.uniform(0, 1)
            self._task(f"tell{number}", kind, at_s, **more)

    def _taken_over(self, rng: random.Random) -> None:
        """Freeze a worker, in a few stories, until another one is at its bind: rare by itself."""
        calm = [one for one in self.story.tasks if one["kind"] == "deliver" and not one["mishaps"]]
        calm = [one for one in calm if "group" in one["events"][0]]
        if not calm or rng.random() > _SHARE:
            return
        one, seconds = rng.choice(calm), round(rng.uniform(62, 80), 3)
        what = rng.choice(["freeze", "freeze-after", "pause"])
        one["mishaps"] = [["store-write", rng.randint(3, 7), what, seconds]]
        at_s = round(one["at"] + seconds - rng.uniform(-0.5, 3), 3)
        again = {"name": "again", "kind": "deliver", "at": at_s, "events": one["events"]}
        self.story.tasks.append({**again, "mishaps": []})

    def _moved_to(self, rng: random.Random) -> None:
        """Move holders to a group while it is bound, in a few stories with a ceiling for it."""
        binds = [one for one in self.story.tasks if one["kind"] == "deliver" and _is_bind(one)]
        if "holders" not in self.story.limits or not binds or rng.random() > _SHARE_MOVED:
            return
        bind = rng.choice(binds)
        group = bind["events"][0]["group"]
        going = rng.choice([one for one in self.names[1:] if one != group])
        carried = self.story.holders[rng.choice(list(self.story.holders))]
        if going not in carried:
            carried.append(going)
        for policy in self.story.policies.values():
            policy |= {"remedies": ["revoke", "move"], "fallback_group": group}
        event = {"id": "m0", "targets": [going], "by": "bob"}
        at_s = bind["at"] + rng.choice([0.0, rng.uniform(0, 0.5)])
        self._task("m0", "deliver", at_s, events=[event], mishaps=[])

    def _undone(self, rng: random.Random) -> None:
        """Let an operator undo a bind, in some stories: he is shown it, and thinks it over."""
        if rng.random() > _SHARE_UNDONE:
            return
        for number in range(rng.choice([1, 1, 2])):
            at_s = rng.choice([rng.uniform(1, 6), rng.choice(self.moments) + rng.uniform(0, 4)])
            waits_s = rng.choice([0.0, rng.uniform(0, 2), rng.uniform(2, 8)])
            mishaps = []
            if rng.random() < 0.4:
                what = rng.choice(["kill", "kill-after", "freeze", "freeze-after", "error", "lost"])
                points = "cloud-write" if rng.random() < 0.3 else "store-write"
                seconds = round(rng.uniform(60, 90), 3) if what.startswith("freeze") else 0.0
                mishaps = [[points, rng.randint(1, 9), what, seconds]]
            more = {"waits": round(waits_s, 3), "which": rng.randint(0, 3), "mishaps": mishaps}
            self._task(f"undo{number}", "undo-bind", at_s, **more)
            if rng.random() < 0.6:
                self._bound_again(rng, number, at_s, waits_s)

    def _frozen_before_it_locks(self, rng: random.Random) -> None:
        """Bind two groups to one holder, in a few stories with a ceiling: one waits, judged."""
        if "groups" not in self.story.limits or rng.random() > _SHARE_MOVED:
            return
        holder, at_s = rng.choice(list(self.story.holders)), rng.uniform(0, 3)
        frozen = ["store-write", 2, "freeze", rng.choice([2.0, 20.0])]
        for number, group in enumerate(rng.sample(self.names[1:], 2)):
            event = {"id": f"f{number}", "group": group, "holders": [holder], "by": "bob"}
            mishaps = [] if number else [frozen]
            self._task(
                f"f{number}", "deliver", at_s + 0.5 * number, events=[event], mishaps=mishaps
            )

    def _bound_again(self, rng: random.Random, number: int, at_s: float, waits_s: float) -> None:
        """Let others take off what is put on, and put it on again, while he thinks."""
        first = next(one for one in self.events if "group" in one)
        other = {"bind": "unbind", "unbind": "bind"}[first.get("action", "bind")]
        for again, action in enumerate([other, first.get("action", "bind")]):
            event = {**first, "id": f"u{number}{again}", "action": action}
            when_s = at_s + waits_s * (0.2 + 0.4 * again) + rng.choice([0.0, rng.uniform(0, 1)])
            self._task(f"u{number}{again}", "deliver", when_s, events=[event], mishaps=[])

    def _mishaps(self, task: Json) -> list[list[object]]:
        rng = self.rng
        if task["kind"] in ("edit", "policy", "clock", "halt", "lift", "purge", "restart"):
            return []
        found: list[list[object]] = []
        for feature, (usual, whats) in _WHATS.items():
            if feature not in self.has or rng.random() < 0.4:
                continue
            points = usual
            if usual == "any":
                points = rng.choice(["any", "store-write", "store-write", "cloud-write"])
            seconds = 0.0
            if feature == "freezes":
                seconds = round(rng.choice([2.0, 20.0, rng.uniform(60, 90)]), 3)
            found.append([points, rng.choice(_POINTS[points]), rng.choice(whats), seconds])
        return found
