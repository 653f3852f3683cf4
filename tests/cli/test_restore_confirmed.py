"""``sgguard restore``: what was confirmed is what is done, and what is left out ends with 1."""

from __future__ import annotations

import copy
import io
import json

import pytest

from tests.cli.test_apply import answer, mode
from tests.cli.test_restore import deleted
from tests.commands import place, sgguard

__all__ = ["answer", "deleted", "mode", "place", "sgguard"]  # fixtures


class Typing(io.StringIO):
    """A person whose first answer comes after somebody else changed the cloud."""

    def __init__(self, text: str, change) -> None:
        super().__init__(text)
        self.changes = [change]

    def readline(self, size: int | None = -1) -> str:
        while self.changes:
            self.changes.pop()()
        return super().readline(-1 if size is None else size)


@pytest.fixture
def lost(place):
    """Somebody deletes a group whose rule would come back."""

    def change() -> None:
        gone = place.world.referrer_in
        place.cloud.groups = [one for one in place.cloud.groups if one.id != gone]

    return change


@pytest.fixture
def overtaken(sgguard, deleted, lost, monkeypatch):
    """A restore that is confirmed too late, and answered once more."""

    def run(second: str, *more: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", Typing(f"y\n{second}", lost))
        return sgguard("restore", deleted["decision_id"], *more)

    return run


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize("second", ["y\n", "n\n", ""])
@pytest.mark.sampled(6)
def test_a_plan_that_changed_after_the_yes_is_shown_and_asked_about_again(
    place, overtaken, second, more
):
    code, out, err = overtaken(second, *more)
    assert "What was confirmed has changed meanwhile: nothing was done." in out + err
    assert f"its group {place.world.referrer_in} is gone" in out + err
    assert code == 1
    names = {one.name for one in place.cloud.groups}
    assert ("databases" in names) is (second == "y\n")
    if more and second == "y\n":
        document = json.loads(out)
        assert document["outcome"] == "remediated"
        assert place.world.referrer_in in document["note"]


def test_what_is_left_out_ends_with_1_and_is_left_out_again(place, sgguard, deleted, lost):
    lost()
    for _ in range(2):
        code, out, _ = sgguard("restore", "--yes", deleted["decision_id"])
        assert code == 1
        assert "left out: rule" in out


def test_a_group_of_the_same_name_is_an_error_until_a_twin_is_wished(place, sgguard, deleted):
    twin = copy.deepcopy(place.cloud.group(place.world.free))
    twin.id, twin.name = "sg-byhand00", "databases"
    place.cloud.groups.append(twin)
    code, out, err = sgguard("restore", "--yes", deleted["decision_id"])
    assert (code, out) == (2, "")
    assert "sg-byhand00 is named databases" in err
    assert "--twin" in err
    assert sgguard("restore", "--yes", "--twin", deleted["decision_id"])[0] == 0
    assert [one.name for one in place.cloud.groups].count("databases") == 2
