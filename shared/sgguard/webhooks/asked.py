"""A request that names a callback: permitted at once, or refused at once with what would be."""

from __future__ import annotations

from sgguard.engine.context import Context
from sgguard.errors import EventError, KeysError, Problem, SettingsError
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.sentence import Text, said
from sgguard.render.language.refusal import refusal
from sgguard.webhooks import sign
from sgguard.webhooks.url import Refusal, judged


def require_permitted(request: object, context: Context) -> None:
    """Refuse a callback that would never be delivered. Its name is not looked up here.

    Raises:
        EventError: 422, the policy does not permit it, or nothing is kept here.
    """
    url = request.callback if isinstance(request, DeleteRequest | LaunchRequest) else ""
    if not url:
        return
    found = judged(url, context.policy.callbacks)
    if isinstance(found, Refusal):
        raise _refused(found.why, found.expected)
    if context.store is None:
        raise _refused(said("wrong.no-store"), said("right.no-callback"))


def require_usable(context: Context) -> None:
    """Refuse to start with keys that cannot sign.

    Raises:
        SettingsError: a key cannot be read, or is none.
    """
    callbacks = context.policy.callbacks
    if callbacks.hosts or callbacks.loopback:
        try:
            sign.keys(callbacks.keys, context.env)
        except KeysError as error:
            raise SettingsError(f"callbacks: {error}") from None


def _refused(why: Text, expected: Text) -> EventError:
    problem = Problem("/callback", why, expected)
    message = said("unread.callback", why=why, right=expected)
    return refusal(EventError, message, status=422, problems=(problem,))
