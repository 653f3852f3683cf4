"""What every channel does, and the values that travel between channels and decisions.

A channel is one module in :mod:`sgguard.chat.channels` with ``CHANNEL: Channel``, found by its
name. It knows its vendor's JSON, limits, signatures and escapes, and nothing about decisions.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal, Protocol, cast
from zoneinfo import ZoneInfo

import msgspec

from sgguard import hiding
from sgguard.chat import channels
from sgguard.chat.manner import Manner
from sgguard.errors import SettingsError
from sgguard.policy.channel import ChannelPolicy
from sgguard.render.language.message import Message
from sgguard.render.language.words import Words
from sgguard.settings import chat_variables
from sgguard.telemetry.redaction import remember
from sgguard.wire.client import Wire
from sgguard.wire.clock import EpochClock

Json = dict[str, Any]
Action = Literal["approve", "deny", "restore"]
Part = Literal["TOKEN", "SECRET", "KEY", "URL", "APP_SECRET"]

PARTS: tuple[Part, ...] = ("TOKEN", "SECRET", "KEY", "URL", "APP_SECRET")


@hiding("secrets")
class Setup(msgspec.Struct, frozen=True):
    """One channel of the policy with its secrets; several of one part while they are rotated."""

    config: ChannelPolicy
    secrets: Mapping[str, tuple[str, ...]]

    @property
    def words(self) -> Words:
        """Return the words of the channel's language, with its zone."""
        return Words(self.config.language, ZoneInfo(self.config.zone))

    def every(self, part: Part) -> tuple[str, ...]:
        """Return all secrets of a part, the one to sign with first; empty where none is set."""
        return self.secrets.get(part, ())

    def address(self, default: str) -> str:
        """Return where an app's API is: the vendor's own, or what the operator set instead."""
        return (self.every("URL") or (default,))[0].rstrip("/")

    def one(self, part: Part) -> str:
        """Return the secret to send with.

        Raises:
            SettingsError: it is not set; the message names the variable.
        """
        found = self.every(part)
        if not found:
            variable = variable_of(self.config.name, part)
            raise SettingsError(f"channel {self.config.name}: {variable} is not set")
        return found[0]


def variable_of(channel: str, part: Part) -> str:
    """Return the environment variable that holds a secret of a channel."""
    return chat_variables(channel)[part]


def setup_of(config: ChannelPolicy, env: Mapping[str, str]) -> Setup:
    """Return a channel with the secrets that the environment has for it."""
    secrets: dict[str, tuple[str, ...]] = {}
    for part in PARTS:
        text = env.get(variable_of(config.name, part), "").strip()
        # A URL may have a comma, and is one.
        given = [text] if part == "URL" else [one.strip() for one in text.split(",")]
        secrets[part] = tuple(one for one in given if one)
        remember(*secrets[part])
    return Setup(config, secrets)


class Outbound(msgspec.Struct, frozen=True):
    """The network, with the time by which requests are signed.

    ``key`` names what is sent: a service that can takes what comes again under it once.
    """

    wire: Wire
    now: EpochClock
    key: str = ""


@hiding("body")
class Inbound(msgspec.Struct, frozen=True):
    """One HTTP request from a channel; ``headers`` have lower-case names."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """What an HTTP request is answered with."""

    body: bytes = b""
    content_type: str = "application/json"
    status: int = 200


@hiding("payload")
class Verified(msgspec.Struct, frozen=True):
    """A callback whose signature holds, as the values it carries.

    ``key`` names the callback: one that comes again with the same key is the same. ``handshake``
    answers a vendor's check of the address; such a callback has nothing else.
    """

    payload: Json
    key: str
    handshake: Reply | None = None


@hiding("token")
class Click(msgspec.Struct, frozen=True):
    """A button that was pressed: by which user of which tenant, with which token of ours.

    ``message_id`` is what the message itself says it is about (an approval's id), and ``action``
    what the button says it does; None where the channel does not carry them.
    """

    user: str
    tenant: str
    token: str
    chat: str = ""
    message_id: str | None = None
    action: str | None = None


class Command(msgspec.Struct, frozen=True):
    """A text that somebody wrote to the bot, without the mention of it."""

    user: str
    tenant: str
    text: str
    chat: str = ""


@hiding("approve", "deny", "link", "restore")
class Tokens(msgspec.Struct, frozen=True):
    """The signed texts of a message's buttons; empty where it has none. Each is a secret."""

    approve: str = ""
    deny: str = ""
    link: str = ""
    restore: str = ""


class Shown(msgspec.Struct, frozen=True):
    """One message for one channel: what it says, its buttons, and where the whole of it is."""

    message: Message
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    whole: str = ""

    @property
    def about(self) -> str:
        """Return the id of what its buttons are about: the request, or the decision to restore."""
        message = self.message
        return message.decision_id if self.tokens.restore else message.approval_id

    def link_label(self, words: Words) -> str:
        """Return what the button of the link says."""
        return words.say("button.open" if self.message.is_open else "button.restore-open")


class Answer(msgspec.Struct, frozen=True):
    """What a click or a command is answered with: lines of text, and the message as it is now."""

    lines: tuple[str, ...]
    shown: Shown | None = None
    is_error: bool = False


class Sent(msgspec.Struct, frozen=True):
    """A message that a channel took: what it calls it, as far as it says so.

    ``thread`` is the message that it answers in a thread; empty: it stands by itself. ``missed``
    are those of its readers whom the channel did not reach, by its own ids.
    """

    message_id: str = ""
    chat: str = ""
    thread: str = ""
    missed: tuple[str, ...] = ()


class Channel(Protocol):
    """One kind of chat. Every method that reads a callback is pure; ``line`` is the network."""

    name: str
    needs: Mapping[str, tuple[Part, ...]]
    """By way, the secrets without which nothing is sent or verified."""
    hints: Mapping[str, tuple[Part | None, str]]
    """By code of a refusal, what is wrong: with which secret (None: with none of them), and how."""
    answer_s: float
    """Within how many seconds the vendor wants its answer."""
    answers_buttons: bool
    """Whether the answer to a command can have buttons, and shows them to nobody else's bot."""
    silence: Reply
    """What is answered where there is nothing to say."""
    manner: Manner
    """How often it takes messages, and how they can be replaced."""

    def has_buttons(self, setup: Setup) -> bool:
        """Return whether a message can have buttons that come back to us."""
        ...

    def render(self, shown: Shown, setup: Setup) -> Json:
        """Return the vendor's JSON of a message, within the vendor's limits."""
        ...

    def send(self, body: Json, setup: Setup, line: Outbound) -> Sent:
        """Send what was rendered.

        Raises:
            CloudError: it was refused or not reached, also where that stands in a 200.
            SettingsError: a secret is missing.
        """
        ...

    def update(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> bool:
        """Put what was rendered in the place of a message; False: this channel cannot.

        Raises:
            CloudError: it was refused or not reached.
        """
        ...

    def reply(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> Sent | None:
        """Send what was rendered into the thread of a message; None: this channel has none.

        Raises:
            CloudError: it was refused or not reached.
        """
        ...

    def verify(self, given: Inbound, setup: Setup, now_s: float) -> Verified:
        """Return a callback, if the channel signed it.

        Raises:
            EventError: 403 it did not, or not lately; 400 it cannot be read.
        """
        ...

    def click(self, verified: Verified) -> Click | None:
        """Return the click; None for every other kind of callback."""
        ...

    def command(self, verified: Verified) -> Command | None:
        """Return the command; None for every other kind of callback."""
        ...

    def answer(self, answer: Answer, verified: Verified, setup: Setup, line: Outbound) -> Reply:
        """Return the response to a callback; what the vendor takes elsewhere is sent there."""
        ...


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, Channel]:
    """Return every channel by the name of its module."""
    return {
        one.name: cast(Channel, import_module(f"{channels.__name__}.{one.name}").CHANNEL)
        for one in pkgutil.iter_modules(channels.__path__)
        if not one.name.startswith("_")
    }


def texts(value: object, *names: str) -> str:
    """Return a text deep in JSON: each name is a key; empty where there is no such text."""
    for one in names:
        value = value.get(one) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
