"""Callbacks of chat channels over HTTP: whose they are, what they carry, and the response.

A function has one address for all channels. A callback belongs to the channel whose secret signed
it; ``?channel=NAME`` in the address leaves only that one. What no channel signed is refused, before
anything else is looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping

import msgspec

from sgguard.chat import clicks, commands, token
from sgguard.chat.base import (
    Answer,
    Channel,
    Command,
    Inbound,
    Outbound,
    Reply,
    Setup,
    Verified,
    kinds,
    setup_of,
)
from sgguard.chat.proof import forged
from sgguard.chat.surface import SURFACE
from sgguard.engine.context import Context
from sgguard.errors import EventError, SettingsError, SgguardError
from sgguard.telemetry import logs
from sgguard.telemetry.redaction import redacted
from sgguard.web import problem
from sgguard.web.response import Response, of_problem
from sgguard.web.surface import Surface
from sgguard.wire.client import Wire

_BAD = 400


class _Signed(msgspec.Struct, frozen=True):
    """A callback that a channel signed."""

    channel: Channel
    setup: Setup
    verified: Verified


class Callbacks(msgspec.Struct, frozen=True):
    """The pages of the function ``chat`` (:class:`sgguard.web.endpoint.Pages`), for one request."""

    query: Mapping[str, str]

    def surface(self) -> Surface:
        """Return what is taken here beside events."""
        return SURFACE

    def show(
        self,
        method: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],  # noqa: ARG002 - of the protocol
        begin: Callable[[], Context],
    ) -> Response | None:
        """Answer a vendor's check of the address by GET; None for every other GET."""
        if method != "GET" or "echostr" not in query:
            return None
        try:
            context = begin()
            given = Inbound("GET", query, {}, b"")
            return _response(_handshake(_signed(given, context, query)[0]))
        except Exception as error:  # noqa: BLE001 - the framework's own page would hold less
            return of_problem(problem.of(error))

    def submit(
        self, headers: Mapping[str, str], content: bytes, context: Context
    ) -> Response | None:
        """Answer a callback; None where the body is an event of ours.

        Raises:
            EventError: 403 no channel signed it; 400 it cannot be read.
            SgguardError: it could not be answered now.
        """
        if _is_event(headers):
            return None
        given = Inbound("POST", self.query, headers, content)
        return _response(_answered(_signed(given, context, self.query), context))


def line_of(channel: Channel, context: Context, key: str = "") -> Outbound:
    """Return the network of a channel, within the time of the context."""
    wire = Wire(channel.name, context.deadline, transport=context.transport, retry=context.retry)
    return Outbound(wire, context.now, key)


def channels_of(context: Context) -> Iterator[tuple[Channel, Setup]]:
    """Yield the channels of the policy, each with its secrets."""
    for config in context.policy.channels:
        yield kinds()[config.kind], setup_of(config, context.env)


def _is_event(headers: Mapping[str, str]) -> bool:
    """Whether a body is a CloudEvent: no channel sends one."""
    kind = headers.get("content-type", "").lower()
    return "ce-id" in headers or kind.startswith("application/cloudevents")


def _signed(given: Inbound, context: Context, query: Mapping[str, str]) -> list[_Signed]:
    """Return the callback as each channel reads it whose secret signed it.

    Several do where several chats share one app; the token, or the chat, says which it is.
    """
    wanted = query.get("channel", "")
    found: list[_Signed] = []
    problems: list[SgguardError] = []
    for channel, setup in channels_of(context):
        if wanted not in ("", setup.config.name):
            continue
        try:
            verified = channel.verify(given, setup, context.now())
        except EventError as error:
            problems.append(error)
        except SettingsError as error:
            logs.log(logging.WARNING, "chat", where=setup.config.name, detail=str(error))
            problems.append(error)
        else:
            found.append(_Signed(channel, setup, verified))
    if found:
        return found
    if any(isinstance(one, SettingsError) for one in problems):
        raise next(one for one in problems if isinstance(one, SettingsError))
    unread = [one for one in problems if isinstance(one, EventError) and one.status == _BAD]
    # Of a body that nobody signed nothing is said but that.
    raise unread[0] if unread and len(unread) == len(problems) else forged()


def _handshake(signed: _Signed) -> Reply:
    if signed.verified.handshake is None:
        raise forged()
    return signed.verified.handshake


def _answered(signed: list[_Signed], context: Context) -> Reply:
    first = signed[0]
    if first.verified.handshake is not None:
        return first.verified.handshake
    click = first.channel.click(first.verified)
    if click is not None:
        one = _owner(signed, click.token, context)
        # Read again: channels of one app differ in what they call their tenant.
        its_own = one.channel.click(one.verified) or click
        answer = clicks.decide(its_own, one.verified, one.channel, one.setup, context)
        return _said(answer, one, context)
    command = first.channel.command(first.verified)
    if command is not None:
        one = _addressed(signed, command)
        its_command = one.channel.command(one.verified) or command
        answer_once = commands.once(its_command, one.verified, one.channel, one.setup, context)
        return one.channel.silence if answer_once is None else _said(answer_once, one, context)
    # Every other kind of callback decides nothing, and is taken so that it does not come again.
    logs.log(logging.INFO, "chat callback ignored", where=first.setup.config.name)
    return first.channel.silence


def _owner(signed: list[_Signed], text: str, context: Context) -> _Signed:
    """Return the channel that the token is for; the first where it is for none of them."""
    try:
        given = token.read(text, context, now_s=0.0)
    except EventError:
        return signed[0]
    return next((one for one in signed if one.setup.config.name == given.approver), signed[0])


def _addressed(signed: list[_Signed], command: Command) -> _Signed:
    chat = command.chat
    return next((one for one in signed if chat and one.setup.config.chat == chat), signed[0])


def _said(answer: Answer, one: _Signed, context: Context) -> Reply:
    """Return the response; an answer that cannot be sent changes nothing about what was done."""
    try:
        return one.channel.answer(answer, one.verified, one.setup, line_of(one.channel, context))
    except SgguardError as error:
        logs.log(logging.WARNING, "chat answer", where=one.setup.config.name, detail=str(error))
        return one.channel.silence


def _response(reply: Reply) -> Response:
    headers = {"Content-Type": reply.content_type, "Cache-Control": "no-store"}
    body = redacted(reply.body.decode(errors="replace")).encode()
    return Response(reply.status, body, headers)
