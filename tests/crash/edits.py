"""What a concurrent editor may change while a plan is applied, within the rules of the cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sgguard.emulator import edit
from sgguard.emulator.state import Cloud, Rule, StateError
from tests.crash.scenarios import Scenario

Edit = Callable[[Cloud, Scenario], None]
"""Makes the same change whenever it is made, or raises StateError where a cloud would refuse."""

RULE_ID = "ed170000-0000-4000-8000-00000000000{}"
ADDRESS = "203.0.113.0/24"


def adds_rule_first(cloud: Cloud, scenario: Scenario) -> None:
    rule = Rule("ingress", RULE_ID.format(1), ports="9001", cidr=ADDRESS)
    edit.add_rule(cloud, scenario.setup.world.referrer_in, rule, position=0)


def adds_rule_last(cloud: Cloud, scenario: Scenario) -> None:
    rule = Rule("ingress", RULE_ID.format(2), ports="9001", cidr=ADDRESS)
    edit.add_rule(cloud, scenario.setup.world.referrer_in, rule)


def removes_the_rule(cloud: Cloud, scenario: Scenario) -> None:
    """Remove the rule of the scenario, whichever group it names by then."""
    group_id = scenario.setup.world.referrer_in
    edit.remove_rule(cloud, group_id, _of_the_scenario(cloud, group_id))


def changes_rule_description(cloud: Cloud, scenario: Scenario) -> None:
    group_id = scenario.setup.world.referrer_in
    _of_the_scenario(cloud, group_id).description = "by the editor"
    edit.require_group(cloud, group_id).version += 1


def adds_the_planned_rule(cloud: Cloud, scenario: Scenario) -> None:
    """Adds the very rule that the plan is to add."""
    group_id, spare = scenario.setup.world.referrer_in, scenario.setup.spare
    rule = _of_the_scenario(cloud, group_id)
    present = [(one.ports, one.peer_group) for one in edit.require_group(cloud, group_id).rules]
    if (rule.ports, spare) in present:
        raise StateError("duplicate", spare)
    edit.add_rule(cloud, group_id, replace(rule, id=RULE_ID.format(3), peer_group=spare))


def _of_the_scenario(cloud: Cloud, group_id: str) -> Rule:
    for rule in edit.require_group(cloud, group_id).rules:
        if rule.ports == "7001":
            return rule
    raise StateError("not-found", "7001")


def adds_a_reference(cloud: Cloud, scenario: Scenario) -> None:
    target = scenario.targets[0]
    edit.require_group(cloud, target)
    rule = Rule("ingress", RULE_ID.format(4), ports="9002", peer_group=target)
    edit.add_rule(cloud, scenario.setup.world.referrer_out, rule)


def adds_a_binding(cloud: Cloud, scenario: Scenario) -> None:
    target = scenario.targets[-1]
    edit.require_group(cloud, target)
    holder = next(
        one
        for one in cloud.interfaces_of(scenario.setup.world.other_server)
        if one.kind == "primary" and target not in one.groups
    )
    edit.set_groups(cloud, holder, [*holder.groups, target])


def binds_a_server_to_the_group_only(cloud: Cloud, scenario: Scenario) -> None:
    target = scenario.targets[-1]
    edit.require_group(cloud, target)
    holder = cloud.interfaces_of(scenario.setup.world.other_server)[0]
    edit.set_groups(cloud, holder, [target])


def adds_a_group_to_the_holder(cloud: Cloud, scenario: Scenario) -> None:
    holder = cloud.interfaces_of(scenario.setup.world.server)[0]
    edit.set_groups(cloud, holder, [*holder.groups, scenario.setup.three])


def deletes_the_referring_group(cloud: Cloud, scenario: Scenario) -> None:
    cloud.delete_group(scenario.setup.world.referrer_out)


def deletes_the_target_group(cloud: Cloud, scenario: Scenario) -> None:
    cloud.delete_group(scenario.targets[0])


def deletes_the_server(cloud: Cloud, scenario: Scenario) -> None:
    server = scenario.setup.world.server
    cloud.instances[:] = [one for one in cloud.instances if one.id != server]
    cloud.interfaces[:] = [one for one in cloud.interfaces if one.instance != server]


_WITH_RULES = ("revoke", "rewrite", "mix")
_WITH_HOLDERS = ("unbind", "move", "mix")

EDITS: dict[Edit, tuple[str, ...]] = {
    adds_rule_first: (*_WITH_RULES, "circle"),
    adds_rule_last: (*_WITH_RULES, "circle"),
    removes_the_rule: _WITH_RULES,
    changes_rule_description: _WITH_RULES,
    adds_the_planned_rule: ("rewrite", "mix"),
    adds_a_reference: (*_WITH_RULES, "unbind", "move", "circle", "set", "force"),
    adds_a_binding: (*_WITH_RULES, "unbind", "move", "circle", "set", "force"),
    binds_a_server_to_the_group_only: ("revoke", "force"),
    adds_a_group_to_the_holder: (*_WITH_HOLDERS, "baseline", "forbidden", "quarantine"),
    deletes_the_referring_group: ("revoke", "rewrite"),
    deletes_the_target_group: ("revoke", "rewrite", "unbind", "move"),
    deletes_the_server: (*_WITH_HOLDERS, "baseline", "quarantine"),
}
