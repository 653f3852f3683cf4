"""Neutron with the plugin: what a delete gets that Neutron alone would have made, or refused."""

from __future__ import annotations

import json
import re
import subprocess
import time
from statistics import median

import httpx
import pytest

from sgguard.demo.processes import Function as Deployed
from sgguard.demo.processes import running
from sgguard.web import server
from tests.deploy.function import answering, decision, reason
from tests.live.openstack.deliveries import Deliveries
from tests.live.openstack.judge import delete
from tests.live.openstack.plugged import (
    TOKEN,
    address,
    guarded,
    inserted_groups,
    installed,
    with_role,
)
from tests.live.openstack.stack import VENV, WHOLE

ALPHA, BETA, ADMIN = "alpha", "beta", "admin"
NO_CONTENT, CONFLICT, NOT_FOUND = 204, 409, 404
IN_USE = "SecurityGroupInUse"


@pytest.fixture(scope="module")
def site(running_stack, tmp_path_factory):
    return installed(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def answering_function():
    with answering() as function:
        yield function


@pytest.fixture
def function(answering_function):
    answering_function.asked.clear()
    answering_function.answer = decision
    return answering_function


@pytest.fixture(scope="module")
def token_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture(scope="module")
def closed_api(running_stack, site, answering_function, token_file):
    options = {"url": answering_function.url, "region": WHOLE, "token_file": str(token_file)}
    with guarded(running_stack, "closed", site, **options) as api:
        yield api


@pytest.fixture(scope="module")
def open_api(running_stack, site, answering_function):
    options = {"url": answering_function.url, "region": WHOLE, "token": TOKEN, "fail": "open"}
    user = running_stack.facts["beta"]["user_id"]
    with guarded(running_stack, "open", site, deadline="0.5", unasked_users=user, **options) as api:
        yield api


@pytest.fixture(scope="module")
def alone_api(running_stack, site):
    """The plugin without a function to ask."""
    with guarded(running_stack, "alone", site) as api:
        yield api


@pytest.fixture(scope="module")
def plain_api(running_stack):
    """Neutron as it is, with its statements counted."""
    with guarded(running_stack, "plain", None) as api:
        yield api


@pytest.fixture
def closed(closed_api, stack, function):
    return closed_api


@pytest.fixture
def opened(open_api, stack, function):
    return open_api


@pytest.fixture
def alone(alone_api, stack):
    return alone_api


def message_of(response):
    assert response.status_code == CONFLICT, response.text
    error = response.json()["NeutronError"]
    assert error["type"] == IN_USE
    return error["message"]


def rules(stack):
    return {row["id"] for row in stack.rows("SELECT id FROM securitygrouprules")}


def has_group(stack, group):
    return bool(stack.rows("SELECT id FROM securitygroups WHERE id = ?", group))


def statements(response):
    return json.loads(response.headers["X-Statements"])


def least_statements(api, alpha):
    """What a delete always asks the database.

    The first request of a process loads what later ones have, and about once a minute Neutron reads
    again which agents there are (``neutron.api.rpc.callbacks.version_manager.VERSIONS_TTL``).
    """
    asked = [statements(api.delete(ALPHA, alpha.group(f"free-{number}"))) for number in range(4)]
    return min(asked, key=len)


# -- references -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [ALPHA, ADMIN])
def test_a_referenced_group_stays_and_so_does_every_rule(alone, stack, who):
    alpha = stack.client(ALPHA)
    named, web = alpha.group("named"), alpha.group("web")
    rule = alpha.rule(web, named)
    before = rules(stack)
    message = message_of(alone.delete(who, named))
    for part in ("1 rule of 1 group names it", web, "(web)", rule):
        assert part in message
    assert has_group(stack, named)
    assert rules(stack) == before


def test_without_the_plugin_the_same_delete_takes_the_rule_along(stack):
    alpha = stack.client(ALPHA)
    named = alpha.group("named")
    alpha.rule(alpha.group("web"), named)
    done = delete(stack, alpha, named)
    assert (done.status, len(done.vanished)) == (NO_CONTENT, 1)


@pytest.mark.parametrize("who", [ALPHA, ADMIN])
def test_a_group_that_only_its_own_rules_name_is_deleted(alone, stack, who):
    alpha = stack.client(ALPHA)
    group = alpha.group("self")
    alpha.rule(group, group)
    assert alone.delete(who, group).status_code == NO_CONTENT
    assert not has_group(stack, group)


def test_a_group_that_names_others_is_deleted_with_its_own_rules_only(alone, stack):
    alpha = stack.client(ALPHA)
    group, other, third = (alpha.group(name) for name in ("group", "other", "third"))
    alpha.rule(group, other)
    kept = alpha.rule(third, other)
    assert alone.delete(ALPHA, group).status_code == NO_CONTENT
    assert kept in rules(stack)
    assert has_group(stack, other)


def test_rules_of_another_project_are_counted_for_the_owner_and_named_for_an_administrator(
    alone, stack
):
    alpha, beta = stack.client(ALPHA), stack.client(BETA)
    named = alpha.group("named")
    policy = alpha.share(named, beta.project)
    theirs = beta.group("their-secret-name")
    rule = beta.rule(theirs, named)
    mine = alpha.group("mine")
    alpha.rule(mine, named)
    # No longer shared: nothing that the owner can see tells of the rule.
    stack.client(ADMIN).call("DELETE", f"rbac-policies/{policy}")
    told = message_of(alone.delete(ALPHA, named))
    assert "2 rules of 2 groups" in told
    assert mine in told
    assert "1 rule of 1 group of other projects" in told
    assert not any(hidden in told for hidden in (theirs, rule, "their-secret-name", beta.project))
    told = message_of(alone.delete(ADMIN, named))
    assert all(part in told for part in (theirs, rule, "their-secret-name", mine))


def test_many_rules_make_a_short_message_with_their_number(alone, stack):
    alpha = stack.client(ALPHA)
    named = alpha.group("named")
    for number in range(7):
        web = alpha.group(f"web-{number}")
        rows = [
            {
                "security_group_id": web,
                "direction": "ingress",
                "protocol": "tcp",
                "port_range_min": port,
                "port_range_max": port,
                "remote_group_id": named,
            }
            for port in range(1, 8)
        ]
        alpha.made("security-group-rules", {"security_group_rules": rows})
    message = message_of(alone.delete(ALPHA, named))
    assert "49 rules of 7 groups" in message
    assert "2 further groups" in message
    assert len(message) < 2000


# -- the question ---------------------------------------------------------------------------------


def test_a_free_group_is_deleted_after_the_function_was_asked_once(closed, stack, function):
    group = stack.client(ALPHA).group("free")
    assert closed.delete(ALPHA, group).status_code == NO_CONTENT
    assert not has_group(stack, group)
    ((headers, body),) = function.asked
    assert body == {"target": address(group), "requested_by": stack.facts[ALPHA]["user_id"]}
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["ce-type"] == "sgguard.delete.requested.v1"
    assert re.fullmatch(rf"req-[0-9a-f-]{{36}}/{group}", headers["ce-id"])


@pytest.mark.parametrize("verdict", ["block", "remediate"])
def test_what_the_function_does_not_allow_is_refused_with_its_reasons(
    closed, stack, function, verdict
):
    alpha = stack.client(ALPHA)
    group = alpha.group("prod-db")
    evidence = {"type": "group", "project": alpha.project}
    why = reason("protected", "prod-db is protected by the policy.", evidence)
    note = reason("free", "It is free.", effect="info")
    function.answer = lambda target: decision(target, verdict, why, note)
    message = message_of(closed.delete(ALPHA, group))
    assert f"the verdict is {verdict}: protected: prod-db is protected by the policy" in message
    assert "decision d-1" in message
    assert "It is free" not in message
    assert has_group(stack, group)


def test_a_reason_about_another_project_has_words_for_administrators_only(closed, stack, function):
    group = stack.client(ALPHA).group("named")
    evidence = {"type": "reference", "project": stack.project(BETA), "group_id": "beta-group"}
    why = reason("referenced", "1 rule of beta-group names it.", evidence)
    function.answer = lambda target: decision(target, "block", why)
    told = message_of(closed.delete(ALPHA, group))
    assert "referenced (1 item of evidence, for administrators)" in told
    assert "beta-group" not in told
    assert "1 rule of beta-group names it" in message_of(closed.delete(ADMIN, group))


def test_a_reference_made_after_the_function_allowed_keeps_the_group(closed, stack, function):
    alpha = stack.client(ALPHA)
    named, web = alpha.group("named"), alpha.group("web")
    made = []

    def meddle(target):
        # Between the two events, through another API over the same database.
        made.append(alpha.rule(web, named))
        return decision(target)

    function.answer = meddle
    message = message_of(closed.delete(ALPHA, named))
    assert function.targets() == [named]
    assert made[0] in message
    assert set(made) <= rules(stack)
    assert has_group(stack, named)


def test_what_neutron_refuses_itself_is_not_asked(closed, stack, function):
    alpha = stack.client(ALPHA)
    group = alpha.group("carried")
    alpha.port(stack.networks[0], [group])
    assert message_of(closed.delete(ALPHA, group)) == f"Security Group {group} in use."
    assert closed.delete(BETA, group).status_code == NOT_FOUND
    assert function.asked == []


def test_the_function_is_not_asked_about_the_deletes_of_its_own_user(opened, stack, function):
    beta = stack.client(BETA)
    group = beta.group("free")
    assert opened.delete(BETA, group).status_code == NO_CONTENT
    named = beta.group("named")
    beta.rule(beta.group("web"), named)
    message_of(opened.delete(BETA, named))
    assert function.asked == []


# -- a function that does not answer --------------------------------------------------------------

FAILURES = {
    "never": lambda _target: None,
    "500": lambda _target: 500,
    "busy": lambda _target: 409,
    "redirect": lambda _target: 307,
    "no decision": lambda _target: {"verdict": "perhaps"},
    "another group": lambda _target: decision(address("1dd6e298-5f3a-4d0b-9a52-6f1c2d3e4f50")),
    "another guard": lambda target: decision(target) | {"guard": "launch"},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_without_a_judgement_fail_closed_refuses(closed, stack, function, failure):
    group = stack.client(ALPHA).group("free")
    function.answer = FAILURES[failure]
    assert "could not be judged" in message_of(closed.delete(ALPHA, group))
    assert has_group(stack, group)
    assert f"not judged group={group} fail=closed" in closed.log()


@pytest.mark.parametrize("failure", FAILURES)
def test_without_a_judgement_fail_open_deletes_what_is_free_only(opened, stack, function, failure):
    alpha = stack.client(ALPHA)
    free, named = alpha.group("free"), alpha.group("named")
    alpha.rule(alpha.group("web"), named)
    function.answer = FAILURES[failure]
    assert opened.delete(ALPHA, free).status_code == NO_CONTENT
    message_of(opened.delete(ALPHA, named))
    assert has_group(stack, named)
    assert function.targets() == [free, named]
    assert f"not judged group={free} fail=open" in opened.log()


def test_a_function_that_is_down_refuses_or_not_as_configured(stack, site):
    alpha = stack.client(ALPHA)
    with answering() as function:
        url = function.url
    for fail, status in (("closed", CONFLICT), ("open", NO_CONTENT)):
        group = alpha.group(fail)
        with guarded(stack, f"down-{fail}", site, url=url, region=WHOLE, fail=fail) as api:
            assert api.delete(ALPHA, group).status_code == status
            assert "ConnectionRefusedError" in api.log()


# -- override -------------------------------------------------------------------------------------


OVERRIDE = "sgguard_override"


@pytest.mark.parametrize("who", [ADMIN, ALPHA])
def test_the_role_overrides_and_the_log_tells_what_went(closed, stack, function, who):
    alpha = stack.client(ALPHA)
    named, web = alpha.group("named"), alpha.group("web")
    rule = alpha.rule(web, named)
    function.answer = lambda target: decision(target, "block")
    message_of(closed.delete(who, named))
    operator = with_role(stack, who, OVERRIDE)
    assert closed.delete(operator, named).status_code == NO_CONTENT
    assert not has_group(stack, named)
    # Without the role the function was asked, with it nobody is.
    assert function.targets() == [named]
    lines = [line for line in closed.log().splitlines() if "override" in line and named in line]
    first, second = lines
    assert "the function is not asked" in first
    for part in ("WARNING", "role=sgguard_override", web, rule, stack.project(who)):
        assert part in second


def test_the_role_of_one_project_overrides_nothing_in_another(alone, stack):
    alpha = stack.client(ALPHA)
    named = alpha.group("named")
    alpha.rule(alpha.group("web"), named)
    operator = with_role(stack, BETA, OVERRIDE)
    assert alone.delete(operator, named).status_code == NOT_FOUND
    assert has_group(stack, named)


def test_no_log_has_the_token(closed, opened, stack, function):
    for api in (closed, opened):
        function.answer = FAILURES["500"]
        api.delete(ALPHA, stack.client(ALPHA).group("free"))
        assert function.asked[-1][0]["authorization"] == f"Bearer {TOKEN}"
        assert "not judged" in api.log()
        assert TOKEN not in api.log()


# -- what stays as it was -------------------------------------------------------------------------


def test_a_default_group_is_neutrons_own_matter(closed, stack, function):
    query = "SELECT security_group_id FROM default_security_group WHERE project_id = ?"
    ((group,),) = stack.rows(query, stack.project(ALPHA))
    refused = closed.delete(ALPHA, group)
    assert refused.status_code == CONFLICT
    assert refused.json()["NeutronError"]["type"] == "SecurityGroupCannotRemoveDefault"
    # A default group names itself; whoever removes a project removes it.
    assert closed.delete(ADMIN, group).status_code == NO_CONTENT
    assert function.asked == []
    closed.client(ALPHA).call("GET", "security-groups")
    ((again,),) = stack.rows(query, stack.project(ALPHA))
    assert again != group


def test_a_default_group_that_another_group_names_stays(closed, stack):
    alpha = stack.client(ALPHA)
    query = "SELECT security_group_id FROM default_security_group WHERE project_id = ?"
    ((group,),) = stack.rows(query, alpha.project)
    alpha.rule(alpha.group("web"), group)
    assert "(web)" in message_of(closed.delete(ADMIN, group))


def test_quota_and_all_other_changes_are_as_before(closed, stack, function):
    alpha = closed.client(ALPHA)
    used = f"quotas/{alpha.project}/details.json"

    def count():
        return alpha.call("GET", used).json()["quota"]["security_group"]["used"]

    before = count()
    group, other = alpha.group("group"), alpha.group("other")
    rule, port = alpha.rule(group, other), alpha.port(stack.networks[0], [group])
    policy = alpha.share(group, stack.project(BETA))
    assert count() == before + 2
    for path in (f"ports/{port}", f"security-group-rules/{rule}", f"rbac-policies/{policy}"):
        assert alpha.call("DELETE", path).status_code == NO_CONTENT, path
    assert function.asked == []
    for one in (other, group):
        assert closed.delete(ALPHA, one).status_code == NO_CONTENT
    assert count() == before


def test_a_shared_group_goes_with_its_policies(closed, stack):
    alpha = stack.client(ALPHA)
    group = alpha.group("shared")
    alpha.share(group, stack.project(BETA))
    assert closed.delete(ALPHA, group).status_code == NO_CONTENT
    assert stack.rows("SELECT * FROM securitygrouprbacs WHERE object_id = ?", group) == []


@pytest.mark.parametrize("who", [ALPHA, ADMIN])
def test_the_forecast_of_a_delete_knows_the_plugin(alone, plain_api, stack, tmp_path, who):
    alpha = stack.client(ALPHA)
    named, free = alpha.group("named"), alpha.group("free")
    alpha.rule(alpha.group("web"), named)
    found = {}
    for api in (alone, plain_api):
        settings = {"SGGUARD_ENDPOINT_OPENSTACK_NETWORK": f"http://127.0.0.1:{api.port}"}
        deliveries = Deliveries(stack, who, tmp_path / api.name, settings=settings)
        found[api.name] = deliveries.delete(named), deliveries.delete(free, event_id="e-2")
    (kept, gone), (cascade, _) = found["alone"], found["plain"]
    assert kept["verdict"] == cascade["verdict"] == "block"
    assert [one["code"] for one in kept["reasons"]] == ["referenced"]
    assert [one["code"] for one in cascade["reasons"]] == ["referenced-will-cascade"]
    told = [one["consequences"][0]["kind"] for one in (kept, gone, cascade)]
    assert told == ["will-be-refused", "will-succeed", "will-cascade"]
    assert kept["consequences"][0]["error_code"] == IN_USE
    # And so it happens.
    assert alone.delete(who, named).status_code == CONFLICT
    assert alone.delete(who, free).status_code == NO_CONTENT
    assert plain_api.delete(who, named).status_code == NO_CONTENT


def test_the_extension_tells_everybody_whether_the_plugin_is_there(closed, plain_api):
    for who in (ALPHA, "alpha-reader", ADMIN):
        shown = closed.client(who).call("GET", "extensions/sgguard")
        assert shown.status_code == httpx.codes.OK
        assert shown.json()["extension"]["alias"] == "sgguard"
        assert plain_api.client(who).call("GET", "extensions/sgguard").status_code == NOT_FOUND


# -- cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alone", "closed"])
def test_a_delete_costs_one_query_more_than_without_the_plugin(
    name, request, plain_api, stack, function
):
    api = request.getfixturevalue(name)
    alpha = stack.client(ALPHA)
    found, expected = (least_statements(one, alpha) for one in (api, plain_api))
    more = list(found)
    for one in expected:
        more.remove(one)
    (query,) = more
    assert query.startswith("SELECT securitygrouprules JOIN securitygroups")


DELETES = 1000


def test_a_thousand_deletes_with_and_without_the_plugin(alone, plain_api, stack, capsys):
    """What the query costs is printed; that there is one is asserted above."""
    took = {alone.name: [], plain_api.name: []}
    groups = iter(inserted_groups(stack, ALPHA, 2 * DELETES))
    for _ in range(DELETES):
        # In turns, so that whatever else the machine does concerns both.
        for api in (alone, plain_api):
            group = next(groups)
            begun = time.perf_counter()
            response = api.delete(ALPHA, group)
            took[api.name].append(time.perf_counter() - begun)
            assert response.status_code == NO_CONTENT
    with_ms, without_ms = (1000 * median(took[api.name]) for api in (alone, plain_api))
    with capsys.disabled():
        print(
            f"\n{DELETES} deletes each, median: {without_ms:.1f} ms without the plugin, "
            f"{with_ms:.1f} ms with it, {with_ms / without_ms:.2f} times"
        )
    assert not stack.rows("SELECT id FROM securitygroups WHERE name LIKE 'inserted-%'")


# -- the real function ----------------------------------------------------------------------------


def test_the_real_function_judges_what_neutron_is_asked_to_delete(stack, site, tmp_path):
    alpha = stack.client(ALPHA)
    free, protected = alpha.group("free"), alpha.group("prod-db")
    named = alpha.group("named")
    alpha.rule(alpha.group("web"), named)
    policy = tmp_path / "policy.toml"
    policy.write_text('mode = "observe"\n[delete]\nprotected = ["prod-*"]\n')
    store = f"sqlite:///{tmp_path / 'store.db'}"
    env = {**stack.env(ADMIN), "SGGUARD_POLICY": str(policy), "SGGUARD_STORE": store}
    deployed = Deployed("delete_request", server.functions()["delete_request"], env)
    with running({"it": deployed}) as children:
        child = children["it"]
        child.ask_type()
        with guarded(stack, "real", site, url=child.url, region=WHOLE, deadline="30") as api:
            kept = message_of(api.delete(ALPHA, protected))
            referenced = message_of(api.delete(ALPHA, named))
            done = api.delete(ALPHA, free)
    assert "protected: " in kept
    assert "prod-*" in kept
    assert "referenced" in referenced
    assert done.status_code == NO_CONTENT, done.text + child.output()
    assert [has_group(stack, one) for one in (free, protected, named)] == [False, True, True]


# -- in the environment of Neutron ----------------------------------------------------------------


def in_neutron(site, code):
    return subprocess.run(
        [str(VENV / "bin" / "python"), "-W", "ignore", "-c", code],
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_query_locks_what_it_reads_where_the_database_can(site):
    code = """
from unittest import mock
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Query, Session
from sgguard_neutron.references import naming_rules
seen = []
with mock.patch.object(Query, "__iter__", lambda self: seen.append(self) or iter(())):
    naming_rules(Session(), "id")
print(seen[0].statement.compile(dialect=mysql.dialect()))
"""
    done = in_neutron(site, code)
    assert done.stdout.rstrip().endswith("FOR UPDATE"), done.stderr
    assert "remote_group_id = " in done.stdout


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"url": "http://127.0.0.1:8080"}, "region is missing"),
        ({"url": "ftp://127.0.0.1", "region": "R"}, "is no address"),
        ({"url": "http://me:secret@127.0.0.1", "region": "R"}, "has a user name"),
        ({"fail": "sometimes"}, "sometimes"),
        ({}, "fine"),
    ],
)
def test_options_that_cannot_be_used_are_refused_at_start(site, tmp_path, options, problem):
    path = tmp_path / "neutron.conf"
    path.write_text("[sgguard]\n" + "\n".join(f"{k} = {v}" for k, v in options.items()))
    code = f"""
from oslo_config import cfg
from sgguard_neutron import options
cfg.CONF([], default_config_files=[{str(path)!r}])
values = options.read(cfg.CONF)
options.function(values)
values.fail
print("fine")
"""
    done = in_neutron(site, code)
    assert problem in (done.stdout if problem == "fine" else done.stderr.splitlines()[-1])
    assert "secret" not in done.stderr.splitlines()[-1:]


def test_every_option_is_in_the_sample_that_neutron_can_generate(site):
    done = in_neutron(
        site,
        "from oslo_config import generator\ngenerator.main(['--namespace', 'sgguard_neutron'])",
    )
    names = re.findall(r"^#(\w+) = ", done.stdout, re.MULTILINE)
    assert set(names) >= {"fail", "deadline", "override_roles"}
