"""What the note of a decision says while it waits for an approval, or waits no more."""

from __future__ import annotations

from sgguard.model.sentence import Sentence, said

CHANGED = said("note.changed")
"""Why nothing was done on an approval."""


def waiting(approval_id: str, *, is_changed: bool) -> tuple[Sentence, ...]:
    """Return how the request is approved, and that its facts are others than before."""
    if is_changed:
        return CHANGED, said("note.new-plan-waits", approval=approval_id)
    return (said("note.waits", approval=approval_id),)
