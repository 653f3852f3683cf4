"""What is listed of an interface's groups, which may lag behind what it carries."""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.emulator.faces.alibaba.call import Call
from sgguard.emulator.state import Interface


def groups_shown(call: Call, interface: Interface) -> list[str]:
    """Return the groups as they are listed now."""
    until_s, groups = call.cloud.tokens.get(_name(interface), (0.0, ()))
    return list(groups) if call.now < until_s else list(interface.groups)


def keep_shown(call: Call, interface: Interface, groups: Sequence[str]) -> None:
    """List these groups for as long as ``binding_delay_s`` says, whatever changes meanwhile."""
    if delay_s := call.cloud.quirks.get("binding_delay_s", 0):
        call.cloud.tokens[_name(interface)] = (call.now + delay_s, tuple(groups))


def _name(interface: Interface) -> str:
    return f"alibaba shows {interface.id}"
