"""One thing that is not at its end: what it is, why it is not, and what will happen to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from sgguard.model.sentence import Sentence, Text, as_sentence
from sgguard.render.kept import joined
from sgguard.render.language.sentence import whole_english
from sgguard.render.said import sentence_json
from sgguard.render.values import time_json

Json = dict[str, Any]

State = Literal[
    "open", "stuck", "unreadable", "unkept", "unbegun", "approved", "pending", "unheard", "event"
]


class Unresolved(msgspec.Struct, frozen=True):
    """One thing that is not at its end.

    ``open`` and ``stuck`` runs, ``unreadable`` ones that this sgguard cannot carry on, ``unkept``
    ones that ended without their decision; decisions that are ``unbegun`` or ``approved`` and not
    started; questions that are ``pending``, or settled and ``unheard``; an ``event`` without an
    answer. ``note`` is what a run left. ``since_s`` is when it began, in seconds since 1970-01-01
    UTC; ``cause`` and ``then`` say for a person why it is not at its end, and what will happen.
    """

    decision_id: str
    state: State
    target: tuple[str, ...]
    since_s: float
    note: tuple[Text, ...] = ()
    cause: Text = ""
    then: Text = ""
    approval_id: str = ""

    @property
    def why(self) -> str:
        """Return in English why it is not at its end."""
        return whole_english(self.cause)

    @property
    def next(self) -> str:
        """Return in English what will happen to it."""
        return whole_english(self.then)

    @property
    def needs_operator(self) -> bool:
        """Whether nothing but a person moves it."""
        return self.state in ("stuck", "unreadable")

    def to_json(self) -> Json:
        """Return it as a JSON document."""
        return {
            "decision_id": self.decision_id,
            "approval_id": self.approval_id,
            "state": self.state,
            "target": list(self.target),
            "since": time_json(datetime.fromtimestamp(self.since_s, UTC)),
            "why": self.why,
            "next": self.next,
            "note": joined(self.note),
            "notes": [sentence_json(one) for one in self.note if isinstance(one, Sentence)],
            "sentences": {
                name: sentence_json(as_sentence(one))
                for name, one in (("why", self.cause), ("next", self.then))
                if one
            },
        }
