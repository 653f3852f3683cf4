"""The pages an approver sees: the plan with two buttons, or what became of their decision.

Each is one file without script, for a phone first. Text from clouds and callers is put on one
line and escaped. Every group and every step is on it: what is approved is what is seen.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import msgspec

from sgguard.render.language.words import Words
from sgguard.render.wording import one_line

# Colours as (light, dark). Each text has a contrast of 4.5 or more to what it stands on, each
# border of 3 or more (WCAG 2.2, 1.4.3 and 1.4.11); a test computes it.
COLOURS = {
    "ground": ("#ffffff", "#15181c"),
    "text": ("#1b1f24", "#e6e9ed"),
    "quiet": ("#57606a", "#a3acb8"),
    "line": ("#6e7781", "#7d8793"),
    "go": ("#0a5c2b", "#7ee2a8"),
    "on-go": ("#ffffff", "#0b2616"),
    "link": ("#0a4f9e", "#8fc2ff"),
}


def _variables(index: int) -> str:
    return ";".join(f"--{name}:{both[index]}" for name, both in COLOURS.items())


_STYLE = (
    f":root{{color-scheme:light dark;{_variables(0)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_variables(1)}}}}}"
    "body{font:16px/1.5 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
    "max-width:44rem;margin:1.5rem auto;padding:0 1rem;color:var(--text);background:var(--ground)}"
    "h1{font-size:1.35rem;line-height:1.3;margin:.5rem 0}h2{font-size:1rem;margin:1.5rem 0 .3rem}"
    "dl{margin:1rem 0}dt{color:var(--quiet)}dd{margin:0 0 .5rem;overflow-wrap:anywhere}"
    "ul,ol{margin:.3rem 0;padding-left:1.5rem}li{margin:.2rem 0;overflow-wrap:anywhere}"
    "p{overflow-wrap:anywhere}.other{float:right;color:var(--link);padding:.6rem 0 .6rem 1rem}"
    "form{margin:1rem 0 0}button{font:inherit;width:100%;min-height:3rem;padding:.5rem 1.5rem;"
    "border:1px solid var(--line);border-radius:.4rem;background:var(--ground);color:var(--text);"
    "cursor:pointer}button:focus-visible,a:focus-visible{outline:3px solid var(--link);"
    "outline-offset:2px}"
    "button.approve{background:var(--go);border-color:var(--go);color:var(--on-go)}"
    ".picture{width:100%;max-width:30rem;height:auto;display:block}"
    ".box{fill:none;stroke:var(--line)}.about{stroke:var(--text);stroke-width:2}"
    ".line{fill:none;stroke:var(--line)}.dashed{stroke-dasharray:4 3}.tip{fill:var(--line)}"
    ".name{font:13px system-ui,sans-serif;fill:var(--text)}"
    ".how{font:12px system-ui,sans-serif;fill:var(--quiet)}"
    "@media(min-width:40rem){form{display:inline-block;margin-right:1rem}button{width:auto}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Sent with every page: nothing is loaded, framed, cached or sent on."""

_TEXT_MAX = 4000
"""Longer than any step; a list has as many lines as it has entries."""


class ApprovalView(msgspec.Struct, frozen=True):
    """What the page of an approval request shows; ``tokens`` belong to the buttons, by action.

    ``picture`` is an SVG element of our own, everything else is text.
    """

    verdict: str
    approver: str
    requester: str
    place: str
    target: Sequence[str]
    reasons: Sequence[str]
    plan: Sequence[str]
    unseen: Sequence[str]
    expires: str
    picture: str
    tokens: dict[str, str]


def approval_page(view: ApprovalView, words: Words, other: str) -> bytes:
    """Return the page of an approval request; to read it changes nothing.

    ``other`` is the query of the same page in the other language.
    """
    buttons = "".join(_button(action, token, words) for action, token in view.tokens.items())
    return _page(
        words.say("page.title"),
        words,
        f"<p>{_text(view.verdict)}</p>",
        _list(words.say("label.groups"), view.target, "ul"),
        _facts(
            (words.say("label.place"), view.place),
            (words.say("label.requester"), view.requester or words.say("requester.unknown")),
            (words.say("page.approver"), view.approver),
            (words.say("label.until"), view.expires),
        ),
        _list(words.say("page.why"), view.reasons, "ul"),
        _list(words.say("page.unseen"), view.unseen, "ul"),
        _list(words.say("page.plan"), view.plan, "ol"),
        buttons,
        f"<h2>{_text(words.say('page.picture'))}</h2>{view.picture}" if view.picture else "",
        before=_other(other, words),
    )


class RestoreView(msgspec.Struct, frozen=True):
    """What the page of a restore shows; ``token`` permits it, ``plan_hash`` says what was seen."""

    verdict: str
    decision: str
    person: str
    place: str
    target: Sequence[str]
    plan: Sequence[str]
    left_out: Sequence[str]
    until: str
    token: str
    plan_hash: str
    is_changed: bool = False


def restore_page(view: RestoreView, words: Words, other: str) -> bytes:
    """Return the page of a restore; to read it changes nothing. It has a button if it has a plan.

    ``other`` is the query of the same page in the other language.
    """
    fields = {"restore": view.token, "plan": view.plan_hash}
    button = _form("approve", words.say("page.restore-button"), fields, words)
    return _page(
        words.say("page.restore-title"),
        words,
        f"<p>{_text(words.say('page.restore-changed'))}</p>" if view.is_changed else "",
        f"<p>{_text(view.verdict)}</p>",
        _list(words.say("label.groups"), view.target, "ul"),
        _facts(
            (words.say("label.place"), view.place),
            (words.say("page.restore-decision"), view.decision),
            (words.say("page.restore-by"), view.person),
            (words.say("page.restore-until"), view.until),
        ),
        _list(words.say("page.restore-plan"), view.plan, "ol"),
        _list(words.say("page.restore-left"), view.left_out, "ul"),
        f"<p>{_text(words.say('page.restore-note' if view.plan else 'page.restore-nothing'))}</p>",
        button if view.plan else "",
        before=_other(other, words),
    )


def message_page(title: str, lines: Iterable[str], words: Words) -> bytes:
    """Return a page with a message and no buttons."""
    return _page(title, words, *(f"<p>{_text(line)}</p>" for line in lines))


def _page(title: str, words: Words, *parts: str, before: str = "") -> bytes:
    head = f"<title>{_text(title)}</title><style>{_STYLE}</style>"
    viewport = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    )
    body = f"{before}<h1>{_text(title)}</h1>{''.join(parts)}"
    page = (
        f'<!doctype html><html lang="{_tag(words.language)}"><head>{viewport}{head}</head>'
        f"<body>{body}</body></html>\n"
    )
    return page.encode(errors="replace")


def _tag(language: str) -> str:
    return "zh-CN" if language == "zh" else language


def _facts(*facts: tuple[str, str]) -> str:
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts)
    return f"<dl>{rows}</dl>"


def _list(title: str, lines: Sequence[str], kind: str) -> str:
    if not lines:
        return ""
    shown = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f"<h2>{_text(title)}</h2><{kind}>{shown}</{kind}>"


def _other(query: str, words: Words) -> str:
    """Return the link to the same page in the other language."""
    named = _text(words.say("page.other"))
    return f'<a class="other" lang="{_tag(query[-2:])}" href="?{escape(query)}">{named}</a>'


def _button(action: str, token: str, words: Words) -> str:
    return _form(action, words.say(f"page.{action}"), {"token": token}, words)


def _form(name: str, label: str, fields: Mapping[str, str], words: Words) -> str:
    # The action drops the page's own query, where the token is that of the link.
    hidden = "".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">'
        for key, value in {"lang": words.language, **fields}.items()
    )
    button = f'<button class="{escape(name)}">{_text(label)}</button>'
    return f'<form method="post" action="?">{hidden}{button}</form>'


def _text(text: str) -> str:
    return escape(one_line(text, _TEXT_MAX))
