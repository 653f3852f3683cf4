"""The buttons of a message: signed texts that permit one action on one request, in one channel.

They are made like the tokens of links (:mod:`sgguard.approvals.link`) and for another purpose: a
button's text is no link, and a link's no button. ``approver`` holds the name of the channel: who
presses is known only then. A button is used up with its request, which is resolved exactly once.
"""

from __future__ import annotations

from sgguard.approvals import link as links
from sgguard.approvals import web
from sgguard.approvals.link import LinkAction, LinkToken
from sgguard.chat.base import Channel, Setup, Shown, Tokens
from sgguard.engine.context import Context
from sgguard.errors import EventError, SettingsError
from sgguard.render.language.message import Message
from sgguard.restores import permit

_PURPOSE = b"sgguard-chat."


def shown(message: Message, channel: Channel, setup: Setup, context: Context) -> Shown:
    """Return a message with its buttons, and the address of the whole where there is one."""
    whole = setup.config.link.replace("{decision_id}", message.decision_id)
    return Shown(message, _tokens(message, channel, setup, context), whole)


def _tokens(message: Message, channel: Channel, setup: Setup, context: Context) -> Tokens:
    """Return the buttons of a request that is open; none without a key to sign them.

    A chat whose buttons cannot come back gets a link, if one person alone reads it: whoever has
    a link can use it. What was carried out and can be restored has a button, or a link, for that.
    """
    keys = context.settings.approval_keys
    if message.restore_hash and keys:
        return _restore(message, channel, setup, context)
    if not message.is_open or message.expires_at is None or not keys:
        return Tokens()
    if channel.has_buttons(setup):
        expires_at_s = int(message.expires_at.timestamp())
        given = (message.approval_id, message.facts_hash)
        signed: dict[LinkAction, str] = {
            action: links.sign(
                LinkToken(*given, action, setup.config.name, expires_at_s), keys, _PURPOSE
            )
            for action in ("approve", "deny")
        }
        return Tokens(**signed)
    if not (setup.config.reader and context.settings.approval_url):
        return Tokens()
    try:
        return Tokens(link=web.link(message.approval_id, setup.config.reader, "approve", context))
    except (EventError, SettingsError):
        # The reader may not approve this one: the message says how others can.
        return Tokens()


def _restore(message: Message, channel: Channel, setup: Setup, context: Context) -> Tokens:
    """Return what permits the restore that a message offers, while it does."""
    if message.restore_until is None or message.restore_until.timestamp() <= context.now():
        return Tokens()
    if channel.has_buttons(setup):
        given = permit.token_of(message, setup.config.name)
        keys = context.settings.approval_keys
        return Tokens(restore=links.sign(given, keys, _PURPOSE)) if given else Tokens()
    try:
        reader = setup.config.reader
        return Tokens(link=permit.link(message, reader, context)) if reader else Tokens()
    except EventError:
        return Tokens()  # the reader is no approver: the message names the command


def read(text: str, context: Context, now_s: float) -> LinkToken:
    """Return what a button permits; its ``approver`` is the name of its channel.

    ``now_s`` 0 reads one that has expired, too.

    Raises:
        EventError: 403 we did not sign it as a button; 410 it has expired.
        SettingsError: there is no key.
    """
    return links.read(text, context.settings.approval_keys, now_s, _PURPOSE)
