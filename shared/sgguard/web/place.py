"""Where in an event's data the part stands that a cloud, or what is set up here, cannot take."""

from __future__ import annotations

from sgguard.errors import CloudError, InputError, NotSetUpError, Part, Problem
from sgguard.model.failure import failure_of
from sgguard.model.sentence import Sentence, Text, said
from sgguard.render.language.refusal import sentence_of


def problems_of(error: Exception, data: object) -> tuple[Problem, ...]:
    """Return what is wrong with an event whose data could be read, each with its path.

    ``error`` is what came of it, of a kind that no later delivery can change.
    """
    return (Problem(_path(_part(error), data), _wrong(error), _EXPECTED[_part(error)]),)


def _wrong(error: Exception) -> Sentence:
    if isinstance(error, CloudError):
        return said("wrong.for-the-cloud", text=str(error), why=failure_of(error))
    return sentence_of(error) or said("wrong.impossible", text=str(error))


_EXPECTED: dict[str, Text] = {
    "": "",
    "provider": said("right.cloud-here"),
    "account": said("right.account-here"),
    "region": said("right.region-of-cloud"),
}


def _part(error: Exception) -> Part:
    if isinstance(error, NotSetUpError):
        return "provider"
    if isinstance(error, InputError):
        return error.part
    # The clouds' codes name it: UnsupportedRegion, InvalidRegionId.NotFound, NoSuchRegion.
    named = error.code.casefold() if isinstance(error, CloudError) else ""
    return "region" if "region" in named else ""


def _path(part: Part, data: object) -> str:
    """Return the JSON pointer to a part; in an address all of them stand in one text."""
    if not isinstance(data, dict):
        return ""
    for name in ("target", "group"):
        if name in data:
            return f"/{name}"
    if "targets" in data:
        # All targets are of one provider, account and region.
        return "/targets/0" if part else "/targets"
    return f"/{part}" if part in data else ""
