"""A rule returns between those that were beside it, where the ids of rules are positions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sgguard.model.resource import Direction, Rule
from sgguard.remedy.places import Past, Places
from sgguard.remedy.snapshot import ReferringRule


def rule(name: str, position: int) -> Rule:
    return Rule(f"ingress[{position}]", Direction.INGRESS, ports="22", peer_group=name)


def read(names: list[str]) -> list[Rule]:
    return [rule(name, position) for position, name in enumerate(names)]


def restored(names: list[str], place: str, name: str) -> list[str]:
    """Insert a rule as a cloud does: at its position, or last."""
    position = int(place.removeprefix("ingress[").removesuffix("]"))
    return [*names[:position], name, *names[position:]]


@given(st.data())
def test_whatever_was_removed_and_restored_in_between_the_order_is_as_before(data):
    names = [f"sg-{n}" for n in range(data.draw(st.integers(1, 6)))]
    now, past = list(names), []
    gone: list[str] = []
    for _ in range(data.draw(st.integers(1, 6))):
        if now and data.draw(st.booleans()):
            some = data.draw(st.sets(st.sampled_from(now), min_size=1))
            there = {one.peer_group: one for one in read(now)}
            removed = [(ReferringRule("sg-x", there[one]), None) for one in sorted(some)]
            past.append(Past(removed=tuple(removed)))
            now = [one for one in now if one not in some]
            gone += some
        elif gone:
            name = gone.pop(data.draw(st.integers(0, len(gone) - 1)))
            back = ReferringRule("sg-x", rule(name, names.index(name)))
            now = restored(now, Places(past, {}).restore("sg-x", back.rule), name)
            past.append(Past(restored=(back,)))
    places = Places(past, {})
    for name in data.draw(st.permutations(gone)):
        now = restored(now, places.restore("sg-x", rule(name, names.index(name))), name)
    assert now == names


def test_a_group_is_the_same_under_its_new_id():
    removed = ((ReferringRule("sg-x", rule("sg-a", 1)), None),)
    places = Places([Past(removed)], {"sg-a": "sg-b", "sg-b": "sg-c", "sg-x": "sg-y"})
    places.remove([(ReferringRule("sg-y", rule("sg-other", 0)), None)])
    assert places.restore("sg-y", rule("sg-c", 1)) == "ingress[0]"
    assert places.restore("sg-x", rule("sg-other", 0)) == "ingress[0]"


def test_a_rule_whose_id_is_no_position_has_none():
    named = Rule("r-1", Direction.INGRESS, peer_group="sg-a")
    places = Places([Past(((ReferringRule("sg-x", named), None),))], {})
    assert places.restore("sg-x", named) == ""


def test_a_rule_that_took_the_place_of_another_keeps_its_slot():
    old, new = ReferringRule("sg-x", rule("sg-a", 0)), ReferringRule("sg-x", rule("sg-new", 0))
    later = ReferringRule("sg-x", rule("sg-b", 1))
    places = Places([Past(((old, new),)), Past(((later, None),))], {})
    assert places.restore("sg-x", old.rule) == "ingress[0]"
    assert places.restore("sg-x", later.rule) == "ingress[1]"
