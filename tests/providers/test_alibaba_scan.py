"""References behind the ceiling of a hundred records, and behind a cloud that says nothing.

The call that tells references has no second page and may leave out whom nobody references: the
rules of every group of the account are read then, and nothing of other accounts is made up.
"""

from __future__ import annotations

import copy
import json

import pytest
from msgspec.structs import replace

from sgguard.emulator.faults import Fault
from sgguard.model.resource import Direction, Reference
from sgguard.providers.alibaba import scan as scanning
from sgguard.render.language.sentence import whole_english
from sgguard.wire.clock import Deadline
from tests.worlds.alibaba import (
    OWN_UID,
    PEER_UID,
    WORLD,
    actions,
    add_referrers,
    add_strangers,
    switch,
)

WEB, APP, JOB, FREE = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out, WORLD.free
SHARED, PEER_GROUP = "sg-bp1sha00000000000008", "sg-bp1for00000000000009"
REFERENCES, RULES = "DescribeSecurityGroupReferences", "DescribeSecurityGroupAttribute"
GROUPS = "DescribeSecurityGroups"
NOTHING = json.dumps({"SecurityGroupReferences": {"SecurityGroupReference": []}})


@pytest.fixture
def emulator():
    return WORLD.emulator()


@pytest.fixture
def cloud(emulator):
    return emulator.state.clouds[0]


def references(emulator, *group_ids, **given):
    return WORLD.connect(emulator, **given).list_references(group_ids or [WEB])


def gaps(seen):
    return [(one.code, one.group_id) for one in seen.unseen]


def holders(seen, group_id=WEB):
    return {one.group_id for one in seen.value[group_id]}


# -- the ceiling --------------------------------------------------------------------------------


def test_references_beyond_the_ceiling_are_found_in_the_rules(emulator):
    added = add_referrers(emulator, WEB, 150)
    assert holders(references(emulator)) == {*added, APP, JOB}


def test_beyond_the_ceiling_only_other_accounts_remain_unseen(emulator):
    add_referrers(emulator, WEB, 150)
    assert gaps(references(emulator)) == [("cross-account", WEB)]


def test_a_full_answer_is_never_taken_for_the_whole_even_with_nothing_behind_it(emulator):
    add_referrers(emulator, WEB, 98)
    seen = references(emulator)
    assert len(holders(seen)) == 100
    assert gaps(seen) == [("cross-account", WEB)]


def test_below_the_ceiling_nothing_is_scanned(emulator):
    add_referrers(emulator, WEB, 97)
    seen = references(emulator)
    assert len(holders(seen)) == 99
    assert seen.unseen == ()
    assert actions(emulator).count(RULES) == 99


def test_the_ceiling_may_count_rules_instead_of_groups(emulator):
    """The document says records: a hundred rules of one group may have hidden another group."""
    (holder,) = add_referrers(emulator, SHARED, 1, rules=100)
    seen = references(emulator, SHARED)
    assert holders(seen, SHARED) == {holder, PEER_GROUP}
    assert gaps(seen) == [("cross-account", SHARED)]


def test_a_foreign_referrer_is_not_lost_beside_those_the_scan_finds(emulator):
    added = add_referrers(emulator, SHARED, 150)
    seen = references(emulator, SHARED)
    assert Reference(PEER_GROUP, account=PEER_UID) in seen.value[SHARED]
    assert holders(seen, SHARED) == {*added, PEER_GROUP}


def test_foreign_referrers_that_fill_the_answer_hide_none_of_our_own(emulator, cloud):
    add_referrers(emulator, FREE, 100, account=PEER_UID, name="peer")
    add_referrers(emulator, FREE, 1, name="mine")
    seen = references(emulator, FREE)
    assert {"sg-bp1mine0000000000000"} < holders(seen, FREE)
    assert gaps(seen) == [("cross-account", FREE)]


def test_each_group_of_a_full_answer_is_asked_for_alone_before_anything_is_scanned(emulator):
    add_referrers(emulator, WEB, 60)
    add_referrers(emulator, SHARED, 60, name="more")
    seen = references(emulator, WEB, SHARED)
    assert (len(seen.value[WEB]), len(seen.value[SHARED])) == (62, 61)
    assert seen.unseen == ()
    assert GROUPS not in actions(emulator)[:3]
    assert actions(emulator).count(REFERENCES) == 3


# -- whom the cloud leaves out -------------------------------------------------------------------


def test_a_group_the_cloud_leaves_out_is_free_once_no_rule_names_it(emulator):
    seen = references(switch(emulator, references_silent=True), FREE)
    assert seen.value == {FREE: ()}
    assert seen.unseen == ()
    assert RULES in actions(emulator), "the rules were read"


def test_a_group_left_out_beside_others_is_asked_for_alone(emulator):
    seen = references(switch(emulator, references_silent=True), WEB, FREE)
    assert holders(seen) == {APP, JOB}
    assert seen.value[FREE] == ()
    assert actions(emulator).count(REFERENCES) == 2


def test_an_entry_that_was_lost_once_is_found_by_asking_alone(emulator):
    """The joint answer loses a group that only another account references."""
    inner = {"ReferencingSecurityGroup": []}
    entry = {"SecurityGroupId": FREE, "ReferencingSecurityGroups": inner}
    body = json.dumps({"SecurityGroupReferences": {"SecurityGroupReference": [entry]}})
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=body))
    seen = references(emulator, FREE, SHARED)
    assert seen.value[SHARED] == (Reference(PEER_GROUP, account=PEER_UID),)


def test_silence_that_the_rules_contradict_says_nothing_of_other_accounts(emulator):
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING, count=9))
    seen = references(emulator)
    assert holders(seen) == {APP, JOB}
    assert {one.rule.direction for one in seen.value[WEB]} == set(Direction)
    assert gaps(seen) == [("cross-account", WEB)]


@pytest.mark.parametrize(
    "lost", [[], {"SecurityGroupReference": [{"SecurityGroupId": FREE, "Referencing": []}]}]
)
def test_an_answer_that_lost_its_list_is_no_silence(emulator, lost):
    """Neither the document nor any server has an empty answer of these shapes."""
    body = json.dumps({"SecurityGroupReferences": lost})
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=body, count=9))
    seen = references(emulator, FREE)
    assert seen.value == {}
    assert {one.group_id for one in seen.unseen} == {FREE}


def test_an_answer_about_other_groups_only_is_no_silence(emulator):
    inner = {"ReferencingSecurityGroup": []}
    entry = {"SecurityGroupId": JOB, "ReferencingSecurityGroups": inner}
    body = json.dumps({"SecurityGroupReferences": {"SecurityGroupReference": [entry]}})
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=body, count=9))
    seen = references(emulator, FREE)
    assert seen.value == {}
    assert gaps(seen) == [("not-told", FREE)]


# -- a scan is whole, or it is not ---------------------------------------------------------------


@pytest.mark.parametrize("page_max", [1, 7])
def test_every_page_of_groups_and_of_rules_is_scanned(emulator, cloud, page_max):
    add_strangers(emulator, 20)
    (holder,) = add_referrers(emulator, FREE, 1, rules=1)
    last = cloud.group(holder)
    last.rules = [*copy.deepcopy(cloud.group(WEB).rules) * 5, *last.rules]
    for number, rule in enumerate(last.rules):
        rule.id = f"sgr-{number}"
    switch(emulator, page_max=page_max, references_silent=True)
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING, count=9))
    assert holders(references(emulator, FREE), FREE) == {holder}


@pytest.mark.parametrize("action", [GROUPS, RULES])
@pytest.mark.parametrize("kind", ["throttle", "drop", "garbage", "error"])
def test_a_scan_that_cannot_be_finished_leaves_the_group_unseen(emulator, action, kind):
    switch(emulator, references_silent=True)
    emulator.faults.append(Fault(kind, action=action, count=10_000))
    seen = references(emulator, FREE)
    assert gaps(seen) == [("not-told", FREE)]


@pytest.mark.parametrize("denied", [GROUPS, RULES])
def test_a_scan_without_permission_leaves_the_group_unseen_and_says_which(emulator, cloud, denied):
    cloud.accounts[0].denied = [denied]
    seen = references(switch(emulator, references_silent=True), FREE)
    assert gaps(seen) == [("not-told", FREE)]
    assert denied in whole_english(seen.unseen[0].why)


def test_a_full_answer_whose_scan_fails_keeps_its_ceiling_and_its_references(emulator):
    add_referrers(emulator, WEB, 150)
    emulator.faults.append(Fault("drop", action=GROUPS, count=10_000, skip=1))
    seen = references(emulator)
    assert len(holders(seen)) == 100
    assert gaps(seen) == [("record-ceiling", WEB)]


def test_a_list_of_groups_that_lacks_the_group_itself_is_not_the_whole_list(emulator):
    """A policy that shows only some groups makes the list shorter, not wrong."""
    switch(emulator, references_silent=True, hidden_groups=[FREE])
    seen = references(emulator, FREE)
    assert gaps(seen) == [("not-told", FREE)]


def test_a_list_of_groups_that_lacks_a_known_referrer_is_not_the_whole_list(emulator):
    added = add_referrers(emulator, WEB, 150)
    switch(emulator, hidden_groups=[APP])
    seen = references(emulator)
    assert gaps(seen) == [("record-ceiling", WEB)]
    assert holders(seen) < {*added, APP, JOB}


@pytest.mark.parametrize("calls", [0, 1, 2])
@pytest.mark.sampled(2)
def test_a_scan_ends_before_the_events_deadline_and_says_so(emulator, calls):
    """A second a call: before the list of groups, after it, among the rules."""
    add_strangers(emulator, 2 * scanning.AT_ONCE)
    deadline = Deadline(calls + 0.4, lambda: float(len(emulator.requests)))
    ecs = WORLD.connect(switch(emulator, group_rule_count="absent")).ecs
    hurried = replace(ecs, wire=replace(ecs.wire, deadline=deadline))
    found = scanning.scan(hurried, [FREE], {})
    assert "the time for this event was used up" in whole_english(found.gap)
    assert len(emulator.requests) <= 1 + scanning.AT_ONCE


def test_a_scan_without_time_leaves_the_group_unseen_and_the_event_answered(emulator):
    deadline = Deadline(1.4, lambda: float(len(emulator.requests)))
    provider = WORLD.connect(switch(emulator, references_silent=True))
    ecs = replace(provider.ecs, wire=replace(provider.ecs.wire, deadline=deadline))
    assert gaps(type(provider)(ecs).list_references([FREE])) == [("not-told", FREE)]


def test_a_group_that_goes_away_during_the_scan_has_no_rules(emulator):
    switch(emulator, references_silent=True)
    missing = {"Code": "InvalidSecurityGroupId.NotFound", "Message": "gone", "RequestId": "1"}
    emulator.faults.append(Fault("garbage", action=RULES, body=json.dumps(missing), status=404))
    seen = references(emulator, "sg-bp1lck00000000000007")
    assert seen.value == {"sg-bp1lck00000000000007": ()}


# -- counts that spare reads ---------------------------------------------------------------------


def test_groups_without_rules_that_name_groups_are_not_read(emulator):
    add_strangers(emulator, 50)
    references(switch(emulator, references_silent=True), FREE)
    assert actions(emulator).count(RULES) == 2, "of the two groups that name others"


def test_a_group_without_a_count_is_read_beside_groups_that_have_one(emulator):
    rows = [{"GroupToGroupRuleCount": 1}, {}, {"GroupToGroupRuleCount": 0}]
    listed = [
        {"SecurityGroupId": group_id, "VpcId": "vpc", **row}
        for group_id, row in zip((APP, JOB, WEB), rows, strict=True)
    ]
    body = json.dumps({"NextToken": "", "SecurityGroups": {"SecurityGroup": listed}})
    emulator.faults.append(Fault("garbage", action=GROUPS, body=body, count=9))
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING, count=9))
    assert holders(references(emulator)) == {APP, JOB}


@pytest.mark.parametrize("count", ["absent", "zero"])
def test_counts_that_are_absent_or_all_zero_spare_nothing(emulator, cloud, count):
    switch(emulator, group_rule_count=count)
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING, count=9))
    seen = references(emulator)
    assert holders(seen) == {APP, JOB}
    own = [one for one in cloud.groups if one.account == OWN_UID]
    assert actions(emulator).count(RULES) == len(own)


def test_a_count_that_one_group_belies_is_not_believed_of_the_others(emulator):
    """APP counts one rule that names a group and has two; JOB counts none and has one."""
    rows = {APP: 1, JOB: 0, WEB: 0}
    body = {
        "NextToken": "",
        "SecurityGroups": {
            "SecurityGroup": [
                {"SecurityGroupId": group_id, "VpcId": "vpc", "GroupToGroupRuleCount": count}
                for group_id, count in rows.items()
            ]
        },
    }
    holder = emulator.state.clouds[0].group(APP)
    holder.rules.append(copy.deepcopy(holder.rules[0]))
    holder.rules[-1].id = "sgr-another"
    emulator.faults.append(Fault("garbage", action=GROUPS, body=json.dumps(body), count=9))
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING, count=9))
    assert holders(references(emulator)) == {APP, JOB}


def test_a_count_of_zero_for_a_known_referrer_is_not_believed_of_the_others(emulator):
    added = add_referrers(emulator, WEB, 120)
    body = {
        "NextToken": "",
        "SecurityGroups": {
            "SecurityGroup": [
                {"SecurityGroupId": one, "VpcId": "vpc", "GroupToGroupRuleCount": 0}
                for one in (WEB, APP, *added)
            ]
            + [{"SecurityGroupId": JOB, "VpcId": "vpc", "GroupToGroupRuleCount": 1}]
        },
    }
    emulator.faults.append(Fault("garbage", action=GROUPS, body=json.dumps(body), count=9, skip=1))
    assert holders(references(emulator)) == {*added, APP, JOB}


def test_rules_that_are_fewer_than_counted_are_not_the_whole_list(emulator):
    """A page of rules that lost both its end and its token."""
    switch(emulator, references_silent=True)
    body = {"VpcId": "vpc-bp1main", "Permissions": {"Permission": []}}
    emulator.faults.append(Fault("garbage", action=RULES, body=json.dumps(body), count=9))
    seen = references(emulator, FREE)
    assert gaps(seen) == [("not-told", FREE)]


# -- what is a reference -------------------------------------------------------------------------


def test_a_group_that_names_itself_is_not_referenced(emulator, cloud):
    """Alibaba refuses such a rule today; a group may have one from before."""
    rule = copy.deepcopy(cloud.group(APP).rules[0])
    rule.id, rule.peer_group = "sgr-itself", FREE
    cloud.group(FREE).rules.append(rule)
    inner = {"ReferencingSecurityGroup": [{"SecurityGroupId": FREE, "AliUid": OWN_UID}]}
    entry = {"SecurityGroupId": FREE, "ReferencingSecurityGroups": inner}
    told = json.dumps({"SecurityGroupReferences": {"SecurityGroupReference": [entry]}})
    for body in (told, NOTHING):
        emulator.faults[:] = [Fault("garbage", action=REFERENCES, body=body)]
        seen = references(emulator, FREE)
        assert (seen.value, seen.unseen) == ({FREE: ()}, ())


def test_a_rule_that_spells_the_group_in_another_letter_case_names_it(emulator, cloud):
    (holder,) = add_referrers(emulator, FREE, 1)
    cloud.group(holder).rules[0].peer_group = FREE.upper()
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING))
    assert holders(references(emulator, FREE), FREE) == {holder}


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("action", ["accept", "drop"])
def test_a_scan_sees_both_directions_and_denying_rules(emulator, cloud, direction, action):
    (holder,) = add_referrers(emulator, FREE, 1)
    rule = cloud.group(holder).rules[0]
    rule.direction, rule.action = direction, action
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING, count=9))
    (found,) = references(emulator, FREE).value[FREE]
    assert (found.group_id, found.rule.direction, found.rule.action) == (holder, direction, action)


def test_a_rule_with_a_prefix_list_is_no_reference(emulator, cloud):
    (holder,) = add_referrers(emulator, FREE, 1)
    rule = cloud.group(holder).rules[0]
    rule.peer_group, rule.template = "", "pl-x1j1k5ykzqlixdcy****"
    seen = references(switch(emulator, references_silent=True), FREE)
    assert seen.value == {FREE: ()}
    assert WORLD.connect(emulator).list_rules(holder).value[0].peer == rule.template


def test_a_rule_without_a_peer_is_not_a_rule_without_references(emulator):
    """A reference whose member has a new name would look like this."""
    rule = {"Direction": "ingress", "SourceSecurityGroup": WEB, "SourceCidrIp": ""}
    body = {"NextToken": "", "VpcId": "vpc", "Permissions": {"Permission": [rule]}}
    switch(emulator, references_silent=True, group_rule_count="absent")
    emulator.faults.append(Fault("garbage", action=RULES, body=json.dumps(body), count=99))
    assert gaps(references(emulator, FREE)) == [("not-told", FREE)]


@pytest.mark.parametrize("peer", [[WEB], {"SecurityGroupId": WEB}, 7])
def test_a_group_at_the_other_end_in_a_new_form_is_not_no_group(emulator, peer):
    rule = {"Direction": "ingress", "SourceGroupId": peer, "SourceCidrIp": "10.0.0.0/8"}
    body = {"NextToken": "", "VpcId": "vpc", "Permissions": {"Permission": [rule]}}
    switch(emulator, references_silent=True, group_rule_count="absent")
    emulator.faults.append(Fault("garbage", action=RULES, body=json.dumps(body), count=99))
    assert gaps(references(emulator, FREE)) == [("not-told", FREE)]


# -- the classic network -------------------------------------------------------------------------


@pytest.fixture
def classic(emulator, cloud):
    """A group of the classic network with a rule for each of its two networks."""
    (holder,) = add_referrers(emulator, FREE, 1, rules=2, name="classic")
    group = cloud.group(holder)
    group.network = ""
    group.rules[0].nic, group.rules[1].nic = "internet", "intranet"
    return holder


def test_rules_of_both_networks_of_a_classic_group_are_read(emulator, classic):
    rules = WORLD.connect(emulator).list_rules(classic).value
    assert [rule.rule_id for rule in rules] == [f"sgr-{classic}-0", f"sgr-{classic}-1"]
    (seen,) = references(emulator, FREE).value.values()
    assert [one.rule.rule_id for one in seen] == [f"sgr-{classic}-0", f"sgr-{classic}-1"]


@pytest.mark.parametrize("nic", ["internet", "intranet"])
def test_a_scan_reads_both_networks_of_a_classic_group(emulator, cloud, classic, nic):
    cloud.group(classic).rules = [r for r in cloud.group(classic).rules if r.nic == nic]
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=NOTHING, count=9))
    assert holders(references(emulator, FREE), FREE) == {classic}


def test_a_group_in_a_network_of_its_own_is_asked_once(emulator):
    WORLD.connect(emulator).list_rules(WEB)
    assert actions(emulator) == [RULES]


# -- whose group it is ---------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["", "production", OWN_UID])
def test_a_foreign_group_stays_foreign_where_rules_may_not_be_read(emulator, cloud, account):
    cloud.accounts[0].denied = [RULES]
    provider = WORLD.connect(emulator)
    seen = type(provider)(provider.ecs, account).list_references([SHARED])
    assert seen.value == {SHARED: (Reference(PEER_GROUP, account=PEER_UID),)}
    assert seen.unseen == ()


@pytest.mark.parametrize("account", ["", "production", OWN_UID])
def test_rules_of_our_own_referrers_are_read_however_the_account_is_named(emulator, account):
    provider = WORLD.connect(emulator)
    seen = type(provider)(provider.ecs, account).list_references([WEB])
    assert [(one.group_id, one.account) for one in seen.value[WEB]] == [(APP, ""), (JOB, "")]
    assert all(one.rule for one in seen.value[WEB])


def test_a_referrer_without_an_owner_is_not_treated_as_ours(emulator):
    body = NOTHING.replace(
        "[]",
        json.dumps(
            [
                {
                    "SecurityGroupId": FREE,
                    "ReferencingSecurityGroups": [{"SecurityGroupId": "sg-nobody"}],
                }
            ]
        ),
    )
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=body))
    assert references(emulator, FREE).value[FREE] == (Reference("sg-nobody", account="unknown"),)


def test_a_referrer_of_ours_that_has_gone_is_not_foreign(emulator):
    body = NOTHING.replace(
        "[]",
        json.dumps(
            [
                {
                    "SecurityGroupId": FREE,
                    "ReferencingSecurityGroups": [
                        {"SecurityGroupId": "sg-gone", "AliUid": int(OWN_UID)}
                    ],
                }
            ]
        ),
    )
    emulator.faults.append(Fault("garbage", action=REFERENCES, body=body))
    provider = WORLD.connect(emulator)
    seen = type(provider)(provider.ecs, OWN_UID).list_references([FREE])
    assert seen.value[FREE] == (Reference("sg-gone"),)


def test_unread_rules_of_one_groups_referrers_say_nothing_of_the_others(emulator, cloud):
    cloud.accounts[0].denied = [RULES]
    seen = references(emulator, WEB, FREE)
    assert {one.group_id for one in seen.unseen} == {WEB}
