"""What is kept of a message that was sent: what its channel calls it, and what it says."""

from __future__ import annotations

import json
from typing import Self

import msgspec
from msgspec.structs import asdict


class Kept(msgspec.Struct, frozen=True):
    """One message of one decision in one channel. ``digest`` is the SHA-256 of what it says.

    ``thread`` is the message that it answers in a thread; empty: it stands by itself.

    ``missed`` are the readers whom the channel did not reach, by its own ids.
    ``is_digest``: the decision was told in a message that stands for many, and has none of its own.
    """

    message_id: str = ""
    chat: str = ""
    thread: str = ""
    digest: str = ""
    approval_id: str = ""
    replaced: int = 0
    sent_at_s: float = 0.0
    is_sent: bool = True
    is_digest: bool = False
    missed: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Self:
        """Read what :meth:`text` wrote; empty: nothing was sent. Unknown fields are left out."""
        if not text:
            return cls(is_sent=False)
        known = cls.__struct_fields__
        given = {key: value for key, value in json.loads(text).items() if key in known}
        return cls(**{**given, "missed": tuple(given.get("missed", ()))})

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), sort_keys=True)
