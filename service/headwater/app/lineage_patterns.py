"""Lineage inside SPARQL: what `hw:upstreamOf`, `hw:downstreamOf` and `hw:impactedBy` stand for, as rows of terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from pyoxigraph import NamedNode

from headwater.app.sight import Sight
from headwater.errors import BadQuery, HeadwaterError, TooLarge
from headwater.lineage.asking import MOST_NODES
from headwater.store.patterns import Pattern, values
from headwater.terms.names import HW

MOST_ROWS: Final = 200_000
MOST_ENDS: Final = 1_000
"""Things that a variable end may stand for, so that each is walked from."""
_TURNED: Final = {"upstreamOf": "downstreamOf", "downstreamOf": "upstreamOf"}
Ends = Callable[[Pattern], Sequence[str]]
Impact = Callable[[str, Sequence[str]], dict[str, Any]]
"""What a change does, with these fields told of each thing."""


def block(pattern: Pattern, resolve: Callable[[str], str], ends: Ends, sight: Sight, impact: Impact) -> str:
    """The `VALUES` block that a pattern stands for.

    `ends` gives the things that the pattern's second end may be where that is a variable. Raises `BadQuery` for a thing that
    there is not (an answer without rows would be taken for "nothing upstream"), `TooLarge` for more than 200,000 rows.
    """
    if pattern.subject.fixed and pattern.of.variable and pattern.relation in _TURNED and "role" not in pattern.details:
        # Walked from the end that is known.
        pattern = replace(pattern, relation=_TURNED[pattern.relation], subject=pattern.of, of=pattern.subject)
    variables = [term.text for term in (pattern.subject, pattern.of) if term.variable] + list(pattern.details.values())
    if len(set(variables)) < len(variables):
        raise BadQuery(f"A variable stands twice in hw:{pattern.relation}.", remedy="Give each its own.")
    rows: list[Sequence[str]] = []
    for of in [_known(pattern.of.iri, resolve)] if pattern.of.iri is not None else ends(pattern):
        for iri, details in _pairs(pattern, of, sight, impact):
            if pattern.subject.iri is not None and pattern.subject.iri != iri:
                continue
            told = [str(NamedNode(iri))] if pattern.subject.variable else []
            told += [str(NamedNode(of))] if pattern.of.variable else []
            rows.append([*told, *(details[name] for name in pattern.details)])
            if len(rows) > MOST_ROWS:
                raise TooLarge(
                    f"hw:{pattern.relation} has more than {MOST_ROWS:,} rows here.",
                    remedy="Ask /api/v1/lineage, which counts all and lists as many as you want.",
                )
    return values(variables, rows)


def _known(iri: str, resolve: Callable[[str], str]) -> str:
    try:
        return resolve(iri)
    except HeadwaterError as error:
        raise BadQuery(f"There is nothing upstream or downstream of <{iri}>: {error.detail}", remedy=error.remedy) from error


def _pairs(pattern: Pattern, of: str, sight: Sight, impact: Impact) -> Iterator[tuple[str, dict[str, str]]]:
    if pattern.relation == "impactedBy":
        told = [name for name in pattern.details if name != "distance"]
        # A reason for each of 12,000 things takes longer than all else together, and is often not asked for.
        body = impact(of, ["distance", "state", *told])
        if body["completeness"]["frontier_count"]:
            raise TooLarge(f"<{of}> reaches more than {MOST_NODES:,} things.", remedy="Ask /api/v1/impact.")
        for iri, node in body["nodes"].items():
            if node["distance"] and node["state"] != "not_affected":
                quoted = {name: f'"{node[name]}"' for name in told}
                yield iri, quoted | {"distance": str(node["distance"])}
        return
    lineage = sight.lineage
    start = lineage.find(of)
    if start is None:
        return
    upstream = pattern.relation == "upstreamOf"
    reach = lineage.upstream([start]) if upstream else lineage.downstream([start])
    roles = _roles(reach.edges, sight, upstream) if "role" in pattern.details else None
    for node, distance in zip(reach.nodes.tolist(), reach.distance.tolist(), strict=True):
        if node == start or not lineage.present[node]:
            continue
        for role in roles.get(node, ["UNDEF"]) if roles is not None else [""]:
            yield lineage.iris[node], {"distance": str(distance), "role": role}


def _roles(edges: Any, sight: Sight, upstream: bool) -> dict[int, list[str]]:
    """The stated roles of the links by which each thing is met, as terms."""
    lineage = sight.lineage
    stated = np.array([role.stated for role in lineage.words.roles], bool)
    wanted = edges[stated[lineage.role[edges]]]
    far = lineage.earlier[wanted] if upstream else lineage.later[wanted]
    found: dict[int, set[str]] = {}
    for node, role in zip(far.tolist(), lineage.role[wanted].tolist(), strict=True):
        found.setdefault(node, set()).add(str(NamedNode(f"{HW}{lineage.words.roles[role].name}")))
    return {node: sorted(roles) for node, roles in found.items()}
