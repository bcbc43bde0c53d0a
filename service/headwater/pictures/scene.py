"""What a picture of lineage shows: the things of an answer and the links between them, drawn upstream to downstream."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

SEVERITIES = ("critical", "major", "moderate", "minor", "info")
"""Worst first; where a picture has to leave things out, the worst stay."""


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in the picture. `folded` counts the things that this one node stands for when it says "n more"."""

    iri: str
    label: str
    kind: str
    href: str
    state: str | None = None
    severity: str | None = None
    distance: int | None = None
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """A link in the direction of the flow, as answers have it: `source` lies upstream of `target`, however `label` reads."""

    source: str
    target: str
    label: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The nodes and edges of one picture, in a fixed order; `root` is the thing that was asked about.

    >>> scene = Scene.of({"root": "urn:m", "nodes": {"urn:m": {"kind": "model", "label": "tau id", "distance": 0}}, "edges": []})
    >>> scene.nodes[0].label, scene.nodes[0].href
    ('tau id', '/object?id=urn%3Am')
    """

    root: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, answer: Mapping[str, Any], *, href: Callable[[str, Mapping[str, Any]], str] | None = None) -> Scene:
        """The scene of a lineage or impact answer (DESIGN section 5). `href` says where a node leads (default: its page)."""
        lead = href or page_of
        nodes: dict[str, Node] = {}
        for iri, node in answer["nodes"].items():
            nodes[iri] = Node(
                iri,
                str(node.get("label") or iri),
                str(node.get("kind") or "thing"),
                lead(iri, node),
                node.get("state"),
                node.get("severity"),
                node.get("distance"),
            )
        edges: dict[tuple[str, str, str | None], Edge] = {}
        for link in answer["edges"]:
            edge = _edge(link)
            if edge.source in nodes and edge.target in nodes and edge.source != edge.target:
                edges.setdefault((edge.source, edge.target, edge.role), edge)
        return cls(str(answer["root"]), tuple(nodes.values()), tuple(edges.values()))

    def folded(self, most: int, *, more: str = "") -> Scene:
        """At most `most` nodes: siblings of one kind under one parent become a single "n more" node that leads to `more`.

        The root and what is worst affected stay longest, and nothing is folded alone. Where even `most` is too few for the root
        and what is more on either side of it, there are these. The same scene always folds the same way.

        >>> nodes = tuple(Node(str(i), f"run {i}", "run", "/", distance=min(i, 1)) for i in range(100))
        >>> scene = Scene("0", nodes, tuple(Edge("0", str(i), "used") for i in range(1, 100)))
        >>> small = scene.folded(20)
        >>> len(small.nodes) <= 20, small.nodes[-1].label, sum(n.folded or 1 for n in small.nodes)
        (True, '91 more', 100)
        """
        if len(self.nodes) <= most:
            return self
        tree = _Tree(self)
        for keep in (8, 5, 3, 2, 1):
            folded = tree.fold(keep)
            if len(self.nodes) - len(folded) + len(set(folded.values())) <= most:
                return self._with(folded, more)
        for keep in range(most - 1, 0, -1):
            folded = tree.cut(keep)
            if len(self.nodes) - len(folded) + len(set(folded.values())) <= most:
                return self._with(folded, more)
        return self._with(tree.cut(1), more)

    def _with(self, folded: Mapping[str, str], more: str) -> Scene:
        """This scene with each key of `folded` replaced by the "n more" node that its value names."""
        members: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.iri in folded:
                members.setdefault(folded[node.iri], []).append(node)
        nodes = [node for node in self.nodes if node.iri not in folded]
        for name, hidden in members.items():
            kinds = {node.kind for node in hidden}
            worst = min(hidden, key=_badness)
            distances = [node.distance for node in hidden if node.distance is not None]
            nodes.append(
                Node(
                    name,
                    f"{len(hidden):,} more",
                    kinds.pop() if len(kinds) == 1 else "several kinds",
                    more,
                    worst.state,
                    worst.severity,
                    min(distances, default=None),
                    len(hidden),
                )
            )
        edges: dict[tuple[str, str, str | None], Edge] = {}
        for edge in self.edges:
            moved = replace(edge, source=folded.get(edge.source, edge.source), target=folded.get(edge.target, edge.target))
            if moved.source != moved.target:
                edges.setdefault((moved.source, moved.target, moved.role), moved)
        return Scene(self.root, tuple(nodes), tuple(edges.values()))


def page_of(iri: str, node: Mapping[str, Any]) -> str:
    """Where a node of an answer leads: its landing page if the answer names one, else the page found by identifier.

    Only a path on this server or a web address is followed; anything else a source may have smuggled in is not.
    """
    links = node.get("_links") or {}
    for name in ("page", "landing", "html"):
        address = links.get(name)
        if isinstance(address, Mapping):
            address = address.get("href")
        if isinstance(address, str) and (address.startswith("/") or urlsplit(address).scheme in ("http", "https")):
            return address
    return f"/object?id={quote(iri, safe='')}"


def _edge(link: Mapping[str, Any]) -> Edge:
    role = link.get("role")
    return Edge(str(link["source"]), str(link["target"]), str(link.get("relation") or ""), str(role) if role else None)


def _badness(node: Node) -> tuple[int, int, str]:
    severity = SEVERITIES.index(node.severity) if node.severity in SEVERITIES else len(SEVERITIES)
    return (0 if node.state == "affected" else 1, severity, node.iri)


class _Tree:
    """The scene as a tree that hangs from its root, breadth first, over links in either direction."""

    def __init__(self, scene: Scene) -> None:
        around: dict[str, list[tuple[str, bool]]] = {node.iri: [] for node in scene.nodes}
        for edge in scene.edges:
            around[edge.source].append((edge.target, True))
            around[edge.target].append((edge.source, False))
        self.nodes = {node.iri: node for node in scene.nodes}
        self.order: list[str] = []
        self.parent: dict[str, str] = {}
        self.children: dict[str, list[tuple[str, bool]]] = {iri: [] for iri in around}
        starts = sorted(self.nodes, key=lambda iri: (iri != scene.root, _badness(self.nodes[iri])))
        self.roots: list[str] = []
        seen: set[str] = set()
        for start in starts:
            if start in seen:
                continue
            self.roots.append(start)
            seen.add(start)
            queue = deque([start])
            while queue:
                here = queue.popleft()
                self.order.append(here)
                for there, downstream in sorted(around[here], key=lambda step: _badness(self.nodes[step[0]])):
                    if there not in seen:
                        seen.add(there)
                        self.parent[there] = here
                        self.children[here].append((there, downstream))
                        queue.append(there)

    def fold(self, keep: int) -> dict[str, str]:
        """Which nodes go into which "n more" node if `keep` siblings of a kind stay; what hangs below a folded node goes too."""
        folded: dict[str, str] = {}
        for here in self.order:
            if here in folded:
                for child, _ in self.children[here]:
                    folded[child] = folded[here]
                continue
            groups: dict[tuple[str, bool], list[str]] = {}
            for child, downstream in self.children[here]:
                groups.setdefault((self.nodes[child].kind, downstream), []).append(child)
            for (kind, downstream), children in groups.items():
                if len(children) > keep + 1:
                    for child in children[keep:]:
                        folded[child] = f"more:{'down' if downstream else 'up'}:{kind}:{here}"
        for root in self.roots[1:][keep:]:
            for iri in self._below(root):
                folded[iri] = "more:apart"
        return folded

    def cut(self, keep: int) -> dict[str, str]:
        """Keep the `keep` nodes nearest to the root; what hangs below each of them, on either side, becomes one "n more" node."""
        kept = set(self.order[:keep])
        downstream = {child for children in self.children.values() for child, flag in children if flag}
        folded: dict[str, str] = {}
        for iri in self.order[keep:]:
            parent = self.parent.get(iri)
            if parent is None:
                folded[iri] = "more:apart"
            elif parent in kept:
                folded[iri] = f"more:{'down' if iri in downstream else 'up'}:{parent}"
            else:
                folded[iri] = folded[parent]
        alone = {name for name, count in Counter(folded.values()).items() if count == 1}
        return {iri: name for iri, name in folded.items() if name not in alone}

    def _below(self, start: str) -> list[str]:
        found, queue = [], deque([start])
        while queue:
            here = queue.popleft()
            found.append(here)
            queue.extend(child for child, _ in self.children[here])
        return found
