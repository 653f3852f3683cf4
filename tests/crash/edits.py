"""What somebody else may do to a world while a plan is carried out, as a cloud would let them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sgguard.emulator import edit
from sgguard.emulator.state import Cloud, Rule, StateError
from tests.crash.scenarios import Plot

Edit = Callable[[Cloud, Plot], None]
"""Makes the same change whenever it is made, or raises StateError where a cloud would refuse."""

RULE_ID = "ed170000-0000-4000-8000-00000000000{}"
ADDRESS = "203.0.113.0/24"


def adds_a_rule_before_the_others(cloud: Cloud, plot: Plot) -> None:
    rule = Rule("ingress", RULE_ID.format(1), ports="9001", cidr=ADDRESS)
    edit.add_rule(cloud, plot.stage.world.referrer_in, rule, position=0)


def adds_a_rule_after_the_others(cloud: Cloud, plot: Plot) -> None:
    rule = Rule("ingress", RULE_ID.format(2), ports="9001", cidr=ADDRESS)
    edit.add_rule(cloud, plot.stage.world.referrer_in, rule)


def takes_the_rule_away(cloud: Cloud, plot: Plot) -> None:
    """The rule of the plot, whichever group it names by then."""
    group_id = plot.stage.world.referrer_in
    edit.remove_rule(cloud, group_id, _of_the_plot(cloud, group_id))


def describes_the_rule_anew(cloud: Cloud, plot: Plot) -> None:
    group_id = plot.stage.world.referrer_in
    _of_the_plot(cloud, group_id).description = "by the editor"
    edit.require_group(cloud, group_id).version += 1


def makes_the_rule_itself(cloud: Cloud, plot: Plot) -> None:
    """Adds the very rule that the plan is to add."""
    group_id, spare = plot.stage.world.referrer_in, plot.stage.spare
    rule = _of_the_plot(cloud, group_id)
    present = [(one.ports, one.peer_group) for one in edit.require_group(cloud, group_id).rules]
    if (rule.ports, spare) in present:
        raise StateError("duplicate", spare)
    edit.add_rule(cloud, group_id, replace(rule, id=RULE_ID.format(3), peer_group=spare))


def _of_the_plot(cloud: Cloud, group_id: str) -> Rule:
    for rule in edit.require_group(cloud, group_id).rules:
        if rule.ports == "7001":
            return rule
    raise StateError("not-found", "7001")


def names_the_group_anew(cloud: Cloud, plot: Plot) -> None:
    target = plot.targets[0]
    edit.require_group(cloud, target)
    rule = Rule("ingress", RULE_ID.format(4), ports="9002", peer_group=target)
    edit.add_rule(cloud, plot.stage.world.referrer_out, rule)


def binds_the_group_anew(cloud: Cloud, plot: Plot) -> None:
    target = plot.targets[-1]
    edit.require_group(cloud, target)
    holder = next(
        one
        for one in cloud.interfaces_of(plot.stage.world.other_server)
        if one.kind == "primary" and target not in one.groups
    )
    edit.set_groups(cloud, holder, [*holder.groups, target])


def puts_a_server_behind_the_group_alone(cloud: Cloud, plot: Plot) -> None:
    target = plot.targets[-1]
    edit.require_group(cloud, target)
    holder = cloud.interfaces_of(plot.stage.world.other_server)[0]
    edit.set_groups(cloud, holder, [target])


def gives_the_holder_one_more(cloud: Cloud, plot: Plot) -> None:
    holder = cloud.interfaces_of(plot.stage.world.server)[0]
    edit.set_groups(cloud, holder, [*holder.groups, plot.stage.three])


def deletes_the_referring_group(cloud: Cloud, plot: Plot) -> None:
    cloud.delete_group(plot.stage.world.referrer_out)


def deletes_the_group_itself(cloud: Cloud, plot: Plot) -> None:
    cloud.delete_group(plot.targets[0])


def ends_the_server(cloud: Cloud, plot: Plot) -> None:
    server = plot.stage.world.server
    cloud.instances[:] = [one for one in cloud.instances if one.id != server]
    cloud.interfaces[:] = [one for one in cloud.interfaces if one.instance != server]
    cloud.index = None


_RULED = ("revoke", "rewrite", "mix")
_HELD = ("unbind", "move", "mix")

EDITS: dict[Edit, tuple[str, ...]] = {
    adds_a_rule_before_the_others: (*_RULED, "circle"),
    adds_a_rule_after_the_others: (*_RULED, "circle"),
    takes_the_rule_away: _RULED,
    describes_the_rule_anew: _RULED,
    makes_the_rule_itself: ("rewrite", "mix"),
    names_the_group_anew: (*_RULED, "unbind", "move", "circle", "set", "force"),
    binds_the_group_anew: (*_RULED, "unbind", "move", "circle", "set", "force"),
    puts_a_server_behind_the_group_alone: ("revoke", "force"),
    gives_the_holder_one_more: (*_HELD, "baseline", "forbidden", "quarantine"),
    deletes_the_referring_group: ("revoke", "rewrite"),
    deletes_the_group_itself: ("revoke", "rewrite", "unbind", "move"),
    ends_the_server: (*_HELD, "baseline", "quarantine"),
}
