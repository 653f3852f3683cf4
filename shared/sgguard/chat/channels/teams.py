"""Teams: a Workflows address for messages, an outgoing webhook for commands. There is no bot.

A card has no buttons that come back, only one that opens a link. Its texts are runs of a
``RichTextBlock``, which has no markdown. Commands are signed with HMAC over the whole body, which
has its time inside.

Sources: learn.microsoft.com (outgoing webhooks, Adaptive Cards 1.4, Workflows), 2026-11-28.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from sgguard.chat import base, fit, post, proof
from sgguard.chat.base import (
    Answer,
    Click,
    Command,
    Inbound,
    Json,
    Outbound,
    Part,
    Reply,
    Sent,
    Setup,
    Shown,
    Verified,
)
from sgguard.chat.manner import Manner
from sgguard.errors import SettingsError
from sgguard.events.base import parse_json
from sgguard.render.language.text import Line, Text

BYTES_MAX = 28 * 1024
HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com", "api.powerautomate.com")
"""Where Workflows addresses are; others are of the connectors that were retired, or of nobody."""

_CARD = "application/vnd.microsoft.card.adaptive"
_ACCEPTED = 202
_PREFIX = "HMAC "
_MENTION = re.compile(r"<at>[^<]{0,200}</at>")
_FRACTION = re.compile(r"\.(\d{1,6})\d*(?=Z|[+-])")


class Teams:
    """The channel ``teams``."""

    name = "teams"
    needs: Mapping[str, tuple[Part, ...]] = {"app": ("URL", "SECRET"), "webhook": ("URL",)}
    hints: Mapping[str, tuple[Part | None, str]] = {
        "DirectApiAuthorizationRequired": ("URL", "lacks its signature (sig=)"),
        "WorkflowTriggerIsNotEnabled": (None, "the workflow is switched off"),
        "401": ("URL", "is signed for another workflow, or no more"),
        "404": ("URL", "is of a workflow that was removed"),
    }
    answer_s = 5.0
    answers_buttons = False
    silence = Reply(b"{}")
    manner = Manner(app=((60, 60),), webhook=((60, 60),), replaced_most=0)

    def has_buttons(self, setup: Setup) -> bool:  # noqa: ARG002 - of the protocol
        """A card of a workflow cannot call back."""
        return False

    def render(self, shown: Shown, setup: Setup) -> Json:
        """Return a message with one Adaptive Card."""
        return fit.fit(
            shown,
            setup,
            lambda text: _message(_card(text, shown, setup)),
            lambda body: fit.size(body) <= BYTES_MAX,
        )

    def send(self, body: Json, setup: Setup, line: Outbound) -> Sent:
        """Hand the message to the workflow; it says with its status whether it took it."""
        url = setup.one("URL")
        require_address(url, setup)
        post.plain(line, "teams", "workflow", url, body, is_taken=_is_workflow)
        return Sent()

    def update(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> bool:  # noqa: ARG002
        """What a workflow posted cannot be changed."""
        return False

    def reply(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> Sent | None:  # noqa: ARG002
        """A workflow does not tell what it posted: nothing can answer it."""
        return None

    def verify(self, given: Inbound, setup: Setup, now_s: float) -> Verified:
        """Check ``HMAC`` base64 HMAC-SHA256 of the body, and the time inside of it."""
        authorization = given.headers.get("authorization", "")
        made = [
            _PREFIX + base64.b64encode(hmac.new(key, given.body, hashlib.sha256).digest()).decode()
            for key in _keys(setup)
        ]
        if not proof.is_one_of(authorization, made):
            raise proof.forged()
        payload = parse_json(given.body)
        if not isinstance(payload, dict):
            raise proof.unreadable()
        if not _is_timely(base.texts(payload, "timestamp"), now_s):
            raise proof.forged()
        return Verified(payload, base.texts(payload, "id") or authorization)

    def click(self, verified: Verified) -> Click | None:  # noqa: ARG002 - of the protocol
        """Nothing is a click: an ``invoke`` is for bots, and may be a mere refresh."""
        return None

    def command(self, verified: Verified) -> Command | None:
        """Return a message that mentions us; its markup of the mention is taken out."""
        payload = verified.payload
        if payload.get("type") != "message":
            return None
        text = _MENTION.sub(" ", base.texts(payload, "text")).replace("&nbsp;", " ")
        tenant = base.texts(payload, "channelData", "tenant", "id")
        return Command(
            user=base.texts(payload, "from", "aadObjectId"),
            tenant=tenant or base.texts(payload, "conversation", "tenantId"),
            text=text.strip(),
            chat=base.texts(payload, "channelData", "teamsChannelId"),
        )

    def answer(self, answer: Answer, verified: Verified, setup: Setup, line: Outbound) -> Reply:  # noqa: ARG002
        """Answer in the response, with a card: its texts have no markup."""
        runs = [_block("note", one) for one in answer.lines]
        if answer.shown is None:
            return fit.reply(_message(_adaptive(runs)))
        body = self.render(answer.shown, setup)
        card = body["attachments"][0]["content"]
        return fit.reply(_message({**card, "body": [*runs, *card["body"]]}))


CHANNEL = Teams()


def require_address(url: str, setup: Setup) -> None:
    """Refuse an address that is none of Workflows; it is a secret, and never repeated.

    Raises:
        SettingsError: the message names the variable.
    """
    variable = base.variable_of(setup.config.name, "URL")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    is_theirs = parts.scheme == "https" and any(host.endswith(one) for one in HOSTS)
    # A machine's own: for tests, and for a relay that its operator runs.
    is_own = parts.scheme == "http" and host in ("127.0.0.1", "localhost", "::1")
    if not (is_theirs or is_own):
        raise SettingsError(f"{variable}: expected the address of a Workflows trigger")


def _is_workflow(response: httpx.Response) -> bool:
    """Return whether a workflow answered: it takes with 202, or says what it was built to say."""
    is_page = response.headers.get("content-type", "").lower().startswith("text/html")
    return response.status_code == _ACCEPTED or not is_page


def _keys(setup: Setup) -> list[bytes]:
    found = []
    for one in setup.every("SECRET"):
        try:
            found.append(base64.b64decode(one, validate=True))
        except (binascii.Error, ValueError):
            variable = base.variable_of(setup.config.name, "SECRET")
            raise SettingsError(f"{variable}: expected the security token, in base64") from None
    return found


def _is_timely(text: str, now_s: float) -> bool:
    """Return whether a time of RFC 3339 is within the window; Teams writes seven digits."""
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r".\1", text).upper())
    except ValueError:
        return False
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return abs(now_s - aware.timestamp()) <= proof.WINDOW_S


def _message(card: Json) -> Json:
    return {"type": "message", "attachments": [{"contentType": _CARD, "content": card}]}


def _adaptive(body: list[Json]) -> Json:
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }


def _card(text: Text, shown: Shown, setup: Setup) -> Json:
    body = [_block("title", text.title), *(_labelled(one, setup) for one in text.lines)]
    card = _adaptive(body)
    actions = [
        {"type": "Action.OpenUrl", "title": title, "url": url}
        for title, url in (
            (shown.link_label(setup.words), shown.tokens.link),
            (setup.words.say("label.whole"), shown.whole),
        )
        if url
    ]
    return {**card, "actions": actions} if actions else card


def _labelled(one: Line, setup: Setup) -> Json:
    said = setup.words.say("line", label=one.label, text="")
    runs = [{"type": "TextRun", "text": said, "weight": "Bolder"}, _run(one.text)]
    return {"type": "RichTextBlock", "inlines": runs}


def _block(kind: str, text: str) -> Json:
    style = {"size": "Medium", "weight": "Bolder"} if kind == "title" else {}
    return {"type": "RichTextBlock", "inlines": [{**_run(text), **style}]}


def _run(text: str) -> Json:
    return {"type": "TextRun", "text": text}
