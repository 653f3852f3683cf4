"""Texts of DingTalk: markdown for robots, the parameters of a card.

Markdown has no documented escape here: characters that begin something are replaced by their
full-width forms.
"""

from __future__ import annotations

import re

from sgguard.chat import fit
from sgguard.chat.base import Answer, Json, Setup, Shown
from sgguard.render.language.text import Text

TITLE_MAX = 64

_WIDE = str.maketrans({"<": "＜", ">": "＞", "*": "＊", "`": "｀", "~": "～"})
_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LEAD = re.compile(r"^(\s*)([#>+-]|\d+\.)(?=\s)")


def escape(text: str) -> str:
    """Return the text so that markdown shows it as it is: no link, image, mark-up or tag."""
    shown = _EDGE.sub("＿", text.translate(_WIDE)).replace("](", "]（").replace("://", "：//")
    return _LEAD.sub(lambda found: f"{found[1]}\u200b{found[2]}", shown)


def _lines(text: Text, setup: Setup) -> list[str]:
    """Return the lines; what we write ourselves (a link of the policy) stays a link."""
    words = setup.words
    return [
        words.say(
            "line", label=one.label, text=one.text if one.key == "whole" else escape(one.text)
        )
        for one in text.lines
    ]


def markdown(title: str, lines: list[str]) -> Json:
    """Return a message in markdown."""
    return {"msgtype": "markdown", "markdown": {"title": title, "text": "\n\n".join(lines)}}


def text_only(text: Text, answer: Answer, setup: Setup) -> Json:
    """Return the answer to a command, which has no buttons."""
    lines = [escape(one) for one in answer.lines]
    title = escape(fit.cut(text.title, TITLE_MAX))
    return markdown(title, [*lines, title, *_lines(text, setup)])


def robot(text: Text, shown: Shown, setup: Setup) -> Json:
    """Return a message of a custom robot; a link to decide is a button."""
    title = escape(fit.cut(text.title, TITLE_MAX))
    lines = [f"### {escape(text.title)}", *_lines(text, setup)]
    if not shown.tokens.link:
        return markdown(title, lines)
    button = {"title": shown.link_label(setup.words), "actionURL": shown.tokens.link}
    content = {"title": title, "text": "\n\n".join(lines), "btnOrientation": "0", "btns": [button]}
    return {"msgtype": "actionCard", "actionCard": content}


def card(text: Text, shown: Shown, setup: Setup) -> Json:
    """Return a card of an app, with the variables of its template."""
    words, config, message, tokens = setup.words, setup.config, shown.message, shown.tokens
    values = {
        "title": escape(text.title),
        "text": "\n\n".join(_lines(text, setup)),
        "state": message.state,
        "is_open": "true" if tokens.approve or tokens.deny else "false",
        "approve_text": words.say("button.approve"),
        "deny_text": words.say("button.deny"),
        "approve_token": tokens.approve,
        "deny_token": tokens.deny,
        "is_restorable": "true" if tokens.restore else "false",
        "restore_text": words.say("button.restore"),
        "restore_token": tokens.restore,
    }
    return {
        "outTrackId": f"{message.approval_id or message.decision_id}.{config.name}",
        "cardTemplateId": config.template,
        "callbackType": "HTTP",
        "callbackRouteKey": config.name,
        "cardData": {"cardParamMap": values},
        "openSpaceId": f"dtv1.card//IM_GROUP.{config.chat}",
        "imGroupOpenSpaceModel": {"supportForward": False},
        "imGroupOpenDeliverModel": {"robotCode": config.app},
    }
