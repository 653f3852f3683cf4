"""The graph of a decision that was kept: read back from its document."""

from __future__ import annotations

from typing import Any

from sgguard.model.address import Address, Scope
from sgguard.model.facts import GroupFacts
from sgguard.model.resource import Group
from sgguard.render.graph.model import Graph, build
from sgguard.render.values import binding_of, reference_of

Json = dict[str, Any]


def graph_of(document: Json) -> Graph:
    """Return the graph of the groups that a decision is about, as its document has them."""
    provider, account, region = document["target"][0].split(":")[:3]
    scope, facts = Scope(provider, account, region), document["facts"]
    return build(_facts(one, scope, facts) for one in facts["groups"])


def _facts(row: Json, scope: Scope, facts: Json) -> GroupFacts:
    address = Address(scope, row["group_id"])
    mine = str(address)
    return GroupFacts(
        address,
        Group(row["group_id"], row["name"], project=row["project"]),
        references=tuple(reference_of(one) for one in facts["references"] if one["target"] == mine),
        bindings=tuple(binding_of(one) for one in facts["bindings"] if one["target"] == mine),
    )
