"""``sgguard callbacks``: make a key, and test an address by the judgement of every delivery."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from typing import Any

import click

from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.options import JSON_OPTION, KEPT_TEXT, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import line, print_json
from sgguard.engine.context import Context
from sgguard.outbox.base import Gone, Later, Sent
from sgguard.render.language.sentence import whole_english
from sgguard.webhooks import sign
from sgguard.webhooks.outgoing import event
from sgguard.webhooks.resolve import Pinned, pinned
from sgguard.webhooks.send import send
from sgguard.webhooks.url import Refusal

Json = dict[str, Any]

TEST_TYPE = "sgguard.callback.test.v1"
_FOUND = 1
_KEY_BYTES = 32
_VARIABLE = "SGG_CALLBACK_KEY"


@group(
    short_help="Make keys of callbacks, and test an address.",
    epilog=epilog(
        "sgguard callbacks key",
        "sgguard callbacks test https://hooks.example.com/sgguard",
        exit_codes="0 success, 1 refused or not taken (callbacks test), 2 error",
    ),
)
def callbacks() -> None:
    """Make the keys that sign callbacks, and test an address as a delivery would be.

    A request may name a callback, an address that is told its decision. The policy's table
    [callbacks] says which hosts are permitted, and where the keys are: deploy/callbacks.md.
    """


@callbacks.command(
    short_help="Print a new key and its row for the policy.",
    epilog=epilog("sgguard callbacks key", "sgguard callbacks key --json"),
)
@JSON_OPTION
def key(*, as_json: bool) -> None:
    """Print a new key (Standard Webhooks), once, and the table that makes the policy use it.

    To rotate, put the new key first and leave the old one beside it: both sign until every
    receiver knows the new one.
    """
    made = sign.PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    row = f'[callbacks]\nhosts = ["hooks.example.com"]\nkeys = [{{ env = "{_VARIABLE}" }}]\n'
    if as_json:
        print_json({"key": made, "row": row})
        return
    terminal.say(
        f"The key, shown this once:\n{made}\n\nSet it as {_VARIABLE} where functions run and "
        f"callbacks are delivered, and at the receiver.\n\nFor the policy:\n{row.rstrip()}"
    )


@callbacks.command(
    short_help="Judge an address, and send it a test.",
    epilog=epilog(
        "sgguard callbacks test https://hooks.example.com/sgguard",
        "sgguard callbacks test https://hooks.example.com/sgguard --dry-run",
        exit_codes="0 taken (or permitted), 1 refused or not taken, 2 error",
    ),
)
@click.argument("url", metavar="URL", type=KEPT_TEXT)
@click.option("--dry-run", is_flag=True, help="Judge the address and look it up; send nothing.")
@POLICY_OPTION
@JSON_OPTION
def test(url: str, policy: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Judge URL as a request and a delivery do, and send it a signed test message.

    Its path and query are not printed: they may hold a secret.
    """
    found = _judged(url, from_options(policy), is_dry=dry_run)
    if as_json:
        print_json(found)
    else:
        if found["addresses"]:
            terminal.say(line(f"{found['host']} resolves to {', '.join(found['addresses'])}."))
        terminal.say(line(found["result"]))
    return 0 if found["ok"] else _FOUND


def _judged(url: str, context: Context, *, is_dry: bool) -> Json:
    callbacks = context.policy.callbacks
    with terminal.waiting("callback"):
        to = pinned(url, callbacks)
        if isinstance(to, Refusal):
            right = f" (expected {whole_english(to.expected)})" if to.expected else ""
            found = f"refused: the address {whole_english(to.why)}{right}"
            return _document("", (), found, is_ok=False)
        return _tried(url, to, context, is_dry=is_dry)


def _tried(url: str, to: Pinned, context: Context, *, is_dry: bool) -> Json:
    host = to.endpoint.host
    # Keys that cannot sign are found without sending, too.
    sign.keys(context.policy.callbacks.keys, context.env)
    if is_dry:
        return _document(host, to.addresses, "permitted; nothing was sent", is_ok=True)
    message_id = f"test-{uuid.uuid4().hex}"
    body = event(message_id, context.now(), {"test": True}, TEST_TYPE)
    match send(url, message_id, body, context.policy.callbacks, context.env, now=context.now):
        case Sent(reference):
            words = f"taken: {host} answers {json.loads(reference)['status']}"
            return _document(host, to.addresses, words, is_ok=True)
        case Later(why=why) | Gone(why=why):
            return _document(host, to.addresses, f"not taken: {why}", is_ok=False)


def _document(host: str, addresses: tuple[str, ...], result: str, *, is_ok: bool) -> Json:
    return {"ok": is_ok, "host": host, "addresses": list(addresses), "result": result}
