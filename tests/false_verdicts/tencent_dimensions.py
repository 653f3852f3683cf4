"""Further dimensions of random Tencent clouds: each changes a finished cloud, as `Kind.quirks`.

Each returns whether the cloud now hides from its readers something that a right verdict of theirs
would need; a block is then no fault.
"""

from __future__ import annotations

from sgguard.emulator.state import Cloud
from tests.false_verdicts.random_source import RandomSource


def hides_by_tag(rng: RandomSource, cloud: Cloud) -> bool:
    """A policy of CAM by tag: lists leave out groups, instances and interfaces, counts do not."""
    groups = rng.part([group.id for group in cloud.groups], 0.3)
    holders = [*(i.id for i in cloud.instances), *(i.id for i in cloud.interfaces)]
    cloud.quirks["lists_hide"] = [*groups, *rng.part(holders, 0.3)]
    return bool(cloud.quirks["lists_hide"])


def names_itself_often(rng: RandomSource, cloud: Cloud) -> bool:
    """Groups whose own rules name them more than once, beside a referrer that the list hides."""
    for group in cloud.groups:
        own = [rule for rule in group.rules if rule.peer_group == group.id]
        for number, rule in enumerate(own):
            group.rules.append(type(rule)(**{**_fields(rule), "id": f"{rule.id}-{number}-again"}))
    hidden = rng.part([group.id for group in cloud.groups], 0.3)
    cloud.quirks["references_hide"] = hidden
    return bool(hidden)


def _fields(rule: object) -> dict[str, object]:
    return {name: getattr(rule, name) for name in rule.__slots__}  # type: ignore[attr-defined]


def belongs_to_products(rng: RandomSource, cloud: Cloud) -> bool:
    """Further interfaces that a product owns: they hold the group, and are not changed."""
    for interface in cloud.interfaces:
        if interface.kind != "primary" and rng.chance(0.3):
            interface.managed_by = rng.choice(["eks", "hai"])
    return False


def counts_no_references(rng: RandomSource, cloud: Cloud) -> bool:
    """API 2.0 of an older server: references are listed and not counted."""
    del rng
    cloud.quirks["associates_untold"] = True
    return True


DIMENSIONS = {
    "tencent": (hides_by_tag, names_itself_often, belongs_to_products),
    "tencent-dfw": (counts_no_references,),
}
"""By provider."""
