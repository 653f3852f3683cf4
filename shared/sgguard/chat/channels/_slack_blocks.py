"""Blocks of Slack: every text of ours is ``plain_text``."""

from __future__ import annotations

from sgguard.chat import fit
from sgguard.chat.base import Json, Setup, Shown
from sgguard.render.language.text import Text
from sgguard.render.language.words import Words

HEADER_MAX, SECTION_MAX, FALLBACK_MAX = 150, 3000, 4000
BUTTON_MAX, VALUE_MAX, BLOCKS_MAX = 75, 2000, 50


def of_text(text: Text, shown: Shown, setup: Setup) -> Json:
    """Return the blocks of a message, with its buttons."""
    lines = fit.joined(text.joined(setup.words))
    blocks: list[Json] = [
        {"type": "header", "text": _plain(fit.cut(text.title, HEADER_MAX))},
        section(lines),
    ]
    buttons = _buttons(shown, setup)
    if buttons:
        blocks.append({"type": "actions", "block_id": shown.about, "elements": buttons})
    return {**fallback(text.title), "blocks": blocks}


def fallback(text: str) -> Json:
    """Return what a notification shows: mrkdwn, with everything it could do turned off."""
    return {
        "text": fit.cut(escape(text), FALLBACK_MAX),
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _buttons(shown: Shown, setup: Setup) -> list[Json]:
    words, tokens = setup.words, shown.tokens
    found: list[Json] = []
    steps = len(shown.message.changes)
    if tokens.approve:
        asks = ("confirm.title", words.say("confirm.text", n=steps), "confirm.yes")
        one = _button("approve", words.say("button.approve"), tokens.approve)
        found.append({**one, "style": "primary", "confirm": _confirm(*asks, words)})
    if tokens.deny:
        one = _button("deny", words.say("button.deny"), tokens.deny)
        found.append({**one, "style": "danger"})
    if tokens.restore:
        asks = ("confirm.restore", words.say("confirm.restore-text"), "button.restore")
        one = _button("restore", words.say("button.restore"), tokens.restore)
        found.append({**one, "confirm": _confirm(*asks, words)})
    if tokens.link:
        text = _plain(shown.link_label(words))
        found.append({"type": "button", "action_id": "open", "text": text, "url": tokens.link})
    return found


def _confirm(title: str, text: str, yes: str, words: Words) -> Json:
    """Return what is asked once more before a button counts; ``text`` is in words already."""
    return {
        "title": _plain(words.say(title)),
        "text": _plain(text),
        "confirm": _plain(words.say(yes)),
        "deny": _plain(words.say("confirm.no")),
    }


def _button(action: str, text: str, token: str) -> Json:
    return {
        "type": "button",
        "action_id": f"sgguard.{action}",
        "text": _plain(fit.cut(text, BUTTON_MAX)),
        "value": token,
    }


def section(text: str) -> Json:
    """Return a block of plain text."""
    return {"type": "section", "text": _plain(text)}


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}


def escape(text: str) -> str:
    """Return the text for mrkdwn, where only these three characters begin anything."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fits(body: Json) -> bool:
    """Return whether a body keeps the limits of its blocks."""
    sections = (one["text"]["text"] for one in body["blocks"] if one["type"] == "section")
    buttons = (button for one in body["blocks"] for button in one.get("elements", ()))
    return all(len(one) <= SECTION_MAX for one in sections) and all(
        len(one.get("value", "")) <= VALUE_MAX for one in buttons
    )
