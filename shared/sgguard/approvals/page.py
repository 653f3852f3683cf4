"""The pages an approver sees: the plan with two buttons, or what became of their decision.

Each is one file without script or link. Text from clouds and callers is put on one
line and escaped. Every group and every step is on it: what is approved is what is seen.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from sgguard.render.wording import one_line

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1b1b;background:#fff}h1{font-size:1.3rem}h2{font-size:1rem;margin:1.5rem 0 .3rem}"
    "dt{color:#555}dd{margin:0 0 .5rem;overflow-wrap:anywhere}li{overflow-wrap:anywhere}"
    "form{display:inline-block;margin:1.5rem 1rem 0 0}button{font:inherit;padding:.5rem 1.5rem;"
    "border:1px solid #555;border-radius:.3rem;background:#fff;cursor:pointer}"
    ".approve{background:#0a5c2b;border-color:#0a5c2b;color:#fff}"
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


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """What the page of an approval request shows; ``tokens`` belong to the buttons, by action."""

    approver: str
    requester: str
    target: Sequence[str]
    reasons: Sequence[str]
    plan: Sequence[str]
    unseen: Sequence[str]
    expires: str
    tokens: dict[str, str]


def approval_page(view: ApprovalView) -> bytes:
    """Return the page of an approval request; to read it changes nothing."""
    buttons = "".join(_button(action, token) for action, token in view.tokens.items())
    return _page(
        "Approve this plan?",
        _facts(
            ("Requested by", view.requester or "unknown"),
            ("You decide as", view.approver),
            ("Expires", view.expires),
        ),
        _list("Groups", view.target, "ul"),
        _list("Reasons", view.reasons, "ul"),
        _list("Not seen", view.unseen, "ul"),
        _list("Plan, in this order", view.plan, "ol"),
        buttons,
    )


def message_page(title: str, lines: Iterable[str]) -> bytes:
    """Return a page with a message and no buttons."""
    return _page(title, *(f"<p>{_text(line)}</p>" for line in lines))


def _page(title: str, *parts: str) -> bytes:
    head = f"<title>{_text(title)}</title><style>{_STYLE}</style>"
    viewport = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    body = f"<h1>{_text(title)}</h1>{''.join(parts)}"
    page = (
        f'<!doctype html><html lang="en"><head>{viewport}{head}</head><body>{body}</body></html>\n'
    )
    return page.encode(errors="replace")


def _facts(*facts: tuple[str, str]) -> str:
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts)
    return f"<dl>{rows}</dl>"


def _list(title: str, lines: Sequence[str], kind: str) -> str:
    if not lines:
        return ""
    shown = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f"<h2>{_text(title)}</h2><{kind}>{shown}</{kind}>"


def _button(action: str, token: str) -> str:
    # The action drops the page's own query: the token there is that of the link.
    hidden = f'<input type="hidden" name="token" value="{escape(token)}">'
    name = escape(action)
    label = escape(action.capitalize())
    return f'<form method="post" action="?">{hidden}<button class="{name}">{label}</button></form>'


def _text(text: str) -> str:
    return escape(one_line(text, _TEXT_MAX))
