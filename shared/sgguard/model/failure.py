"""Why a call failed, as a sentence: in English the whole text of the error, else call and code."""

from __future__ import annotations

from sgguard.errors import CloudError
from sgguard.model.sentence import Sentence, said


def failure_of(error: Exception) -> Sentence:
    """Return what an error says; of a cloud's in another language the call and the cloud's code.

    Of an error that has no sentence only its English text is known: other languages refer to it.
    """
    if isinstance(error, CloudError):
        if error.code:
            return said("why.call", text=str(error), action=error.action, code=error.code)
        return said("why.call-odd", text=str(error), action=error.action)
    sentence = getattr(error, "sentence", None)
    if isinstance(sentence, Sentence):
        return sentence
    return said("why.told", text=str(error), code="not-told")
