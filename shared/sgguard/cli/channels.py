"""``sgguard channels``: the chats of the policy, a test of one, and what one would be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import click
from msgspec.structs import replace

from sgguard.chat import deliver, preview, trial
from sgguard.chat.base import Channel, Setup, kinds, setup_of, variable_of
from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.options import JSON_OPTION, KEPT_TEXT, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import line, print_json
from sgguard.cli.records import with_store
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import CloudError, InputError
from sgguard.model.codes import Verdict
from sgguard.operations import trail
from sgguard.store import open_store

Json = dict[str, Any]

_NAME = click.argument("name", metavar="NAME", type=KEPT_TEXT)


@group(
    short_help="List, test and preview chat channels.",
    epilog=epilog(
        "sgguard channels list",
        "sgguard channels test ops",
        "sgguard channels preview 5f0c8e71… --channel ops",
    ),
)
def channels() -> None:
    """List the chat channels of the policy, test one, or show what it would be sent.

    Channels and routes are [[channel]] and [[route]] of the policy; their secrets are in
    SGGUARD_CHAT_<CHANNEL>_<PART>. deploy/chat.md has both.
    """


@channels.command(
    "list",
    short_help="List channels, and what each lacks.",
    epilog=epilog("sgguard channels list", "sgguard channels list --json"),
)
@POLICY_OPTION
@JSON_OPTION
def list_(policy: str | None, *, as_json: bool) -> None:
    """List the channels: kind, language, who may act there, and the secrets that are missing."""
    context = from_options(policy)
    found = [_document(*one) for one in _each(context)]
    if as_json:
        print_json(found)
        return
    if not found:
        terminal.say("The policy has no channels.")
    terminal.page(text for one in found for text in _lines(one))


def _each(context: Context) -> Iterator[tuple[Channel, Setup]]:
    for config in context.policy.channels:
        yield kinds()[config.kind], setup_of(config, context.env)


def _document(channel: Channel, setup: Setup) -> Json:
    config = setup.config
    return {
        "name": config.name,
        "kind": config.kind,
        "way": config.way,
        "language": config.language,
        "zone": config.zone,
        "chat": config.chat,
        "people": sorted(set(config.users.values())),
        "has_buttons": channel.has_buttons(setup),
        "missing": [variable_of(config.name, one) for one in deliver.missing(channel, setup)],
    }


def _lines(one: Json) -> Iterator[str]:
    buttons = "buttons" if one["has_buttons"] else "no buttons"
    yield line(f"{one['name']}  {one['kind']} ({one['way']}), {one['language']}, {buttons}")
    yield line(f"people: {', '.join(one['people']) or 'nobody'}", 2)
    if one["missing"]:
        yield line(f"not set: {', '.join(one['missing'])}", 2)


@channels.command(
    short_help="Send a test message to one channel.",
    epilog=epilog(
        "sgguard channels test ops",
        exit_codes="0 everybody was reached, 1 some readers were not, 2 error",
    ),
)
@_NAME
@POLICY_OPTION
@JSON_OPTION
def test(name: str, policy: str | None, *, as_json: bool) -> int:
    """Send a message that says it is a test, through the outbox like every message.

    Where it is refused, the credential, scope or chat that is wrong is named, and so are readers
    whom a channel that took it did not reach. Without a store the outbox is one of this command's
    own.
    """
    given = from_options(policy)
    channel, setup = _one(name, given)
    try:
        with _outbox(given) as context, terminal.waiting(f"channel {name}"):
            sent = trial.send(name, context)
    except CloudError as error:
        if hint := preview.hint(error, channel, setup):
            terminal.note(hint)
        raise
    if as_json:
        print_json({"channel": name, "message_id": sent.message_id, "missed": [*sent.missed]})
    else:
        terminal.say(line(f"Sent to {name} ({channel.name})."))
    if not sent.missed:
        return EXIT_CODES[Verdict.ALLOW]
    terminal.note(
        f"not reached: {', '.join(sent.missed)}; chat names them, and they are not known or may "
        "not see the app"
    )
    return EXIT_CODES[Verdict.BLOCK]


@contextmanager
def _outbox(context: Context) -> Iterator[Context]:
    """Yield the context with its store, or with one that lasts as long as the command."""
    if context.store is not None:
        yield context
        return
    with (
        TemporaryDirectory(prefix="sgguard-") as folder,
        closing(open_store(f"sqlite:///{folder}/test.db", context.now)) as store,
    ):
        yield replace(context, store=store)


@channels.command(
    "preview",
    short_help="Show what a channel would be sent about a decision.",
    epilog=epilog(
        "sgguard channels preview 5f0c8e71… --channel ops",
        "sgguard channels preview 5f0c8e71… --channel ops --json",
    ),
)
@click.argument("decision", metavar="DECISION", type=KEPT_TEXT)
@click.option("--channel", "name", required=True, metavar="NAME", help="The channel's name.")
@POLICY_OPTION
@JSON_OPTION
def preview_(decision: str, name: str, policy: str | None, *, as_json: bool) -> None:
    """Show the message of a decision as a channel would be sent it; nothing is sent.

    DECISION is its id, or the beginning of one. The text is approximate; --json gives the whole
    request. Secrets of buttons are left out.
    """
    context = with_store(policy)
    store = Executor.of(context).store
    record = store.decision(trail.whole_decision_id(store, decision))
    if record is None:
        raise InputError(f"there is no decision {decision!r}")
    channel, setup = _one(name, context)
    document = json.loads(record.document_json)
    body = preview.body(document, record.requester, channel, setup, context)
    if as_json:
        print_json(body)
        return
    terminal.page(line(one) for one in preview.text(body))


def _one(name: str, context: Context) -> tuple[Channel, Setup]:
    found = {setup.config.name: (channel, setup) for channel, setup in _each(context)}
    if name not in found:
        known = ", ".join(found) or "none"
        raise InputError(f"the policy has no channel {name!r}: there are {known}")
    return found[name]
