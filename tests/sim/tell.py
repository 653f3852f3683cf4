"""A story as a person reads it."""

from __future__ import annotations

import json

from tests.sim.run import Result
from tests.sim.story import Story, id_of


def told(story: Story, result: Result, code: str = "") -> str:
    """A story as a person reads it: what there is, what is done, and what came of it."""
    lines = [f"  story {story.seed} of {story.provider}"]
    lines += [f"    {name}: {rules}" for name, rules in story.groups.items()]
    lines += [f"    {name} carries {groups}" for name, groups in story.holders.items()]
    lines += [f"    policy {name}: {json.dumps(raw)}" for name, raw in story.policies.items()]
    more_or_less = ", more or less" if story.jitter else ""
    lines.append(
        f"    a transaction takes {story.latency_s[0]} s, a call {story.latency_s[1]} s"
        f"{more_or_less}; deadline {story.deadline_s:g} s"
    )
    lines += [f"    {_task(task)}" for task in story.tasks]
    until = next((n for n, line in enumerate(result.log) if f"*** {code}" in line), -2)
    log = _together(result.log[: until + 1 if until >= 0 else None])
    lines += [f"  | {line}" for line in log]
    return _named("\n".join(lines), story)


def _together(log: list[str]) -> list[str]:
    """Transactions of one worker that follow each other, on one line."""
    found: list[str] = []
    for line in log:
        who, text = line[14:22], line[23:]
        is_plain = text.replace("_", "").isalpha()
        if is_plain and found and found[-1][14:22] == who and found[-1].endswith(" ..."):
            found[-1] = f"{found[-1][:-4]}, {text} ..."
        else:
            found.append(f"{line} ..." if is_plain else line)
    return [line.removesuffix(" ...") for line in found]


def _named(text: str, story: Story) -> str:
    """The text with the story's names in place of ids."""
    numbers = [name[1:] for name in story.holders]
    for name in [*story.groups, *(f"{kind}{n}" for n in numbers for kind in "hi")]:
        text = text.replace(id_of(story.provider, name), name)
    return text


def _task(task: dict[str, object]) -> str:
    rest = {key: value for key, value in task.items() if key not in ("name", "kind", "at")}
    return f"at {task['at']} s {task['name']} {task['kind']}: {json.dumps(rest)}"
