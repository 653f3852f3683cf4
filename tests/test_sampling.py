"""The quick suite keeps a sample of the cases of a costly test, and no case is in neither suite."""

from __future__ import annotations

import pytest

from tests.sampling import mark_cases


class Case(pytest.Item):
    """One case of a test, as collected."""

    def runtest(self) -> None:
        raise AssertionError("it is only looked at")


def cases(request: pytest.FixtureRequest, count: int, *marker: int) -> list[Case]:
    items = []
    for number in range(count):
        item = Case.from_parent(request.session, name=f"test_it[{number}]")
        item.add_marker(pytest.mark.sampled(*marker))
        items.append(item)
    return items


def slow(items: list[Case]) -> list[bool]:
    return [item.get_closest_marker("slow") is not None for item in items]


@pytest.mark.parametrize(("count", "step", "quick"), [(5, 5, 1), (10, 5, 2), (12, 5, 2), (3, 9, 1)])
def test_each_nth_case_is_quick_and_the_others_are_slow(request, count, step, quick):
    items = cases(request, count, step)
    mark_cases(items)
    first = slow(items).index(False)
    assert slow(items) == [number % step != first for number in range(count)]
    assert slow(items).count(False) in (quick, quick + 1)


def test_the_sample_is_the_same_in_every_run(request):
    one, two = cases(request, 30, 4), cases(request, 30, 4)
    mark_cases(one)
    mark_cases(two)
    assert slow(one) == slow(two)


def test_a_test_without_the_marker_stays_quick(request):
    item = Case.from_parent(request.session, name="test_it")
    mark_cases([item])
    assert item.get_closest_marker("slow") is None


@pytest.mark.parametrize("marker", [(), (1,), (0,)])
def test_a_step_below_two_is_refused(request, marker):
    with pytest.raises(pytest.UsageError, match="needs a step of 2"):
        mark_cases(cases(request, 3, *marker))
