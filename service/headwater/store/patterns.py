"""Rewriting of SPARQL texts: lineage asked for by `hw:upstreamOf` and its like, and types asked for beside endless paths.

A lineage pattern is `?x hw:upstreamOf <M>` (or `downstreamOf`, `impactedBy`); with a list of properties instead of the thing,
`?x hw:upstreamOf [ hw:of <M> ; hw:distance ?d ; hw:role ?r ]`, more is told of each. Each becomes a `VALUES` block that is
worked out elsewhere. A path that may go on for ever joined with a type (`<M> p* ?x . ?x a T`) takes the engine over 40 seconds at
12,000 nodes, because it begins at the type; as `FILTER EXISTS { ?x a T }` it takes 88 ms, and means the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from headwater.errors import BadQuery
from headwater.store.joining import RELATIONS, Edit, edited, in_turn, joins_plainly
from headwater.store.statements import Group, Statement, Term, Unread, groups
from headwater.terms.names import HW

_DETAILS: Final = {
    "upstreamOf": ("distance", "role"),
    "downstreamOf": ("distance", "role"),
    "impactedBy": ("distance", "state", "severity", "justification"),
}
_TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_HOW: Final = "Write ?x hw:{0} <thing> . — or ?x hw:{0} [ hw:of <thing> ; {1} ] ."


@dataclass(slots=True)
class Pattern:
    """One lineage pattern: `relation`, what is said to stand in it to `of`, and the variables for further details."""

    relation: str
    subject: Term
    of: Term
    details: dict[str, str]
    group: Group
    statement: Statement
    part: int
    edits: list[Edit] = field(default_factory=list)


def mentions_lineage(text: str) -> bool:
    """Whether a text may hold a lineage pattern: a quick look."""
    return any(name in text for name in RELATIONS.values())


def lineage_patterns(text: str, base: str = "") -> list[Pattern]:
    """The lineage patterns of a query. Raises `BadQuery` where one stands in a way that cannot be answered.

    >>> text = "PREFIX hw: <https://w3id.org/headwater/terms#> SELECT * { ?x hw:upstreamOf [ hw:of <urn:m> ; hw:distance ?d ] }"
    >>> [(p.relation, p.subject.text, p.of.iri, p.details) for p in lineage_patterns(text)]
    [('upstreamOf', '?x', 'urn:m', {'distance': '?d'})]
    """
    if not mentions_lineage(text):
        return []
    try:
        outermost = groups(text, base)
    except Unread:
        return []
    found = [
        _pattern(text, base, group, statement, number)
        for outer in outermost
        for group in outer.every()
        if not group.template
        for statement in group.statements
        for number, (verb, _) in enumerate(statement.parts)
        if verb.iri in RELATIONS and not verb.path
    ]
    if len({id(pattern.statement) for pattern in found}) < len(found):
        raise BadQuery("Two lineage patterns share a subject by ';'.", remedy="Write each as a statement of its own.")
    return found


def _pattern(text: str, base: str, group: Group, statement: Statement, number: int) -> Pattern:
    verb, objects = statement.parts[number]
    relation = RELATIONS[verb.iri or ""]
    how = _HOW.format(relation, " ; ".join(f"hw:{detail} ?{detail}" for detail in _DETAILS[relation]))
    subject = statement.subject
    if len(objects) != 1 or not (subject.fixed or subject.variable):
        raise BadQuery(f"hw:{relation} stands between two things here.", remedy=how)
    of, details = objects[0], dict[str, str]()
    if of.text.startswith("["):
        of, details = _listed(text, base, of, relation, how)
    if not (of.fixed or of.variable):
        raise BadQuery(f"hw:{relation} is asked of a thing, by its IRI or a variable.", remedy=how)
    if group.graph:
        raise BadQuery(f"hw:{relation} is answered from the lineage of all graphs, and cannot stand under GRAPH.", remedy=how)
    return Pattern(relation, subject, of, details, group, statement, number)


def _listed(text: str, base: str, listed: Term, relation: str, how: str) -> tuple[Term, dict[str, str]]:
    """The thing and the variables in a list of properties."""
    before = text[: text.index("{")]
    try:
        [inner] = groups(f"{before}{{ [] {listed.text[1:-1]} }}", base)
    except (Unread, ValueError) as error:
        raise BadQuery(f"The properties of hw:{relation} cannot be read.", remedy=how) from error
    of, details = None, dict[str, str]()
    for verb, objects in inner.statements[0].parts if inner.statements else ():
        name = (verb.iri or "").removeprefix(str(HW))
        if len(objects) == 1 and name == "of":
            of = objects[0]
        elif len(objects) == 1 and name in _DETAILS[relation] and objects[0].variable:
            details[name] = objects[0].text
        else:
            raise BadQuery(f"'{verb.text}' is no property of hw:{relation} that could be told by a variable.", remedy=how)
    if of is None:
        raise BadQuery(f"hw:{relation} lacks hw:of.", remedy=how)
    return of, details


def without(text: str, patterns: Iterable[Pattern], within: Group) -> str:
    """The group of a text without its lineage patterns: what else is asked there."""
    edits = [
        edit
        for pattern in patterns
        for edit in _edits(pattern, "FILTER(true)")
        if within.start <= edit[0] and edit[1] <= within.end
    ]
    return edited(text, edits)[within.start : within.end - _shrunk(edits)]


def _shrunk(edits: Sequence[Edit]) -> int:
    return sum(end - start - len(new) for start, end, new in edits)


def replaced(text: str, blocks: Sequence[tuple[Pattern, str]], *, lateral: bool = False) -> str:
    """`text` with a block of SPARQL in the place of each pattern.

    With `lateral` (where the engine knows LATERAL) the statements beside them are looked up for each row of the block: otherwise
    each thing of a type is compared with each row (12,000 rows: 22 seconds instead of a tenth).
    """
    edits: list[Edit] = []
    in_blocks: dict[int, tuple[Group, list[Statement], dict[tuple[int, int], str]]] = {}
    for pattern, block in blocks:
        group = pattern.group
        beside = next(near for near in group.blocks if any(one is pattern.statement for one in near))
        if lateral and not group.exists and joins_plainly(beside):
            _, _, first = in_blocks.setdefault(beside[0].start, (group, beside, {}))
            first[pattern.statement.start, pattern.part] = block
        else:
            edits += _edits(pattern, block)
    for group, beside, first in in_blocks.values():
        edits += in_turn(beside, first, apart=not group.leads or beside is not group.blocks[0])
    return edited(text, edits)


def _edits(pattern: Pattern, block: str) -> list[Edit]:
    statement, number = pattern.statement, pattern.part
    if len(statement.parts) == 1:
        return [(statement.start, statement.end, f"{block} ")]
    last = number == len(statement.parts) - 1
    start = statement.parts[number - 1][1][-1].end if last else statement.parts[number][0].start
    end = statement.end if last else statement.parts[number + 1][0].start
    return [(statement.start, statement.start, f"{block} "), (start, end, " ")]


def values(variables: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A `VALUES` block of terms in SPARQL's notation; without variables, a filter that lets all or nothing pass.

    >>> values(["?x", "?d"], [("<urn:a>", "1")]), values([], []), values([], [()])
    ('VALUES (?x ?d) { (<urn:a> 1) }', 'FILTER(false)', 'FILTER(true)')
    """
    if not variables:
        return "FILTER(true)" if any(True for _ in rows) else "FILTER(false)"
    return f"VALUES ({' '.join(variables)}) {{ {' '.join('(' + ' '.join(row) + ')' for row in rows)} }}"


def types_after_paths(text: str, base: str = "") -> str:
    """`text` with the type of a path's end as a filter. Only for queries whose default graph is a single graph.

    >>> types_after_paths("SELECT ?x { <urn:m> <urn:p>* ?x . ?x a <urn:T> ; <urn:l> ?l }")
    'SELECT ?x { <urn:m> <urn:p>* ?x . FILTER EXISTS { ?x a <urn:T> } ?x <urn:l> ?l }'
    """
    if "*" not in text and "+" not in text:
        return text
    try:
        outermost = groups(text, base)
    except Unread:
        return text
    edits: list[Edit] = []
    for outer in outermost:
        for group in outer.every():
            if not group.graph and not group.template:
                edits += _type_filters(group)
    return edited(text, edits)


def _type_filters(group: Group) -> list[Edit]:
    # Only of paths from or to one thing: of others the type may be what keeps them small.
    ends: set[str] = set()
    for statement in group.statements:
        for verb, objects in statement.parts:
            if verb.transitive and statement.subject.fixed:
                ends |= {term.text for term in objects if term.variable}
            elif verb.transitive and statement.subject.variable and any(term.fixed for term in objects):
                ends.add(statement.subject.text)
    edits = []
    for statement in group.statements:
        if statement.subject.text not in ends:
            continue
        for number, (verb, objects) in enumerate(statement.parts):
            if verb.iri != _TYPE or verb.path or not all(term.fixed for term in objects):
                continue
            told = " ".join(f"{statement.subject.text} a {term.text} ." for term in objects).rstrip(" .")
            block = f"FILTER EXISTS {{ {told} }}"
            if len(statement.parts) == 1:
                edits.append((statement.start, statement.end, block))
            elif number == 0:
                edits.append((statement.start, statement.parts[1][0].start, f"{block} {statement.subject.text} "))
            break
    return edits
