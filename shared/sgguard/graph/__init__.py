"""Who references a group and what carries it, as a graph to read, draw or compute with.

``build`` makes the graph from facts; the others write it as text, JSON, Mermaid or Graphviz DOT.
"""

from __future__ import annotations

from typing import Any

from sgguard.document import binding_json, reference_json
from sgguard.graph.draw import to_dot, to_mermaid
from sgguard.graph.model import Edge, Graph, Node, build
from sgguard.graph.text import to_text
from sgguard.model import Reference

__all__ = ["Edge", "Graph", "Node", "build", "to_dot", "to_json", "to_mermaid", "to_text"]


def to_json(graph: Graph) -> dict[str, Any]:
    """Return every node and every edge, nothing grouped; edges point at the group concerned."""
    return {
        "nodes": [_node(node) for node in graph.nodes],
        "edges": [_edge(edge) for edge in graph.edges],
        "complete": not graph.unseen,
        "unseen": [
            {"code": one.code, "what": one.what, "why": one.why, "remedy": one.remedy}
            for one in graph.unseen
        ],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "key": node.key,
        "kind": node.kind,
        "id": node.identifier,
        "name": node.name,
        "note": node.note,
        "is_target": node.is_target,
    }


def _edge(edge: Edge) -> dict[str, Any]:
    ends = {"source": edge.source, "target": edge.target, "kind": edge.kind}
    if isinstance(edge.evidence, Reference):
        return {**ends, "reference": reference_json(edge.evidence), "binding": None}
    return {**ends, "reference": None, "binding": binding_json(edge.evidence)}
