"""What permits one restore: a signed text in a button, or in a link for one person.

Both are texts like those of approvals (:mod:`sgguard.approvals.link`), for another purpose each:
none is valid as any other. ``approval_id`` holds the decision, ``facts_hash`` which restore of it
is meant: once that was begun, by whomever, the text permits nothing any more.
"""

from __future__ import annotations

from urllib.parse import quote

from sgguard.approvals import link as links
from sgguard.approvals.link import LinkToken
from sgguard.engine.approver import require_approver
from sgguard.engine.context import Context
from sgguard.render.language.message import Message

PURPOSE = b"sgguard-restore."
"""What links are signed for."""


def token_of(message: Message, holder: str) -> LinkToken | None:
    """Return what permits the restore that a message offers; None where it offers none.

    ``holder`` is a person, or the name of the channel whose button it is.
    """
    if not message.restore_hash or message.restore_until is None:
        return None
    until_s = int(message.restore_until.timestamp())
    return LinkToken(message.decision_id, message.restore_hash, "restore", holder, until_s)


def link(message: Message, person: str, context: Context) -> str:
    """Return the link with which one person may restore; empty where it offers no restore.

    Raises:
        EventError: 403 they are no approver.
        SettingsError: there is no key to sign with.
    """
    given = token_of(message, person)
    if given is None or not context.settings.approval_url:
        return ""
    require_approver(person, context.policy.approval)
    signed = links.sign(given, context.settings.approval_keys, PURPOSE)
    return f"{context.settings.approval_url}?restore={quote(signed)}"


def read(text: str, context: Context, now_s: float) -> LinkToken:
    """Return what a link permits.

    Raises:
        EventError: 403 we did not sign it as a link to restore; 410 it has expired.
        SettingsError: there is no key.
    """
    return links.read(text, context.settings.approval_keys, now_s, PURPOSE)
