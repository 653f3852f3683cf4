"""A delete that was approved and carried out, with a button or a link that brings it back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sgguard.approvals.resolve import approve
from sgguard.render.language.message import Message
from sgguard.restores.standing import message_of
from sgguard.store.rows import Approval
from sgguard.web.response import Response
from tests.chat.harness import ChatHarness
from tests.chat.services import Pressed


@dataclass
class Removed:
    """What was removed, and who presses what about it."""

    given: ChatHarness
    asked: Approval

    @property
    def decision_id(self) -> str:
        return self.asked.decision_id

    @property
    def message(self) -> Message:
        store = self.given.approvals.store
        record = store.decision(self.decision_id)
        assert record is not None
        return message_of(record, store)

    @property
    def token(self) -> str:
        """The token of the button that the message has now; empty where it has none."""
        return self.given.service.tokens(self.given.body(self.asked)).get("restore", "")

    @property
    def is_back(self) -> bool:
        return "databases" in {one.name for one in self.given.approvals.cloud.groups}

    def pressed(self, **changed: Any) -> Pressed:
        is_fixed = self.given.service.kind in ("dingtalk", "wecom")
        about = self.asked.approval_id if is_fixed else self.decision_id
        return dataclasses.replace(Pressed(self.token, "restore", about), **changed)

    def press(self, pressed: Pressed | None = None) -> str:
        """Press, and return what is said; a request that is refused says nothing."""
        click = self.given.service.click(pressed or self.pressed())
        answer = self.given.tried(click)
        is_said = isinstance(answer, Response) and answer.body != b"{}"
        return self.given.said(answer) if is_said else ""


def removed(given: ChatHarness) -> Removed:
    asked = given.approvals.asked()
    approve(asked.approval_id, "ada", given.context())
    assert given.approvals.is_deleted
    return Removed(given, asked)
