"""Why a call failed, as a sentence: in English the whole text of the error, else call and code."""

from __future__ import annotations

from typing import TypeVar

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
)
from sgguard.model.sentence import Sentence, said

E = TypeVar("E", bound=Exception)


def explained(error: E, sentence: Sentence) -> E:
    """Return an error with what it says in no language, where a call and its code do not tell."""
    error.sentence = sentence  # type: ignore[attr-defined]  # every error of ours has one, or None
    return error


def failure_of(error: Exception) -> Sentence:
    """Return what an error says; of a cloud's in another language the call and the cloud's code.

    Of an error that has no sentence only its English text is known: other languages refer to it.
    """
    sentence = getattr(error, "sentence", None)
    if isinstance(sentence, Sentence):
        return sentence
    if isinstance(error, CloudError):
        if error.code:
            return said("why.call", text=str(error), action=error.action, code=error.code)
        return _without_code(error)
    return said("why.told", text=str(error), code="not-told")


def _without_code(error: CloudError) -> Sentence:
    """Return what kind of failure it is: no answer came, or it was found by reading."""
    text, action = str(error), error.action
    found = said("why.call-odd", text=text, action=action)
    match error:
        case UnreachableError():
            found = said("why.unreached", text=text, action=action)
        case ThrottledError():
            found = said("why.throttled", text=text, action=action)
        case UnavailableError():
            found = said("why.unavailable", text=text, action=action)
        case UnauthenticatedError() | ForbiddenError():
            found = said("why.unpermitted", text=text, action=action)
        case ApiAbsentError():
            found = said("why.absent", text=text, action=action)
        case NotFoundError():
            found = said("why.missing", text=text)
        case ConflictError():
            found = said("why.otherwise", text=text)
    return found
