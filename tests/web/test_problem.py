from __future__ import annotations

import json
import math

import pytest

from sgguard.errors import (
    CloudError,
    ForbiddenError,
    ThrottledError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.providers.access import seen_or_unseen
from sgguard.render.language.sentence import whole_english
from sgguard.web import problem

CALL = ("tencent", "DescribeSecurityGroups")


@pytest.mark.parametrize("told_s", [3601, 86_400, 1e20, math.inf])
@pytest.mark.parametrize("kind", [ThrottledError, UnavailableError])
def test_retry_after_is_at_most_an_hour(kind, told_s):
    assert problem.of(kind(*CALL, retry_after_s=told_s)).retry_after_s == 3600


def test_what_stands_in_the_place_of_a_code_is_cut():
    """A gateway that puts the whole signed request there must not get it shown."""
    request = (
        f"POST / HTTP/1.1\r\nHost: vpc.example\r\n{'Accept: */*;q=0.1 ' * 20}\r\nToken: s3cret"
    )
    for kind in (CloudError, UnavailableError, UnknownShapeError, ForbiddenError):
        error = kind(*CALL, code=request, detail=request, request_id=request)
        assert "s3cret" not in f"{error} {error!r} {error.code} {error.request_id}"
        assert "s3cret" not in json.dumps(problem.of(error).document)


@pytest.mark.parametrize("kind", [UnknownShapeError, ForbiddenError])
def test_what_could_not_be_seen_quotes_as_little(kind):
    long = "x" * 10_000

    def read():
        raise kind(*CALL, code=long, detail=long, request_id=long)

    (unseen,) = seen_or_unseen("references", read, None).unseen
    assert len(whole_english(unseen.why)) < 700
