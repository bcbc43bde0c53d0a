"""A scene for other programs: Graphviz's DOT, and JSON with the places that the layout found."""

from __future__ import annotations

import json

from headwater.pictures.layout import layered
from headwater.pictures.scene import Scene


def dot(scene: Scene) -> str:
    r"""The scene as a Graphviz digraph; each node carries its page as URL.

    >>> from headwater.pictures.scene import Node
    >>> print(dot(Scene("urn:d", (Node("urn:d", 'the "digits"', "dataset", "/d"),), ())))
    digraph lineage {
      rankdir=LR; node [shape=box];
      "urn:d" [label="the \"digits\"", URL="/d", tooltip="dataset"];
    }
    """
    lines = ["digraph lineage {", "  rankdir=LR; node [shape=box];"]
    for node in scene.nodes:
        lines.append(
            f"  {_quoted(node.iri)} [label={_quoted(node.label)}, URL={_quoted(node.href)}, tooltip={_quoted(node.kind)}];"
        )
    for edge in scene.edges:
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(edge.role or '')}];")
    return "\n".join([*lines, "}"])


def placed(scene: Scene) -> str:
    """The scene as JSON: nodes with `x y` (centres, in CSS pixels), edges, and the size of the whole.

    >>> from headwater.pictures.scene import Node
    >>> json.loads(placed(Scene("urn:d", (Node("urn:d", "digits", "dataset", "/d"),), ())))["nodes"][0]["x"]
    130.0
    """
    layout = layered([node.iri for node in scene.nodes], [(edge.source, edge.target) for edge in scene.edges])
    nodes = [
        {
            "id": node.iri,
            "label": node.label,
            "kind": node.kind,
            "href": node.href,
            "state": node.state,
            "severity": node.severity,
            "distance": node.distance,
            "folded": node.folded,
            "x": layout.centres[node.iri][0],
            "y": layout.centres[node.iri][1],
        }
        for node in scene.nodes
    ]
    edges = [{"source": e.source, "target": e.target, "relation": e.label, "role": e.role} for e in scene.edges]
    body = {"root": scene.root, "width": layout.width, "height": layout.height, "nodes": nodes, "edges": edges}
    return json.dumps(body, ensure_ascii=False)


def _quoted(value: str) -> str:
    """A DOT string. `\\N` and the like would be expanded by Graphviz, so backslashes are doubled."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ").replace("\0", "") + '"'
