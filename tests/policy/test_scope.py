"""Which policy holds for a group: the first scope that fits, or the strictest of what may fit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard import policy
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Mode
from sgguard.model.resource import Group, Reference, Visibility
from sgguard.policy import (
    Caps,
    DeletePolicy,
    Exemption,
    LaunchPolicy,
    Match,
    Policy,
    ScopePolicy,
    exempting,
    expiring,
    for_group,
    for_groups,
    for_referrer,
    mode_for,
    mode_of,
    possible,
    strictest,
)

HERE = Address(Scope("tencent", "", "ap-lab"), "sg-a")
LAB = Group("sg-a", "lab-web", tags=(("env", "lab"), ("team", "red")))
DAY = date(2026, 11, 22)
ORDER = [Mode.OBSERVE, Mode.APPROVE, Mode.ENFORCE]


def scoped(**match):
    return Policy(scopes=(ScopePolicy(Match(**match), Mode.ENFORCE),))


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"provider": "tencent"}, True),
        ({"provider": "tencent-*"}, False),
        ({"account": ""}, True),
        ({"account": "prod"}, False),
        ({"region": "ap-*"}, True),
        ({"region": "AP-*"}, False),
        ({"name": "lab-*"}, True),
        ({"name": "sg-a"}, False),
        ({"tag": "env=lab"}, True),
        ({"tag": "team=*"}, True),
        ({"tag": "env=prod"}, False),
        ({"tag": "env=red"}, False),
        ({"region": "ap-*", "tag": "env=lab"}, True),
        ({"region": "eu-*", "tag": "env=lab"}, False),
        ({"name": "lab-*", "tag": "env=prod"}, False),
    ],
    ids=str,
)
def test_a_scope_fits_where_everything_it_asks_for_does(match, fits):
    found = for_group(scoped(**match), HERE, LAB)
    assert found.mode is (Mode.ENFORCE if fits else Mode.OBSERVE)
    assert found.scopes == ()


def test_the_first_scope_that_fits_decides_and_no_other_adds_to_it():
    several = Policy(
        scopes=(
            ScopePolicy(Match(region="eu-*"), Mode.ENFORCE),
            ScopePolicy(Match(tag="env=lab"), delete={"remedies": ("revoke",)}),
            ScopePolicy(Match(region="ap-*"), Mode.ENFORCE, caps={"changes": 1}),
        )
    )
    found = for_group(several, HERE, LAB)
    assert (found.mode, found.delete.remedies, found.caps.changes) == ("observe", ("revoke",), 100)
    assert possible(several, HERE, LAB) == ((1,), False)


def test_a_scope_changes_only_what_it_says():
    base = Policy(
        delete=DeletePolicy(protected=("prod-*",), remedies=("move",), fallback_group="sg-s"),
        caps=Caps(5, 50),
        scopes=(ScopePolicy(Match(), delete={"remedies": ()}, caps={"changes": 1}),),
    )
    found = for_group(base, HERE, LAB)
    assert found.delete == replace(base.delete, remedies=())
    assert found.caps == Caps(1, 50)
    assert found.launch == base.launch


@pytest.mark.parametrize(
    ("own", "of_guard", "of_scope", "of_guard_in_scope", "mode"),
    [
        ("observe", None, None, None, "observe"),
        ("enforce", None, None, None, "enforce"),
        ("enforce", "observe", None, None, "observe"),
        ("observe", "enforce", "approve", None, "approve"),
        ("observe", "observe", "enforce", None, "enforce"),
        ("observe", "observe", "observe", "enforce", "enforce"),
        ("observe", None, None, "approve", "approve"),
    ],
)
def test_the_mode_nearest_to_the_group_and_the_guard_holds(
    own, of_guard, of_scope, of_guard_in_scope, mode
):
    table = {} if of_guard_in_scope is None else {"mode": Mode(of_guard_in_scope)}
    scope = ScopePolicy(Match(), Mode(of_scope) if of_scope else None, delete=table)
    found = Policy(
        Mode(own), delete=DeletePolicy(mode=Mode(of_guard) if of_guard else None), scopes=(scope,)
    )
    assert mode_for(found, "delete", [(HERE, LAB)]) == mode
    if of_scope is None:
        assert mode_for(found, "launch", [(HERE, LAB)]) == own


def test_of_several_groups_the_least_permissive_mode_wins():
    prod = Group("sg-p", "prod-web")
    found = Policy(Mode.ENFORCE, scopes=(ScopePolicy(Match(name="prod-*"), Mode.OBSERVE),))
    there = Address(HERE.scope, "sg-p")
    assert mode_for(found, "delete", [(HERE, LAB)]) is Mode.ENFORCE
    assert mode_for(found, "delete", [(HERE, LAB), (there, prod)]) is Mode.OBSERVE
    assert mode_for(found, "delete", [(there, prod), (HERE, LAB)]) is Mode.OBSERVE
    assert mode_for(found, "delete", []) is Mode.ENFORCE


@pytest.mark.parametrize("match", [{"name": "prod-*"}, {"tag": "env=prod"}], ids=str)
def test_a_group_of_which_nothing_is_known_may_be_in_a_stricter_scope(match):
    strict = Policy(Mode.ENFORCE, scopes=(ScopePolicy(Match(**match), Mode.OBSERVE),))
    assert for_group(strict, HERE, None).mode is Mode.OBSERVE
    assert for_group(strict, HERE, LAB).mode is Mode.ENFORCE
    assert possible(strict, HERE, None) == ((0,), True)
    lax = Policy(Mode.OBSERVE, scopes=(ScopePolicy(Match(**match), Mode.ENFORCE),))
    assert for_group(lax, HERE, None).mode is Mode.OBSERVE


def test_a_place_is_known_of_every_group():
    found = Policy(scopes=(ScopePolicy(Match(region="ap-*"), Mode.ENFORCE),))
    assert for_group(found, HERE, None).mode is Mode.ENFORCE


def test_of_a_referring_group_only_what_the_reference_says_is_known():
    strict = Policy(Mode.ENFORCE, scopes=(ScopePolicy(Match(tag="env=prod"), Mode.OBSERVE),))
    bare, tagged = Reference("sg-b"), Reference("sg-b", tags=(("env", "lab"),))
    assert for_referrer(strict, HERE.scope, bare).mode is Mode.OBSERVE
    assert for_referrer(strict, HERE.scope, tagged).mode is Mode.ENFORCE
    named = Policy(Mode.ENFORCE, scopes=(ScopePolicy(Match(name="prod-*"), Mode.OBSERVE),))
    assert for_referrer(named, HERE.scope, bare).mode is Mode.OBSERVE
    assert for_referrer(named, HERE.scope, Reference("sg-b", "lab")).mode is Mode.ENFORCE


# -- the algebra --------------------------------------------------------------------------------

MODES = st.sampled_from(Mode)
SOME = st.lists(st.sampled_from(["a", "b", "c*"]), max_size=3, unique=True).map(tuple)
REMEDIES = st.lists(
    st.sampled_from(["revoke", "rewrite", "unbind", "move", "force"]), max_size=5, unique=True
).map(tuple)
TROUBLE = st.sampled_from(["block", "error"])
GROUP = st.sampled_from(["", "sg-1", "sg-2"])
POLICIES = st.builds(
    Policy,
    mode=MODES,
    delete=st.builds(
        DeletePolicy,
        protected=SOME,
        remedies=REMEDIES,
        fallback_group=GROUP,
        tolerate_unseen=st.sampled_from([(), ("not-told",), ("not-told", "api-absent")]),
        require_visibility=st.none() | st.sampled_from(Visibility),
        mode=st.none() | MODES,
        replacement_group=GROUP,
        replacements=st.sampled_from([{}, {"a": "sg-1"}, {"a": "sg-2"}]),
        when_incomplete=TROUBLE,
        when_unreachable=TROUBLE,
        carry_out=st.sampled_from(["remedied", "always"]),
    ),
    launch=st.builds(
        LaunchPolicy,
        baseline=SOME,
        forbidden=SOME,
        warn_at_percent=st.integers(1, 100),
        remedies=st.sampled_from([(), ("bind",), ("unbind", "bind"), ("quarantine",)]),
        mode=st.none() | MODES,
        quarantine_group=GROUP,
        fallback_group=GROUP,
    ),
    caps=st.builds(
        Caps,
        changes=st.integers(1, 100),
        percent_of_rules=st.integers(1, 100),
        management_ports=st.sampled_from([(), (22,), (3389, 22)]),
    ),
    halt=st.booleans(),
)


def meaning(found):
    """A policy up to the order of its lists."""
    delete, launch = found.delete, found.launch
    lists = ("protected", "remedies", "tolerate_unseen")
    return (
        mode_of(found, "delete"),
        mode_of(found, "launch"),
        replace(delete, mode=None, **{n: tuple(sorted(getattr(delete, n))) for n in lists}),
        replace(
            launch,
            mode=None,
            **{
                n: tuple(sorted(getattr(launch, n)))
                for n in ("baseline", "forbidden", "remedies", "tolerate_unseen")
            },
        ),
        replace(found.caps, management_ports=tuple(sorted(found.caps.management_ports))),
        found.halt,
    )


@given(POLICIES, POLICIES, POLICIES)
def test_the_strictest_is_the_same_in_any_order_and_however_it_is_grouped(a, b, c):
    assert meaning(strictest(a, b)) == meaning(strictest(b, a))
    assert meaning(strictest(strictest(a, b), c)) == meaning(strictest(a, strictest(b, c)))
    assert strictest(a, a) == a


@given(POLICIES, POLICIES)
def test_the_strictest_permits_nothing_that_either_does_not(a, b):
    both = strictest(a, b)
    for one in (a, b):
        for guard in ("delete", "launch"):
            assert ORDER.index(mode_of(both, guard)) <= ORDER.index(mode_of(one, guard))
        assert set(both.delete.remedies) <= set(one.delete.remedies)
        assert set(both.launch.remedies) <= set(one.launch.remedies)
        assert set(both.delete.tolerate_unseen) <= set(one.delete.tolerate_unseen)
        assert set(both.delete.protected) >= set(one.delete.protected)
        assert set(both.launch.forbidden) >= set(one.launch.forbidden)
        assert set(both.launch.baseline) >= set(one.launch.baseline)
        assert both.launch.warn_at_percent <= one.launch.warn_at_percent
        assert both.caps.changes <= one.caps.changes
        assert both.caps.percent_of_rules <= one.caps.percent_of_rules
        assert set(both.caps.management_ports) >= set(one.caps.management_ports)
        for name in ("fallback_group", "replacement_group"):
            assert getattr(both.delete, name) in ("", getattr(one.delete, name))
        assert both.delete.replacements in ({}, one.delete.replacements)
        assert both.halt or not one.halt
        if one.delete.require_visibility is not None:
            assert both.delete.require_visibility is not None


MATCHES = st.builds(
    Match,
    region=st.sampled_from(["*", "ap-*", "eu-*"]),
    name=st.sampled_from(["*", "lab-*", "prod-*"]),
    tag=st.sampled_from(["*", "env=lab", "env=*"]),
)
SCOPES = st.lists(
    st.builds(
        ScopePolicy,
        match=MATCHES,
        mode=st.none() | MODES,
        delete=st.sampled_from([{}, {"remedies": ()}, {"mode": Mode.ENFORCE}]),
        caps=st.sampled_from([{}, {"changes": 1}]),
    ),
    max_size=4,
).map(tuple)
GROUPS = st.builds(
    Group,
    group_id=st.just("sg-a"),
    name=st.sampled_from(["", "lab-a", "prod-a"]),
    tags=st.sampled_from([(), (("env", "lab"),), (("env", "prod"), ("a", "b"))]),
)


@given(POLICIES, SCOPES, GROUPS)
def test_what_is_known_of_a_group_never_makes_its_policy_stricter_than_nothing(base, scopes, group):
    scoped = replace(base, scopes=scopes)
    known, unknown = for_group(scoped, HERE, group), for_group(scoped, HERE, None)
    assert meaning(strictest(known, unknown)) == meaning(unknown)


@given(POLICIES, SCOPES, GROUPS | st.none())
def test_a_policy_that_is_applied_once_is_applied_for_good(base, scopes, group):
    once = for_group(replace(base, scopes=scopes), HERE, group)
    assert once.scopes == ()
    assert for_group(once, HERE, group) == once


@given(POLICIES, SCOPES, st.lists(GROUPS | st.none(), min_size=1, max_size=3))
def test_several_groups_are_permitted_what_each_is(base, scopes, groups):
    scoped = replace(base, scopes=scopes)
    together = for_groups(scoped, [(HERE, one) for one in groups])
    for one in groups:
        assert meaning(strictest(together, for_group(scoped, HERE, one))) == meaning(together)


@given(POLICIES, SCOPES, GROUPS)
def test_the_scope_that_decides_is_the_first_that_fits(base, scopes, group):
    scoped = replace(base, scopes=scopes)
    numbers, is_none = possible(scoped, HERE, group)
    assert len(numbers) + is_none == 1
    chosen = scopes[numbers[0]] if numbers else None
    assert for_group(scoped, HERE, group) == policy.applied(scoped, chosen) or not scopes


# -- exemptions ---------------------------------------------------------------------------------


def exempt(pattern="sg-a", code="protected", expires=DAY, owner="ada"):
    return Exemption(pattern, (code,), owner, "because", expires)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("sg-a", True), ("lab-*", True), ("tencent::ap-*:sg-a", True), ("sg-b", False), ("A*", False)],
)
def test_an_exemption_means_a_group_by_id_name_or_address(pattern, found):
    one = Policy(exemptions=(exempt(pattern),))
    assert (exempting(one, "protected", HERE, LAB, DAY) is not None) is found
    assert exempting(one, "group-forbidden", HERE, LAB, DAY) is None


def test_an_instance_is_meant_by_its_id():
    one = Policy(exemptions=(exempt("ins-1", "baseline-missing"),))
    assert exempting(one, "baseline-missing", "ins-1", None, DAY)
    assert exempting(one, "baseline-missing", Address(HERE.scope, "ins-1"), None, DAY)
    assert exempting(one, "baseline-missing", "ins-2", None, DAY) is None


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        (DAY, True),
        (DAY + timedelta(days=1), False),
        (datetime(2026, 11, 22, 23, 59, 59, 999999, UTC), True),
        (datetime(2026, 11, 23, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=8))), True),
        (datetime(2026, 11, 22, 23, tzinfo=timezone(timedelta(hours=-8))), False),
        (datetime(2026, 11, 22, 23, 59), True),  # noqa: DTZ001 - read as UTC
        (None, False),
    ],
    ids=str,
)
def test_an_exemption_ends_with_its_day_in_utc(now, holds):
    one = Policy(exemptions=(exempt(),))
    assert (exempting(one, "protected", HERE, LAB, now) is not None) is holds


def test_of_several_exemptions_the_one_that_ends_last_is_named():
    later = exempt(expires=DAY + timedelta(days=9), owner="bob")
    one = Policy(exemptions=(exempt(), later, exempt(owner="eve")))
    assert exempting(one, "protected", HERE, LAB, DAY) == later


@given(
    st.lists(
        st.builds(
            exempt,
            st.sampled_from(["sg-a", "lab-*", "sg-b"]),
            st.sampled_from(["protected", "limit-near"]),
            st.dates(DAY - timedelta(days=3), DAY + timedelta(days=3)),
        ),
        max_size=4,
    ),
    st.dates(DAY - timedelta(days=4), DAY + timedelta(days=4)),
)
def test_what_is_excused_on_a_day_was_excused_before(exemptions, day):
    one = Policy(exemptions=tuple(exemptions))
    if exempting(one, "protected", HERE, LAB, day):
        assert exempting(one, "protected", HERE, LAB, day - timedelta(days=1))
    assert exempting(one, "protected", HERE, LAB, DAY + timedelta(days=4)) is None


def test_what_ends_soon_comes_first():
    ends = [DAY + timedelta(days=n) for n in (20, 3, -1)]
    one = Policy(exemptions=tuple(exempt(expires=day) for day in ends))
    soon = [each.expires for each in expiring(one, DAY, timedelta(days=14))]
    assert soon == [ends[2], ends[1]]
    assert [each.expires for each in expiring(one, DAY, None)] == [ends[2], ends[1], ends[0]]
