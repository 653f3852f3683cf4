"""Stories from seeds: small clouds whose groups share rules and holders, so that plans collide.

Each story draws a few of the things that can happen, not all of them: what is rare together is
found by stories that have little else.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.sim.binds import story_of_binds
from tests.sim.features import FEATURES, THEMES, changed
from tests.sim.rare import add_rare
from tests.sim.story import Json, Story
from tests.sim.told import add_told

PROVIDERS = ("tencent", "tencent-dfw", "alibaba", "huawei", "openstack")
KINDS = ("", "told", "bind")
_HOUR_S = 3600.0


def story_of(provider: str, seed: str) -> Story:
    """The story of a seed; one that begins with ``told-`` or ``bind-`` is of that kind."""
    if seed.startswith("bind-"):
        return story_of_binds(provider, seed)
    story = _Writer(provider, seed).story
    if seed.startswith("told-"):
        add_told(story, random.Random(f"sim told {provider} {seed}"))
    return story


class _Writer:
    def __init__(self, provider: str, seed: str) -> None:
        self.rng = random.Random(f"sim {provider} {seed}")
        self.story = Story(provider, seed)
        self.has = set(self.rng.sample(FEATURES, self.rng.randint(0, 4)))
        if self.rng.random() < 0.6:
            self.has |= set(self.rng.choice(THEMES))
        # What comes later comes at one of three moments, so that it meets: redeliveries, clicks,
        # timers, workers that wake. Leases end after a minute.
        self.moments = [
            self.rng.choice([1.0, 3.0, 8.0]),
            self.rng.choice([62.0, 70.0]),
            self.rng.choice([75.0, 130.0]),
        ]
        # In some stories they come one after another: redelivered, clicked, and then one wakes.
        self.is_in_order = self.rng.random() < 0.4
        self._cloud()
        self._policies()
        self._timing()
        self._events()
        self._people()
        for task in self.story.tasks:
            task["mishaps"] = self._mishaps(task)
        self._keepers(random.Random(f"sim keepers {provider} {seed}"))
        add_rare(self.story, self.targets, random.Random(f"sim rare {provider} {seed}"))

    # -- the cloud -------------------------------------------------------------------------

    def _cloud(self) -> None:
        rng, story = self.rng, self.story
        names = [f"g{n}" for n in range(rng.randint(4, 7))]
        for name in names:
            story.groups[name] = self._rules(name, names)
        for number in range(rng.randint(0, 3)):
            story.holders[f"h{number}"] = rng.sample(names, rng.randint(1, 3))
        self.names = names
        # What two plans have in common: one group with ways in from several that are to go.
        hub, *others = rng.sample(names, min(len(names), 4))
        if rng.random() < 0.8:
            kept = [one for one in story.groups[hub] if one[1] != "22"]
            named = [["ingress", "22", one] for one in others[: rng.randint(2, 3)]]
            story.groups[hub] = [*named, *kept]
        self.targets = others
        if "slow store" in self.has:  # as many changes as go out side by side
            for number in range(rng.randint(5, 8)):
                story.groups[f"g{10 + number}"] = [["ingress", "80", others[0]]]

    def _rules(self, name: str, names: Sequence[str]) -> list[list[str]]:
        rng, found = self.rng, []
        for _ in range(rng.randint(0, 3)):
            peer = rng.choice([*names, "", ""])
            if peer == name:
                continue
            rule = ["ingress", rng.choice(["22", "22", "80", "443"]), peer]
            if rule not in found:
                found.append(rule)
        return found

    # -- policies and timing ---------------------------------------------------------------

    def _policies(self) -> None:
        rng = self.rng
        remedies = ["revoke"]
        spare = rng.choice([*self.names, *self.targets, *self.targets])
        policy: Json = {"ports": rng.choice([[22], [22], []])}
        if "rewrites" in self.has:
            remedies = rng.choice([["rewrite"], ["rewrite", "revoke"]])
            policy["replacement_group"] = spare
        if self.story.holders:
            remedies += ["unbind"]
            if rng.random() < 0.6:
                remedies += ["move"]
                policy["fallback_group"] = rng.choice([*self.names, *self.targets])
        policy["remedies"] = remedies
        policy["mode"] = "approve" if "approvals" in self.has else "enforce"
        if "percent" in self.has:
            policy["percent"] = rng.choice([34, 50, 67])
        if "launches" in self.has and self.story.holders:
            policy["launch_remedies"] = rng.choice([["bind"], ["unbind"], ["quarantine"]])
            policy["quarantine_group"] = rng.choice(self.names)
            key = "baseline" if policy["launch_remedies"] == ["bind"] else "forbidden"
            policy[key] = [rng.choice(self.names)]
        self.story.policies["p0"] = policy
        if "policies" in self.has:
            self.story.policies["p1"] = changed(policy, rng)

    def _timing(self) -> None:
        rng, story = self.rng, self.story
        story.latency_s = (rng.choice([0.002, 0.02, 0.1]), rng.choice([0.01, 0.05, 0.2]))
        story.deadline_s = 30.0 if story.latency_s[1] > 0.1 else rng.choice([10.0, 10.0, 30.0])
        if "slow store" in self.has:
            story.deadline_s, story.jitter = 10.0, False
            story.latency_s = (rng.choice([0.4, 0.8]), 0.02)
        story.shuffle = rng.random() < 0.5
        story.end = rng.choice(["approve", "deny", "expire"])
        story.restores = "restores" in self.has or rng.random() < 0.2
        story.restores &= "slow store" not in self.has
        if "aliases" in self.has:
            story.account = "main"

    # -- what is asked ---------------------------------------------------------------------

    def _events(self) -> None:
        rng = self.rng
        self.events = [self._event(number) for number in range(rng.randint(1, 4))]
        waiting = list(self.events)
        number = 0
        while waiting:
            size = rng.randint(1, 3) if "batches" in self.has else 1
            batch, waiting = waiting[:size], waiting[size:]
            kind = "targets" in batch[0]
            waiting = [one for one in batch if ("targets" in one) is not kind] + waiting
            batch = [one for one in batch if ("targets" in one) is kind]
            number += 1
            at_s = self._soon()
            if "order" in self.has:
                at_s = rng.choice([at_s, self._later()])
                self._date(batch, at_s)
            self._task(f"d{number}", "deliver", at_s, events=batch)
        if "duplicates" in self.has:
            for _ in range(rng.randint(1, 3)):
                number += 1
                again = [rng.choice(self.events)]
                at_s = rng.choice([self._soon(), self._later(0), self._later(0)])
                self._task(f"d{number}", "deliver", at_s, events=again)

    def _event(self, number: int) -> Json:
        rng = self.rng
        event: Json = {"id": f"e{number}", "by": rng.choice(["alice", "bob"])}
        if "launches" in self.has and self.story.holders and rng.random() < 0.4:
            event["holder"] = rng.choice(list(self.story.holders))
        elif "launches" in self.has and rng.random() < 0.2:
            event["groups"] = [rng.choice(self.names)]
        else:
            pool = self.targets if rng.random() < 0.8 else self.names
            event["targets"] = rng.sample(pool, min(len(pool), rng.choice([1, 1, 1, 2])))
        if "aliases" in self.has and rng.random() < 0.5:
            event["account"] = "main"
        return event

    def _date(self, batch: list[Json], at_s: float) -> None:
        """Say when events happened: in order mostly, late sometimes, and once in the far future."""
        rng = self.rng
        for number, event in enumerate(batch):
            event["at_s"] = round(at_s - 5 + number, 3)
            if rng.random() < 0.3:
                event["at_s"] = round(at_s - rng.uniform(0, 100), 3)
            elif rng.random() < 0.2:
                event["at_s"] = 5e8
            elif rng.random() < 0.2:
                del event["at_s"]

    def _soon(self) -> float:
        return self.rng.choice([0.0, self.rng.uniform(0, 0.5), self.rng.uniform(0, 4)])

    def _later(self, rank: int = 1) -> float:
        if self.is_in_order:
            which = self.rng.choice([0, 1]) if rank == 0 else rank
            delay_s = self.rng.uniform(0.5, 4) if rank == 1 else self.rng.uniform(0, 1)
            return self.moments[which] + delay_s
        return self.rng.choice(self.moments) + self.rng.choice([0.0, self.rng.uniform(0, 3)])

    def _task(self, name: str, kind: str, at_s: float, **more: object) -> None:
        self.story.tasks.append({"name": name, "kind": kind, "at": round(at_s, 3), **more})

    # -- people, and other things that happen ----------------------------------------------

    def _people(self) -> None:
        rng = self.rng
        later = self._later
        targets = [one["targets"] for one in self.events if "targets" in one]
        if "approvals" in self.has:
            for number in range(rng.randint(1, 3)):
                kind = rng.choice(["approve", "approve", "approve", "deny"])
                which = {"targets": rng.choice(targets)} if targets and rng.random() < 0.5 else {}
                self._task(f"p{number}", kind, later(), **which)
            if rng.random() < 0.4:
                self._task("timer", "remind", rng.choice([later(), 2 * _HOUR_S + later()]))
        self._operators(targets)

    def _operators(self, targets: Sequence[list[str]]) -> None:
        rng, later = self.rng, self._later
        if "operators" in self.has or rng.random() < 0.3:
            for number in range(rng.randint(1, 2)):
                self._task(f"r{number}", "resume", later())
        if "editors" in self.has:
            for number in range(rng.randint(1, 2)):
                at_s = rng.choice([rng.uniform(0, 6), self.moments[1] - 1.0])
                self._edit(f"x{number}", at_s)
            if self.story.holders and rng.random() < 0.5:
                more = {"what": "repair", "holder": rng.choice(list(self.story.holders))}
                self._task("mend", "edit", later() + 3.0, **more)
        if "restores" in self.has and targets:
            self._task("back", "restore", 10 + later(), targets=rng.choice(targets))
        self._operator()

    def _operator(self) -> None:
        rng, later = self.rng, self._later
        if "halts" in self.has:
            at_s = rng.uniform(0, 5)
            self._task("stop", "halt", at_s)
            self._task("go", "lift", at_s + rng.choice([1.0, 30.0, 100.0]))
        if "policies" in self.has:
            self._task("deploy", "policy", rng.uniform(0, 6), to="p1")
        if "clocks" in self.has:
            seconds = rng.choice([-30.0, 90.0, 90.0, 400.0])
            self._task("clock", "clock", rng.uniform(0, 5), seconds=seconds)
        if "operators" in self.has and rng.random() < 0.3:
            self._task("yield", "accept", later(), any=True)

    def _keepers(self, rng: random.Random) -> None:
        """Purge or deploy in a few stories; with dice of their own, so the rest is as it was."""
        around = [rng.uniform(0, 2), rng.uniform(0, 6), *self.moments]
        if rng.random() < 0.12:
            for number in range(rng.randint(1, 2)):
                at_s, age_s = rng.choice(around) + rng.uniform(0, 2), rng.choice([0.0, 0.5, 30.0])
                self._task(f"purge{number}", "purge", at_s, age=age_s, mishaps=[])
        if rng.random() < 0.08:
            self._task("restart", "restart", rng.choice(around) + rng.uniform(0, 2), mishaps=[])
        # A machine that is paused in the middle of its changes, and an operator before it wakes.
        calm = [one for one in self.story.tasks if one["kind"] == "deliver" and not one["mishaps"]]
        if calm and rng.random() < 0.08:
            one, seconds = rng.choice(calm), round(rng.uniform(66, 90), 3)
            one["mishaps"] = [["cloud-write", rng.randint(1, 6), "pause", seconds]]
            at_s = one["at"] + seconds - rng.uniform(0.1, 4)
            self._task("passing", "accept", at_s, any=True, mishaps=[])

    def _edit(self, name: str, at_s: float) -> None:
        rng = self.rng
        what = rng.choice(["add-rule", "remove-rule", "bind", "bind", "unbind", "delete-group"])
        more: Json = {"what": what, "group": rng.choice(self.names)}
        if what == "add-rule":
            more["peer"] = rng.choice([one for one in self.names if one != more["group"]])
        if what in ("bind", "unbind"):
            if not self.story.holders:
                return
            more["holder"] = rng.choice(list(self.story.holders))
        self._task(name, "edit", at_s, **more)

    def _mishaps(self, task: Json) -> list[list[object]]:
        rng = self.rng
        if task["kind"] in ("edit", "policy", "clock", "halt", "lift"):
            return []
        found: list[list[object]] = []
        for feature, whats in (
            ("deaths", ["kill", "kill-after"]),
            ("freezes", ["freeze", "freeze-after", "pause"]),
            ("store errors", ["error", "lost"]),
            ("lost answers", ["lost"]),
            ("throttles", ["throttle", "error"]),
        ):
            if feature not in self.has or rng.random() < 0.3:
                continue
            what = rng.choice(whats)
            points = {"store errors": "store-write", "lost answers": "cloud-write"}.get(
                feature, rng.choice(["any", "store-write", "store-write", "cloud-write"])
            )
            numbers = {
                "any": range(1, 60),
                "store-write": (1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12),
                "cloud-write": (1, 1, 2, 3, 4),
            }[points]
            seconds = 0.0
            if feature == "freezes":  # most wake when something else happens
                until_s = self._later(2) - float(str(task["at"]))
                seconds = round(rng.choice([2.0, 20.0, max(1.0, until_s), max(1.0, until_s)]), 3)
            found.append([points, rng.choice(numbers), what, seconds])
        return found
