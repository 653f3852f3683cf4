"""Random launches and bindings, and whether the real cloud takes them.

A launch is the ports it needs, made with its groups in the project of who asks. A binding is Nova's
own action, which changes every port of a server; ports that carry the group already are refused by
it, and the others then take the group one by one.
"""

from __future__ import annotations

from dataclasses import replace

import httpx

from sgguard.errors import SgguardError
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Decision
from sgguard.model.request import LaunchRequest
from sgguard.policy import Policy
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.false_verdicts.decide import decision_on, scope_of
from tests.false_verdicts.detector import Tally
from tests.false_verdicts.random_source import RandomSource
from tests.live.openstack.build import MEMBER
from tests.live.openstack.report import report
from tests.live.openstack.stack import Client, Stack

_ACCEPTED = (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.ACCEPTED)


def limit_ports(stack: Stack, who: str, rng: RandomSource) -> None:
    """Leave the project of a user room for a few more ports only, or for none."""
    project = stack.project(who)
    (used,) = stack.rows("SELECT COUNT(*) AS n FROM ports WHERE project_id = ?", project)
    quota = {"port": used["n"] + rng.randint(0, 3)}
    response = stack.client("admin").call("PUT", f"quotas/{project}", {"quota": quota})
    assert response.status_code == httpx.codes.OK, response.text


def launch_in(stack: Stack, case: Case, rng: RandomSource) -> Case:
    """Ask for instances with some groups, or for more groups of one that exists."""
    mine = [group.id for group in case.cloud.groups if not truth.obstacle(case, group.id)]
    wanted = rng.some(mine, 1, 3)
    if rng.chance(0.05):
        wanted.append(rng.uuid())
    request = LaunchRequest(scope_of(case), tuple(wanted), count=rng.randint(1, 4))
    if rng.chance(0.4):
        servers = stack.servers[MEMBER]
        with_ports = [one.instance for one in case.cloud.interfaces if one.instance in servers]
        server = rng.choice([*with_ports, *servers[:1]])
        request = LaunchRequest(scope_of(case), tuple(wanted), instance_id=server)
    return replace(case, launch=request, policy=Policy())


def problem_with_launch(stack: Stack, case: Case, who: str, tally: Tally) -> str:
    """What is wrong with the decision on a launch, which is then made."""
    assert case.launch is not None
    found = decision_on(case, stack.transport)
    if isinstance(found, SgguardError):
        return report(case, f"the real cloud could not be read: {found!r}")
    refusal = _launched(stack, case, who)
    verdict = found.judgement.verdict
    tally.counts[verdict.value] += 1
    tally.counts[f"really {' '.join(refusal.split()[:2]) or 'launched'}"] += 1
    is_blocked = verdict is Verdict.BLOCK
    if bool(refusal) == is_blocked or (is_blocked and _is_opinion(case, found)):
        return ""
    return report(case, f"{verdict}, but {refusal or 'it was launched'}", found)


def _is_opinion(case: Case, found: Decision) -> bool:
    """Whether it was blocked only because an administrator gives a project a foreign group.

    Neutron lets administrators do that, shared or not.
    """
    codes = {one.code for one in found.judgement.reasons if one.effect == "block"}
    return case.is_admin and codes == {ReasonCode.GROUP_OTHER_PROJECT} and not _is_shared(case)


def _is_shared(case: Case) -> bool:
    """Whether the project of the instance may use all the groups."""
    assert case.launch is not None
    instance = case.cloud.instance(case.launch.instance_id)
    project = instance.project if instance else case.caller.projects[0]
    groups = [case.cloud.group(one) for one in case.launch.group_ids]
    return all(
        group is not None and (group.project == project or {"*", project} & {*group.shared_with})
        for group in groups
    )


def _launched(stack: Stack, case: Case, who: str) -> str:
    """Make the change, and return why it was refused; empty if it was not."""
    request = case.launch
    assert request is not None
    client = stack.client(who)
    if request.instance_id:
        each = (_bound(case, client, request.instance_id, one) for one in request.group_ids)
        return next(filter(None, each), "")
    port = {"network_id": stack.networks[0], "security_groups": list(request.group_ids)}
    for _ in range(request.count):
        if refusal := _refusal(client.call("POST", "ports", {"port": port})):
            return refusal
    return ""


def _bound(case: Case, client: Client, server: str, group_id: str) -> str:
    """Bind one group to a server, and return why it was refused."""
    ports = [one for one in case.cloud.interfaces if one.instance == server]
    if not any(group_id in one.groups for one in ports):
        return _refusal(client.act(server, {"addSecurityGroup": {"name": group_id}}))
    for one in ports:
        shown = client.call("GET", f"ports/{one.id}").json()["port"]["security_groups"]
        body = {"port": {"security_groups": [*{*shown, group_id}]}}
        if refusal := _refusal(client.call("PUT", f"ports/{one.id}", body)):
            return refusal
    return ""


def _refusal(response: httpx.Response) -> str:
    if response.status_code in _ACCEPTED:
        return ""
    ((name, error),) = response.json().items()
    return f"{response.status_code} {error.get('type', name)} {error['message']}"
