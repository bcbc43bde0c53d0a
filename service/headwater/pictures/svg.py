"""Drawing a scene as SVG: every thing is a link with its full name, told apart by shape and line and not by colour alone."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from headwater.pictures.kinds import KIND_GLYPHS, MORE_GLYPH, OTHER_GLYPH, STATES, outline
from headwater.pictures.layout import HEIGHT, MARGIN, WIDTH, Route, layered
from headwater.pictures.markup import tag, text, wide, wrapped
from headwater.pictures.scene import Edge, Node, Scene

_TEXT_LEFT = 42.0
_MOST_ROLE_WORDS = 60
"""Above so many links their roles are no longer written beside them (they stay in the link's title)."""


@cache
def stylesheet() -> str:
    """The CSS of the pictures, light and dark; pages that show a picture inline link to it, files carry it inside."""
    return files("headwater.pictures").joinpath("picture.css").read_text(encoding="utf-8")


def svg(scene: Scene, *, title: str, standalone: bool = True, name: str = "picture") -> str:
    """The scene as one SVG element, laid out from left (upstream) to right (downstream).

    `standalone` puts the stylesheet inside; without it the picture is meant for a page that links to the stylesheet.
    `name` keeps the ids of several pictures in one page apart.

    >>> scene = Scene("urn:d", (Node("urn:d", "<digits>", "dataset", "/object?id=urn%3Ad"),), ())
    >>> picture = svg(scene, title="The lineage of <digits>")
    >>> "&lt;digits&gt;" in picture, "<digits>" in picture, 'href="/object?id=urn%3Ad"' in picture
    (True, False, True)
    """
    layout = layered([node.iri for node in scene.nodes], [(edge.source, edge.target) for edge in scene.edges])
    legend, legend_height = _legend(scene, layout.width, layout.height)
    width, height = layout.width, layout.height + legend_height
    words = len(scene.edges) <= _MOST_ROLE_WORDS
    feeds, fed = _degrees(scene.edges)
    lines, roles = [], []
    between: dict[tuple[str, str], list[str]] = {}
    for edge in scene.edges:
        if edge.role and edge.role not in between.setdefault((edge.source, edge.target), []):
            between[edge.source, edge.target].append(edge.role)
    for edge, route in zip(scene.edges, layout.routes, strict=True):
        lines.append(_edge(edge, route, name, scene))
        together = between.pop((edge.source, edge.target), [])
        if words and together:
            x, y = _beside(route, near_source=fed[edge.target] >= feeds[edge.source])
            roles.append(tag("text", text(", ".join(together), 40), class_="hw-role", x=x, y=y + 3, text_anchor="middle"))
    arrow = tag(
        "marker",
        tag("path", d="M0 0L8 4L0 8z", class_="hw-arrow"),
        id=f"{name}-arrow",
        viewBox="0 0 8 8",
        refX=7.0,
        refY=4.0,
        markerWidth=7.0,
        markerHeight=7.0,
        orient="auto-start-reverse",
    )
    parts = [
        tag("title", text(title), id=f"{name}-title"),
        tag("desc", text(_said(scene)), id=f"{name}-desc"),
        tag("style", stylesheet().replace("<", "\\3c ")) if standalone else "",
        tag("defs", arrow),
        tag("g", *lines, *roles, aria_hidden="true"),
        *(_node(node, layout.centres[node.iri], node.iri == scene.root or node.distance == 0) for node in scene.nodes),
        legend,
    ]
    # Not role="img": that would take the links inside away from people who use a screen reader.
    return tag(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="hw-picture",
        role="group",
        aria_labelledby=f"{name}-title {name}-desc",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
    )


def _node(node: Node, centre: tuple[float, float], root: bool) -> str:
    x, y = centre[0] - WIDTH / 2, centre[1] - HEIGHT / 2
    look = STATES.get(node.state or "")
    # How badly is said of what is affected; of the rest, that it is mended, stands, or cannot be told.
    mark = f"{look.mark} {node.severity if node.state == 'affected' and node.severity else look.words}" if look else ""
    lines = wrapped(node.label, WIDTH - _TEXT_LEFT - 12, 12.5, 2)
    said = f"{node.kind}: {node.label}"
    if look:
        said += f" ({look.words}{', ' + node.severity if node.severity else ''})"
    top = y + (35 if len(lines) == 2 else 42)
    glyph = MORE_GLYPH if node.folded else KIND_GLYPHS.get(node.kind, OTHER_GLYPH)
    inner = [
        tag("title", text(said, 1000)),
        tag("path", d=outline(node.kind, bool(node.folded), x, y, WIDTH, HEIGHT), class_="hw-card"),
        tag(
            "path", d=glyph, class_="hw-glyph", transform=f"translate({x + 12:.1f} {y + HEIGHT / 2 - 10:.1f})", aria_hidden="true"
        ),
        tag("text", text(node.kind.upper(), 24), class_="hw-kind", x=x + _TEXT_LEFT, y=y + 18),
        *(tag("text", text(line), class_="hw-name", x=x + _TEXT_LEFT, y=top + 15 * i) for i, line in enumerate(lines)),
    ]
    if mark:
        end = x + WIDTH - (18 if node.kind in ("publication", "agent") else 12)
        inner.append(tag("text", text(mark), class_="hw-mark", x=end, y=y + 18, text_anchor="end"))
    classes = ["hw-node"] + (["hw-root"] if root else []) + ([f"hw-{node.state}"] if look else [])
    return tag("a", *inner, href=node.href, class_=" ".join(classes), aria_label=said[:300])


def _edge(edge: Edge, route: Route, name: str, scene: Scene) -> str:
    if route.back:
        (x1, y1), (x2, y2) = route.points[0], route.points[-1]
        low = max(y1, y2) + HEIGHT
        d = f"M{x1:.1f} {y1:.1f}C{x1 - 60:.1f} {low:.1f} {x2 + 60:.1f} {low:.1f} {x2:.1f} {y2:.1f}"
    else:
        d = f"M{route.points[0][0]:.1f} {route.points[0][1]:.1f}"
        for i in range(1, len(route.points)):
            (x1, y1), (x2, y2) = route.points[i - 1], route.points[i]
            middle = (x1 + x2) / 2
            # Between the two ends of a bend the way is level; between columns it swings.
            d += f"L{x2:.1f} {y2:.1f}" if i % 2 == 0 else f"C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    labels = {node.iri: node.label for node in scene.nodes} if len(scene.nodes) <= _MOST_ROLE_WORDS else {}
    said = f"{labels.get(edge.source, '')} → {labels.get(edge.target, '')}" if labels else ""
    said = f"{edge.role or edge.label} {said}".strip()
    classes = "hw-edge hw-back" if route.back else "hw-edge"
    return tag("path", tag("title", text(said, 400)), d=d, class_=classes, marker_end=f"url(#{name}-arrow)")


def _beside(route: Route, *, near_source: bool) -> tuple[float, float]:
    """Where a link's role is written: towards the end where fewer links meet, so that words do not pile up."""
    (x1, y1), (x2, y2) = route.points[:2] if near_source else route.points[-2:]
    t = 0.36 if near_source else 0.64
    eased = 3 * (1 - t) * t * t + t**3
    middle = (x1 + x2) / 2
    x = (1 - t) ** 3 * x1 + 3 * (1 - t) ** 2 * t * middle + 3 * (1 - t) * t * t * middle + t**3 * x2
    return x, y1 + (y2 - y1) * eased


def _degrees(edges: tuple[Edge, ...]) -> tuple[dict[str, int], dict[str, int]]:
    feeds: dict[str, int] = {}
    fed: dict[str, int] = {}
    for edge in edges:
        feeds[edge.source] = feeds.get(edge.source, 0) + 1
        fed[edge.target] = fed.get(edge.target, 0) + 1
    return feeds, fed


def _said(scene: Scene) -> str:
    """The picture in one sentence, for people who do not see it; the table beside a picture says the rest."""
    total = sum(node.folded or 1 for node in scene.nodes)
    states = [f"{count} {STATES[s].words}" for s in STATES if (count := sum(n.folded or 1 for n in scene.nodes if n.state == s))]
    verdicts = f": {', '.join(states)}" if states else ""
    links = len(scene.edges)
    counted = f"{total} {'thing' if total == 1 else 'things'} and {links} {'link' if links == 1 else 'links'}"
    return f"{counted}, upstream on the left and downstream on the right{verdicts}."


def _legend(scene: Scene, width: float, top: float) -> tuple[str, float]:
    """The key to shapes and lines that this picture uses, and the height that it takes."""
    kinds = [kind for kind in KIND_GLYPHS if any(node.kind == kind for node in scene.nodes)]
    states = [state for state in STATES if any(node.state == state for node in scene.nodes)]
    x, y = MARGIN, top + 10
    made = []
    for kind in kinds:
        need = 24 + wide(kind, 11) + 18
        if x + need > width and x > MARGIN:
            x, y = MARGIN, y + 24
        made.append(tag("path", d=KIND_GLYPHS[kind], class_="hw-glyph", transform=f"translate({x:.1f} {y - 5:.1f}) scale(0.8)"))
        made.append(tag("text", text(kind), class_="hw-legend", x=x + 22, y=y + 7))
        x += need
    for i, state in enumerate(states):
        words = f"{STATES[state].mark} {STATES[state].words}"
        need = 34 + wide(words, 11) + 18
        if (i == 0 and made) or (x + need > width and x > MARGIN):
            x, y = MARGIN, y + 24
        box = tag("path", d=outline("", False, x, y - 4, 26, 15), class_="hw-card")
        made.append(tag("g", box, class_=f"hw-{state}"))
        made.append(tag("text", text(words), class_="hw-legend", x=x + 33, y=y + 7))
        x += need
    return (tag("g", *made, aria_hidden="true"), y - top + 24) if made else ("", 0.0)
