"""Pictures of the flow, as Mermaid, from the code: an event's way, and the life of a decision."""

from __future__ import annotations

from sgguard.store.transitions import NONE, TABLE, Status
from sgguard.web import server
from tests.test_layers import ARROWS, WAY

_RULED = ("decide", "intend", "settle")
"""Steps that lead nowhere else: they write, and the decision stays where it is."""


def way() -> str:
    """Each room of an event's way, and every import between two of them."""
    known = {room: set[str]() for room in WAY}
    for folder, imported in ARROWS.items():
        if (room := folder.split(".")[0]) in known:
            known[room] |= {one.split(".")[0] for one in imported.split()} & set(WAY) - {room}
    names = "<br>".join(sorted(server.functions()))
    lines = ["flowchart LR", '  sender(["event bus, portal, pipeline, chat"]) --> functions']
    lines += [f'  functions["functions:<br>{names}"]']
    lines += [f"  {room}[{room}]" for room in WAY if room != "functions"]
    lines += [f"  {room} --> {one}" for room in WAY for one in WAY if one in known[room]]
    lines += ['  wire --> cloud(["the cloud\'s API"])']
    return "\n".join(lines)


def life() -> str:
    """Each state of a decision's run, and every step between two of them."""
    steps: dict[tuple[str, str], list[str]] = {}
    for step, ways in TABLE.items():
        if step not in _RULED:
            for before, then in sorted(ways, key=str):
                steps.setdefault((_name(before), _name(then)), []).append(step)
    lines = ["stateDiagram-v2"]
    lines += [
        f"  {before} --> {then}: {', '.join(names)}" for (before, then), names in steps.items()
    ]
    left = {before for before, then in steps if before != then}
    ends = {then for _, then in steps} - left
    lines += [f"  {end} --> [*]" for end in sorted(ends)]
    return "\n".join(lines)


def _name(status: Status) -> str:
    if status == NONE:
        return "[*]"
    if status.state == "open":
        return "carried_out" if status.direction == "forward" else "undoing"
    return str(status.state)
