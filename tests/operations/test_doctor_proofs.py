"""The doctor says what an empty list does not prove, and what no call tells."""

from __future__ import annotations

import pytest

from sgguard.model.resource import Visibility
from sgguard.operations.doctor import to_text
from sgguard.operations.doctor.checkup import Checkup
from sgguard.operations.doctor.diagnosis import of_reply
from sgguard.providers._probing import Grant, PermissionCheck

READ = PermissionCheck("vpc:ports:get", "bindings", "vpc:ports:get", ask=lambda: None)


def test_an_empty_list_that_nothing_proves_is_named_with_what_to_grant():
    found = of_reply(READ, Grant.NOT_TOLD, None, systemic=None)
    assert found is not None
    assert (found.code, found.weight) == ("not-proved", "note")
    assert "vpc:ports:get" in found.remedy


@pytest.mark.parametrize("grant", [Grant.GRANTED])
def test_a_list_that_is_proved_is_not_named(grant):
    assert of_reply(READ, grant, None, systemic=None) is None


def test_what_no_call_tells_stands_below_the_table():
    seen = Checkup(
        "tencent", "ap-x", visibility=Visibility.ACCOUNT, blind_spots=("CAM may hide rows.",)
    )
    assert "not told: tencent: CAM may hide rows." in to_text([seen])
    silent = Checkup("tencent", "ap-x", blind_spots=("CAM may hide rows.",))
    assert "CAM may hide rows." not in to_text([silent])
