"""A fake of every chat service, written from its documents and not from the channel.

Each signs what it calls back with, and refuses what breaks its signature, size, rate or expiry
rules. They are transports: a channel under test talks to them and to nothing else.
"""

from __future__ import annotations

from tests.chat.services.base import Pressed, Service
from tests.chat.services.dingtalk import DingTalk
from tests.chat.services.lark import Lark
from tests.chat.services.slack import Slack
from tests.chat.services.teams import Teams
from tests.chat.services.wecom import WeCom

SERVICES: dict[str, type[Service]] = {
    one.kind: one for one in (Slack, Lark, DingTalk, WeCom, Teams)
}
WITH_BUTTONS = ("slack", "lark", "dingtalk", "wecom")

__all__ = ["SERVICES", "WITH_BUTTONS", "Pressed", "Service"]
