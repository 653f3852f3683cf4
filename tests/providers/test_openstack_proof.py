"""What OpenStack's lists rest on: an empty one is proved, and no row is dropped in silence."""

from __future__ import annotations

import httpx
import pytest

from sgguard.errors import UnknownShapeError
from sgguard.model.change import Change, Holder
from sgguard.model.codes import Verdict
from sgguard.remedy.observe import observe
from sgguard.remedy.world import State
from sgguard.render.language.sentence import in_english, whole_english
from sgguard.wire.parallel import caught
from tests.providers.test_openstack_completeness import (
    add_ports,
    add_rule,
    behind,
    connect,
    emulator,
    judged,
    share,
    state,
)
from tests.worlds import openstack as w

ENVS = pytest.mark.parametrize(
    "env", [w.PASSWORD_ENV, w.READER_ENV, w.ADMIN_ENV], ids=["member", "reader", "admin"]
)
FREE_DELETE = Change("delete-group", w.FREE)


def deny(cloud, *actions):
    for account in state(cloud).accounts:
        account.denied = list(actions)
    return cloud


def codes(seen):
    return sorted({(gap.code, gap.group_id) for gap in seen.unseen})


# -- lists that the server cuts before it hides rows ----------------------------------------------


def hiding(page_max, count=9):
    """Own rules of ``out`` name ``free`` among many of another project's, which are hidden."""
    cloud = emulator(quirks={"page_max": page_max}, limits={"rules-per-project": -1})
    for number in range(count):
        add_rule(cloud, w.FOREIGN, id=f"0000000{number}-foreign", peer_group=w.FREE)
    add_rule(cloud, w.OUT, id="99999999-own", peer_group=w.FREE)
    add_rule(cloud, w.FREE, id="88888888-out", direction="egress")  # as every new group has
    return cloud


@pytest.mark.parametrize("page_max", [1, 2, 5, 10, 11])
@pytest.mark.parametrize("env", [w.PASSWORD_ENV, w.READER_ENV], ids=["member", "reader"])
@pytest.mark.sampled(4)
def test_a_hidden_row_that_cuts_the_link_to_the_next_page_hides_no_own_rule(env, page_max):
    cloud = hiding(page_max)
    seen = connect(cloud, env).list_references([w.FREE])
    assert [one.rule.rule_id for one in seen.value[w.FREE]] == ["99999999-own"]
    assert judged(cloud, w.FREE, env).verdict is Verdict.BLOCK


def test_a_page_that_shows_one_own_rule_does_not_hide_the_next():
    cloud = hiding(2)
    add_rule(cloud, w.OUT, id="00000000-own", peer_group=w.FREE)
    seen = connect(cloud).list_references([w.FREE])
    names = [one.rule.rule_id for one in seen.value[w.FREE]]
    assert names == ["00000000-own", "99999999-own"]


def test_a_group_that_is_not_shared_is_not_cut_by_the_hidden_rows_of_one_that_is():
    cloud = hiding(2)
    add_rule(cloud, w.APP, id="99999998-own", peer_group=w.BOUND)
    seen = connect(cloud).list_references([w.FREE, w.BOUND])
    assert [one.rule.rule_id for one in seen.value[w.BOUND]] == ["99999998-own"]


def test_a_token_of_the_whole_cloud_reads_every_page():
    seen = connect(hiding(2), w.ADMIN_ENV).list_references([w.FREE])
    assert len(seen.value[w.FREE]) == 10


def test_without_a_page_limit_the_groups_of_the_project_are_not_listed_whole():
    cloud = hiding(None)
    del state(cloud).quirks["page_max"]
    connect(cloud).list_references([w.FREE])
    assert not [r for r in cloud.requests if "security_group_rules" in r.query]


def test_a_group_that_is_gone_costs_no_list_of_the_whole_project():
    cloud = emulator()
    provider = connect(cloud)
    provider.delete_group(w.FREE)
    seen = provider.list_references([w.FREE])
    assert (seen.value, seen.unseen) == ({w.FREE: ()}, ())
    assert not [r for r in cloud.requests if "security_group_rules" in r.query]


def test_a_rule_made_for_our_project_in_a_foreign_group_is_not_shown_and_costs_no_error():
    cloud = emulator()
    add_rule(cloud, w.FOREIGN, peer_group=w.FREE, project=w.PROJECT)
    assert connect(cloud).list_references([w.FREE]).value == {w.FREE: ()}
    assert len(connect(cloud, w.ADMIN_ENV).list_references([w.FREE]).value[w.FREE]) == 1


# -- empty lists ----------------------------------------------------------------------------------


@ENVS
@pytest.mark.sampled(2)
def test_everything_denied_is_no_permission_and_never_nobody(env):
    cloud = deny(emulator(), "GET /v2.0/*")
    provider = connect(cloud, env)
    for read in ("read_groups", "list_references", "list_bindings"):
        seen = getattr(provider, read)([w.FREE, w.WEB])
        assert ("no-permission", w.FREE) in codes(seen), read
        assert ("no-permission", w.WEB) in codes(seen), read
        assert "reader" in in_english(seen.unseen[0].remedy)
    assert judged(cloud, w.FREE, env).verdict is Verdict.BLOCK


@ENVS
@pytest.mark.parametrize("action", ["GET /v2.0/security-group*", "GET /v2.0/ports"])
@pytest.mark.sampled(6)
def test_a_list_that_is_denied_is_never_taken_for_empty(env, action):
    cloud = deny(emulator(), action)
    assert judged(cloud, w.FREE, env).verdict is Verdict.BLOCK
    assert judged(cloud, w.WEB, env).verdict is Verdict.BLOCK
    assert judged(cloud, w.BOUND, env).verdict is Verdict.BLOCK


@ENVS
def test_rules_that_are_denied_are_read_with_their_groups(env):
    cloud = deny(emulator(), "GET /v2.0/security-group-rules")
    seen = connect(cloud, env).list_references([w.WEB])
    assert (len(seen.value[w.WEB]), seen.unseen) == (2, ())


@ENVS
def test_a_project_without_any_port_is_one_without_ports(env):
    cloud = emulator()
    state(cloud).interfaces.clear()
    assert judged(cloud, w.FREE, env).verdict is Verdict.ALLOW


@ENVS
def test_an_older_neutron_without_the_use_of_quotas_can_prove_that_too(env):
    cloud = emulator(quirks={"quota_details_absent": True})
    state(cloud).interfaces.clear()
    assert judged(cloud, w.FREE, env).verdict is Verdict.ALLOW


def test_ports_that_the_quota_counts_and_no_list_shows_are_hidden():
    cloud = deny(emulator(), "GET /v2.0/ports")
    (gap,) = connect(cloud).list_bindings([w.FREE]).unseen
    assert (gap.code, in_english(gap.what)) == ("no-permission", "bindings")


@ENVS
def test_a_group_in_a_cloud_without_any_rule_is_free(env):
    cloud = emulator()
    for group in state(cloud).groups:
        group.rules.clear()
    assert judged(cloud, w.FREE, env).verdict is Verdict.ALLOW


@ENVS
def test_a_region_whose_neighbour_has_all_ports_has_none(env):
    cloud = emulator()
    for port in state(cloud).interfaces:
        port.region = "RegionTwo"
    assert judged(cloud, w.FREE, env).verdict is Verdict.ALLOW


def test_what_a_policy_hides_of_a_server_is_a_gap():
    seen = connect(deny(emulator(), "GET /v2.0/ports")).read_instance(w.SERVER)
    assert [gap.code for gap in seen.unseen] == ["no-permission"]


# -- a Neutron that has just started --------------------------------------------------------------


@ENVS
@pytest.mark.parametrize("calls", range(1, 16))
@pytest.mark.sampled(48)
def test_while_neutron_starts_nothing_that_is_in_use_looks_free(env, calls):
    for group_id in (w.WEB, w.BOUND):
        cloud = emulator()
        provider = connect(cloud, env)
        provider.visibility  # noqa: B018 - the token is requested before
        state(cloud).quirks["policy_unloaded"] = calls
        decision = judged(cloud, group_id, env)
        assert decision.verdict is Verdict.BLOCK
        assert "not-found" not in {reason.code for reason in decision.reasons}


@pytest.mark.parametrize("calls", range(1, 8))
@pytest.mark.sampled(4)
def test_a_lost_delete_is_not_settled_by_a_list_that_hides_the_group(calls):
    cloud = emulator(quirks={"policy_unloaded": calls})
    found = caught(lambda: observe(connect(cloud), FREE_DELETE))
    # Either it is not settled yet, or as what it is.
    assert isinstance(found, UnknownShapeError) or found[0] is State.BEFORE


def test_a_group_that_is_gone_is_gone_by_two_questions():
    cloud = emulator()
    provider = connect(cloud)
    provider.delete_group(w.FREE)
    assert observe(provider, FREE_DELETE)[0] is State.AFTER
    assert [r.action for r in cloud.requests][-2:] == [
        "GET /v2.0/security-groups",
        "GET /v2.0/security-groups/{id}",
    ]


def test_no_new_group_is_no_answer_of_a_list_that_hides_groups():
    cloud = emulator(quirks={"policy_unloaded": 2})
    with pytest.raises(UnknownShapeError, match="shows this token nothing"):
        connect(cloud).find_groups("web")
    assert connect(cloud).find_groups("nobody") == ()


def test_the_ports_of_a_server_that_are_hidden_are_no_missing_ports():
    cloud = emulator(quirks={"policy_unloaded": 2})
    holder = Holder("instance", w.SERVER)
    with pytest.raises(UnknownShapeError, match="list of ports is empty"):
        connect(deny(cloud, "GET /v2.0/ports")).read_holder(holder)


# -- rows that answer a filter --------------------------------------------------------------------


@ENVS
@pytest.mark.sampled(2)
def test_ids_in_other_letters_are_the_same_ids(env):
    # MySQL compares text without regard to case, and Neutron keeps an id as it was sent.
    cloud = emulator(quirks={"ids_any_case": True})
    add_rule(cloud, w.OUT, peer_group=w.FREE.upper())
    add_ports(cloud, groups=[w.APP.upper()])
    assert len(connect(cloud, env).list_references([w.FREE]).value[w.FREE]) == 1
    assert len(connect(cloud, env).list_bindings([w.APP]).value[w.APP]) == 1
    assert judged(cloud, w.FREE, env).verdict is Verdict.BLOCK


def test_a_rule_whose_peer_is_in_other_letters_can_be_removed():
    cloud = emulator(quirks={"ids_any_case": True})
    add_rule(cloud, w.OUT, peer_group=w.FREE.upper())
    provider = connect(cloud)
    (reference,) = provider.list_references([w.FREE]).value[w.FREE]
    provider.remove_rule(w.OUT, reference.rule, token="t")
    assert provider.list_references([w.FREE]).value[w.FREE] == ()


@ENVS
def test_a_port_that_carries_the_group_in_an_extensions_field_holds_it(env):
    # VMware NSX: provider_security_groups.
    cloud = emulator(quirks={"group_fields": {w.PORT: "provider_security_groups"}})
    state(cloud).interface(w.PORT).groups = [w.FREE]
    (binding,) = connect(cloud, env).list_bindings([w.FREE]).value[w.FREE]
    assert binding.holder_id == w.PORT
    assert "provider_security_groups" in whole_english(binding.change_refusal)
    assert judged(cloud, w.FREE, env).verdict is Verdict.BLOCK


@ENVS
def test_a_port_that_answers_and_shows_the_group_nowhere_is_a_gap(env):
    cloud = emulator(quirks={"group_fields": {w.PORT: "vendor:profile"}})
    state(cloud).interface(w.PORT).groups = [w.FREE]
    seen = connect(cloud, env).list_bindings([w.FREE])
    assert codes(seen) == [("unknown-shape", w.FREE)]
    assert w.PORT in whole_english(seen.unseen[0].why)
    assert judged(cloud, w.FREE, env).verdict is Verdict.BLOCK


def other_peer(request, response):
    """Let the rules that name ``free`` name something else, as an unknown spelling would."""
    if "remote_group_id" not in str(request.url.query):
        return None
    rows = response.json()["security_group_rules"]
    changed = [row | {"remote_group_id": f"urn:{row['remote_group_id']}"} for row in rows]
    return httpx.Response(200, json={"security_group_rules": changed})


@ENVS
def test_a_rule_that_answers_and_names_something_else_is_a_gap(env):
    cloud = emulator()
    add_rule(cloud, w.OUT, peer_group=w.FREE)
    seen = behind(cloud, other_peer, env).list_references([w.FREE])
    assert ("unknown-shape", w.FREE) in codes(seen)


def test_whether_a_filter_is_ignored_is_asked_once_per_process_and_scope():
    cloud = emulator(quirks={"ignored_filters": ["security_groups"]})
    provider = connect(cloud)
    for _ in range(3):
        seen = provider.list_bindings([w.FREE])
        assert (seen.value, seen.unseen) == ({w.FREE: ()}, ())
    asked = [r for r in cloud.requests if "00000000-0000-4000-8000-000000000000" in r.query]
    assert len(asked) == 1


def test_a_shared_group_and_hidden_rows_are_told_apart():
    cloud = hiding(2)
    share(cloud, w.OTHER_PROJECT)
    seen = connect(cloud).list_references([w.FREE])
    assert len(seen.value[w.FREE]) == 1
    assert [gap.code for gap in seen.unseen] == ["other-project"]
