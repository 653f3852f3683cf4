"""What a Chinese reader is shown of any decision is Chinese, but for names, ids, codes and calls.

Every world of the emulator is judged in every way there is. A new text in English that a guard, a
plan or a provider makes is found here, whatever code path made it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import sgguard
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.policy import DeletePolicy, LaunchPolicy, Policy
from sgguard.render.document import to_json
from sgguard.wire.retry import Retry
from tests.chinese import foreign, require_chinese
from tests.deployment import CLOUDS
from tests.worlds import World, lanes, world_of

POLICY = Policy(
    delete=DeletePolicy(remedies=("revoke", "unbind"), protected=("*2",), when_unreachable="block"),
    launch=LaunchPolicy(
        baseline=("base-0",), forbidden=("*1",), remedies=("unbind",), warn_at_percent=1
    ),
)
"""One that finds fault with everything."""


def decided(world: World, emulator: Emulator, group_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Judge the delete of each of the groups."""
    scope = Scope(world.provider, "", world.region)
    asked = [(DeleteRequest((Address(scope, one),), "grace"), one) for one in group_ids]
    for found in decide.decide_deletes(asked, context_of(world, emulator)):
        if not isinstance(found, Exception):
            yield require_chinese(json.loads(json.dumps(to_json(found))))


def context_of(world: World, emulator: Emulator) -> Context:
    given = Context.from_env(world.env, transport=EmulatorTransport(emulator))
    return replace(given, policy=POLICY, retry=Retry(sleep=lambda _: None), lanes=lanes())


def documents(world: World) -> Iterator[dict[str, Any]]:
    """Judge everything there is to judge in a world."""
    emulator = world.emulator()
    (cloud,) = emulator.state.clouds
    ids = [*(one.id for one in cloud.groups), "sg-00000000", "?"]
    yield from decided(world, emulator, ids)
    scope = Scope(world.provider, "", world.region)
    for server in cloud.instances:
        request = LaunchRequest(scope, instance_id=server.id, requested_by="grace")
        found = decide.decide_launch(request, context_of(world, emulator), event_id=server.id)
        yield require_chinese(json.loads(json.dumps(to_json(found))))


FORBIDDEN = {
    "tencent": "UnauthorizedOperation",
    "tencent-dfw": "4102",
    "alibaba": "Forbidden.RAM",
    "huawei": "VPC.0010",
    "openstack": "HTTPForbidden",
}


def faulty(world: World) -> Iterator[dict[str, Any]]:
    """Judge one delete while each call that it needs is forbidden, or answered with a page."""
    first = world.emulator()
    list(decided(world, first, [world.referenced]))
    for action in sorted({one.action for one in first.requests if one.action}):
        pattern = re.sub(r"\{[^}]*\}", "*", action)
        for kind in ("error", "garbage"):
            emulator = world.emulator()
            code = FORBIDDEN[world.provider] if kind == "error" else ""
            emulator.faults.append(Fault(kind, action=pattern, count=9, code=code))
            yield from decided(world, emulator, [world.referenced])


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(6)
def test_nothing_that_a_chinese_reader_is_shown_is_english(cloud):
    found = list(documents(world_of(cloud)))
    assert len(found) > 3
    assert {word: one["target"] for one in found for word in foreign(one)} == {}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(4)
def test_what_could_not_be_seen_is_told_in_chinese(cloud):
    found = list(faulty(world_of(cloud)))
    assert any(one["facts"]["unseen"] or one["reasons"] for one in found)
    assert {word: one["reasons"] for one in found for word in foreign(one)} == {}


MAKERS = {
    # What is called, and where it gets the text: by position and by name.
    "Unseen": (2, "why"),
    "unproved": (1, "why"),
    "unanswered": (1, "why"),
    "documented_limits": (0, "note"),
    "Limit": (None, "note"),
    "result": (2, "sentence"),
    "with_outcome": (2, "note"),
    "RunResult": (1, "note"),
    "settle": (None, "note"),
    "to_keep": (0, ""),
    "together": (0, ""),
}


def literals() -> Iterator[str]:
    """Where one of these is given a text that is written out, instead of a sentence."""
    for path in Path(sgguard.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if not any(f"{name}(" in source for name in MAKERS):
            continue
        for call in ast.walk(ast.parse(source)):
            called = name_of(call.func) if isinstance(call, ast.Call) else ""
            if called in MAKERS:
                place, name = MAKERS[called]
                given = [one.value for one in call.keywords if one.arg == name]
                given += call.args[place : place + 1] if place is not None else []
                for one in given:
                    if isinstance(one, ast.JoinedStr | ast.Constant) or is_text_of(one):
                        yield f"{path.name}:{call.lineno}: {ast.unparse(one)}"


def name_of(called: ast.expr) -> str:
    """The name of what is called, also in another module."""
    return str(getattr(called, "id", "") or getattr(called, "attr", ""))


def is_text_of(value: ast.expr) -> bool:
    """Whether an error is made a text, which has no words of another language."""
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "str"


def test_no_reason_for_a_gap_and_no_note_of_a_limit_is_written_out_in_english():
    assert list(literals()) == []


def test_a_text_in_english_is_found():
    kept = next(documents(world_of("tencent")))
    kept["reasons"][0]["sentence"] = {"code": "note.text", "args": {"text": "the disk is full"}}
    assert {"disk", "full"} <= foreign(kept)
