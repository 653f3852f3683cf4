"""Template cards of WeCom: their fields are plain text, each of a few characters.

Source: developer.work.weixin.qq.com path/90236 (template cards), 2026-11-28.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sgguard.chat import fit
from sgguard.chat.base import Json, Setup, Shown
from sgguard.render.language.text import Text, totals
from sgguard.render.language.words import fitted, within

FIELDS_MAX, TASK_MAX = 6, 128
TITLE_MAX, DESC_MAX, SUBTITLE_MAX, KEYNAME_MAX, VALUE_MAX, BUTTON_MAX = 26, 30, 112, 5, 26, 10
"""In Chinese characters, which are two columns each."""

QUOTE_MAX = 800
"""In columns; WeCom names no limit."""

_SHOWN = ("groups", "place", "requester", "changes", "until", "approver", "ids")


def escape(text: str) -> str:
    """Return the text without what begins a mention or a tag, and without a clickable address."""
    return text.replace("<", "＜").replace("://", "：//")


def agent(setup: Setup) -> int | str:
    """Return the id of the agent, which is a number where it is one."""
    return int(setup.config.app) if setup.config.app.isdigit() else setup.config.app


def of_text(text: Text, shown: Shown, setup: Setup) -> Json:
    """Return the card of a message, with its buttons."""
    words, tokens, message = setup.words, shown.tokens, shown.message
    buttons = [
        {"text": short(words.say(f"button.{name}"), BUTTON_MAX), "style": style, "key": token}
        for name, style, token in (
            ("approve", 1, tokens.approve),
            ("deny", 3, tokens.deny),
            ("restore", 4, tokens.restore),
        )
        if token
    ]
    subtitle, quote = _said(text, setup)
    more: Json = {"button_list": buttons} if buttons else {"card_action": _whole(shown)}
    card: Json = {
        "card_type": "button_interaction" if buttons else "text_notice",
        "main_title": {"title": short(text.title, TITLE_MAX)},
        **({"sub_title_text": subtitle} if subtitle else {}),
        "horizontal_content_list": _fields(text, shown, setup),
        "quote_area": {"quote_text": fit.joined(quote)},
        "task_id": f"{message.approval_id or message.decision_id}@{setup.config.name}"[:TASK_MAX],
        **more,
    }
    return {
        "touser": setup.config.chat,
        "msgtype": "template_card",
        "agentid": agent(setup),
        "template_card": card,
    }


def _fields(text: Text, shown: Shown, setup: Setup) -> list[Json]:
    """Return what stands beside its name; lists are cut with their counts."""
    words, message = setup.words, shown.message
    lists: Mapping[str, Callable[[int], str]] = {
        "groups": lambda number: words.names(message.groups, number),
        "changes": lambda number: totals(message, words, number),
    }
    found = []
    for key in _SHOWN:
        value = text.line(key)
        if value and key in lists:
            value = fitted(lists[key], FIELDS_MAX, 2 * VALUE_MAX)
        if value:
            name = short(words.say(f"short.{key}"), KEYNAME_MAX)
            found.append({"keyname": name, "value": short(value, VALUE_MAX)})
    return found[:FIELDS_MAX]


def _said(text: Text, setup: Setup) -> tuple[str, list[str]]:
    """Return the text below the quote, and the lines of the quote; none is cut in the middle.

    The quote stands first: the verdict points to the reasons below it. What happens on approval
    stands last before the buttons, where it has room.
    """
    words = setup.words
    approve = text.line("approve")
    has_room = _has_room(escape(approve), 2 * SUBTITLE_MAX)
    lines = [text.line("verdict"), *(one.text for one in text.lines if one.key == "why")]
    more = {key: text.line(key) for key in ("unseen", "undo")}
    lines += [
        words.say("line", label=words.say(f"label.{key}"), text=said)
        for key, said in more.items()
        if said
    ]
    if not has_room:
        lines.append(approve)
    return escape(approve) if has_room else "", [escape(one) for one in lines]


def fits(body: Json) -> bool:
    """Return whether the quote has room for what stands in it."""
    return _has_room(body["template_card"]["quote_area"]["quote_text"], QUOTE_MAX)


def _whole(shown: Shown) -> Json:
    """Where a press on the card leads; without an address, to WeCom's own site, which it needs."""
    return {"type": 1, "url": shown.whole or "https://work.weixin.qq.com"}


def short(text: str, characters: int) -> str:
    """Return at most so many Chinese characters of a text, without what begins a mention."""
    return within(escape(text), 2 * characters)


def _has_room(text: str, width: int) -> bool:
    return within(text, width) == text
