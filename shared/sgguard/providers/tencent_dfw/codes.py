"""What the codes of API 2.0 mean: one table, by the document that lists them.

A refusal that no later delivery of the same event can change is no "unavailable": a version that
this address does not have is ``ApiAbsentError``, a parameter that cannot exist
``InvalidRequestError``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)


class Meaning(msgspec.Struct, frozen=True):
    """The error that a code is, and words for what its message may leave out.

    ``may_be_reached``: the documents do not exclude that the cloud answers so to a change whose
    aim is reached already. So the state is read before such a refusal counts.
    """

    kind: type[CloudError]
    words: str = ""
    may_be_reached: bool = False


COMMON: Mapping[int, Meaning] = {
    4000: Meaning(InvalidRequestError),
    4100: Meaning(UnauthenticatedError),
    4101: Meaning(ForbiddenError),
    4102: Meaning(ForbiddenError),
    4103: Meaning(ForbiddenError),
    4104: Meaning(UnauthenticatedError),
    4105: Meaning(UnauthenticatedError),
    4106: Meaning(UnauthenticatedError),
    4110: Meaning(ForbiddenError),
    4200: Meaning(UnauthenticatedError),
    4300: Meaning(ForbiddenError),
    4400: Meaning(ThrottledError),
    # A replayed nonce, or a clock more than five minutes off. It is final: a retry would be signed
    # again, but a wrong clock stays wrong.
    4500: Meaning(UnauthenticatedError),
    4600: Meaning(InvalidRequestError, "the address must begin with https"),
    5000: Meaning(NotFoundError, may_be_reached=True),
    5100: Meaning(CloudError, may_be_reached=True),
    5200: Meaning(CloudError),
    5300: Meaning(CloudError),
    # "Partly done": whether it was done to what was asked about is not known.
    5400: Meaning(UnavailableError),
    5500: Meaning(ForbiddenError),
    6000: Meaning(UnavailableError),
    6100: Meaning(ApiAbsentError, "this address may belong to another module of the API"),
    6200: Meaning(UnavailableError),
}
"""The common codes: https://cloud.tencent.com/doc/api/245/4781 and /239/1757 (read 2026-11-22)."""

SECURITY_GROUPS: Mapping[int, Meaning] = {
    7000: Meaning(UnavailableError),
    7001: Meaning(NotFoundError, may_be_reached=True),
    7002: Meaning(LimitError, "as many rules or groups as there may be", may_be_reached=True),
    7003: Meaning(CloudError, "the state of the instance forbids it", may_be_reached=True),
    7005: Meaning(ConflictError, "a group of this name exists in the project"),
    7006: Meaning(CloudError, "the default group cannot be deleted or changed"),
    9003: Meaning(InvalidRequestError, "empty or malformed input", may_be_reached=True),
}
"""The codes of the module: the tables of its actions' pages under
https://cloud.tencent.com/document/api/213 (1362 to 1383; read 2026-11-22)."""

MEANINGS: Mapping[int, Meaning] = {**COMMON, **SECURITY_GROUPS}

_UNKNOWN = Meaning(CloudError, may_be_reached=True)


def meaning_of(code: int) -> Meaning:
    """Return what a code means."""
    return MEANINGS.get(code, _UNKNOWN)


def may_be_reached(error: CloudError) -> bool:
    """Return whether a refused change may have found its aim reached: then the state tells."""
    code = error.code
    return code.isdigit() and error.is_outcome_known and meaning_of(int(code)).may_be_reached
