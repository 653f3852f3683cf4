"""What a caller may bind: its targets name group and holders; a filter needs all of them."""

from __future__ import annotations

import pytest

from sgguard.callers.permit import permitted
from sgguard.errors import EventError
from sgguard.model.address import Scope
from sgguard.model.caller import Caller, Identity
from sgguard.model.request import BindRequest, HolderFilter

SCOPE = Scope("tencent", "", "ap-guangzhou")
HERE = "tencent::ap-guangzhou:"


def identity(*targets: str) -> Identity:
    caller = Caller("portal", "bearer", {}, targets=tuple(HERE + one for one in targets))
    return Identity(caller)


@pytest.mark.parametrize(
    ("targets", "request_", "is_permitted"),
    [
        (("*",), BindRequest(SCOPE, "sg-1", holders=("ins-1",)), True),
        (("sg-1", "ins-1"), BindRequest(SCOPE, "sg-1", holders=("ins-1",)), True),
        (("sg-1",), BindRequest(SCOPE, "sg-1", holders=("ins-1",)), False),
        (("ins-1",), BindRequest(SCOPE, "sg-1", holders=("ins-1",)), False),
        (("sg-*", "ins-*"), BindRequest(SCOPE, "sg-1", wanted=HolderFilter(tag="a")), False),
        (("*",), BindRequest(SCOPE, "sg-1", wanted=HolderFilter(tag="a")), True),
        (("*",), BindRequest(SCOPE, "sg-1", holders=("i",), requested_by="olga"), False),
    ],
)
def test_group_holders_and_requester_must_be_permitted(targets, request_, is_permitted):
    who = identity(*targets)
    if is_permitted:
        assert permitted(who, request_, {}).requested_by == "portal"
    else:
        with pytest.raises(EventError):
            permitted(who, request_, {})
