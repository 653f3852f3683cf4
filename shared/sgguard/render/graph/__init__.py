"""What references a group and what it is bound to, as a graph to read, draw or compute with.

``build`` makes the graph from facts; the others write it as text, JSON, Mermaid or Graphviz DOT.
"""

from __future__ import annotations

from typing import Any

from sgguard.model.address import Address
from sgguard.model.resource import Reference
from sgguard.render.graph.draw import to_dot, to_mermaid
from sgguard.render.graph.model import Edge, Graph, Node, build
from sgguard.render.graph.text import WIDTH, to_text
from sgguard.render.values import binding_json, reference_json, tags_json, unseen_json

__all__ = ["WIDTH", "Edge", "Graph", "Node", "build", "to_dot", "to_json", "to_mermaid", "to_text"]


def to_json(graph: Graph) -> dict[str, Any]:
    """Return every node and every edge, nothing grouped; edges point at the group concerned."""
    nodes = {node.key: node for node in graph.nodes}
    return {
        "nodes": [_node(node) for node in graph.nodes],
        "edges": [_edge(nodes[edge.source], edge) for edge in graph.edges],
        "cycles": [list(circle) for circle in graph.cycles],
        "complete": not graph.unseen,
        "unseen": [{"group": key, **unseen_json(one)} for key, one in graph.unseen],
    }


def _node(node: Node) -> dict[str, Any]:
    is_group = node.kind == "group"
    return {
        "key": node.key,
        "kind": node.kind,
        "id": node.identifier,
        "name": node.name,
        "note": node.note,
        "address": str(Address(node.scope, node.identifier)) if is_group else "",
        "account": node.scope.account,
        "region": node.scope.region,
        "project": node.project,
        "tags": tags_json(node.tags),
        "is_target": node.is_target,
        "is_followed": node.is_followed,
    }


def _edge(source: Node, edge: Edge) -> dict[str, Any]:
    ends = {
        "source": edge.source,
        "target": edge.target,
        "kind": edge.kind,
        "account": source.scope.account,
        "region": source.scope.region,
        "let_go": edge.detach,
    }
    if isinstance(edge.evidence, Reference):
        return {**ends, "reference": reference_json(edge.evidence), "binding": None}
    return {**ends, "reference": None, "binding": binding_json(edge.evidence)}
