"""Cards of Lark in JSON 2.0: every text of ours is ``plain_text``."""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.chat.base import Json, Setup, Shown
from sgguard.render.language.text import Line, Text

_COLOURS: Mapping[str, str] = {
    "pending": "orange",
    "remediable": "orange",
    "blocked": "red",
    "denied": "grey",
    "expired": "grey",
    "lapsed": "grey",
    "superseded": "grey",
    "allowed": "green",
    "remediated": "green",
    "partly-undone": "red",
    "undone": "orange",
    "halted": "red",
    "unfinished": "orange",
    "restoring": "orange",
    "restored": "green",
    "restored-partly": "orange",
    "restore-stuck": "red",
}


def of_text(text: Text, shown: Shown, setup: Setup) -> Json:
    """Return the card of a message, with its buttons."""
    words, tokens = setup.words, shown.tokens
    elements: list[Json] = [_line(one, setup) for one in text.lines]
    steps = len(shown.message.changes)
    if tokens.approve:
        confirm = {
            "title": _plain(words.say("confirm.title")),
            "text": _plain(words.say("confirm.text", n=steps)),
        }
        one = _button("approve", words.say("button.approve"), shown, tokens.approve)
        elements.append({**one, "type": "primary", "confirm": confirm})
    if tokens.deny:
        elements.append(
            {**_button("deny", words.say("button.deny"), shown, tokens.deny), "type": "danger"}
        )
    if tokens.restore:
        confirm = {
            "title": _plain(words.say("confirm.restore")),
            "text": _plain(words.say("confirm.restore-text")),
        }
        one = _button("restore", words.say("button.restore"), shown, tokens.restore)
        elements.append({**one, "confirm": confirm})
    if tokens.link:
        elements.append(
            {
                "tag": "button",
                "text": _plain(shown.link_label(words)),
                "type": "primary",
                "behaviors": [{"type": "open_url", "default_url": tokens.link}],
            }
        )
    return {
        "schema": "2.0",
        "config": {"update_multi": True, "summary": {"content": text.title}},
        "header": {
            "title": _plain(text.title),
            "template": _COLOURS.get(shown.message.state, "grey"),
        },
        "body": {"elements": elements},
    }


def _line(one: Line, setup: Setup) -> Json:
    return {"tag": "div", "text": _plain(setup.words.say("line", label=one.label, text=one.text))}


def _button(action: str, text: str, shown: Shown, token: str) -> Json:
    value = {"token": token, "action": action, "approval": shown.about}
    return {
        "tag": "button",
        "text": _plain(text),
        "behaviors": [{"type": "callback", "value": value}],
    }


def of_note(text: str) -> Json:
    """Return a card that is a text and nothing else."""
    return {"schema": "2.0", "body": {"elements": [{"tag": "div", "text": _plain(text)}]}}


def _plain(text: str) -> Json:
    return {"tag": "plain_text", "content": text}
