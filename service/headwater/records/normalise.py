"""Making a draft's statements fit to be kept: known mistakes mended, blank nodes named, every mending listed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypeVar

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.records.draft import Finding
from headwater.terms.minting import Mint
from headwater.terms.names import HW, RDF, RDFS, XSD
from headwater.terms.vocabulary import ontology_files

_DATETIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_NEARLY_DATETIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?")
_ROUNDS = 8


@cache
def _namespace_repairs() -> tuple[tuple[str, str, str], ...]:
    files = ontology_files()
    rows = [
        (files.value(node, HW.wrong) or "", files.value(node, HW.right) or "", files.label(node, RDFS.comment))
        for node in files.subjects(RDF.type, HW.NamespaceRepair)
    ]
    return tuple(sorted(rows))


@cache
def _wrong_namespaces() -> tuple[str, ...]:
    return tuple(wrong for wrong, _, _ in _namespace_repairs())


def normalise(triples: Iterable[Triple], record: str, mint: Mint) -> tuple[list[Triple], list[Finding]]:
    """The triples with mistakes mended and blank nodes skolemised, and what was mended.

    Skolem IRIs depend on the record and on what is said of the node, so that the same source gives the same IRIs again.

    >>> wrong = NamedNode("http://www.w3.org/ns/prov-o#used")
    >>> mended, findings = normalise([Triple(BlankNode(), wrong, Literal("x"))], "urn:r", Mint("https://data.example/"))
    >>> mended[0].predicate.value, findings[0].reason
    ('http://www.w3.org/ns/prov#used', 'namespace')
    """
    repairs: Counter[tuple[str, str]] = Counter()
    mended = [_mend(triple, repairs) for triple in triples]
    names = skolem_names(mended, record, mint)
    if names:
        mended = [Triple(_named(t.subject, names), t.predicate, _named(t.object, names)) for t in mended]
    findings = [
        Finding("repaired", reason, what if count == 1 else f"{what} ({count} times)")
        for (reason, what), count in sorted(repairs.items())
    ]
    return list(dict.fromkeys(mended)), findings


_Term = TypeVar("_Term", bound=NamedNode | BlankNode | Literal | Triple)
_Node = TypeVar("_Node", NamedNode | BlankNode | Triple, NamedNode | BlankNode | Literal | Triple)


def _named(node: _Node, names: dict[BlankNode, NamedNode]) -> _Node:
    if isinstance(node, BlankNode):
        return names.get(node, node)
    if isinstance(node, Triple):
        return Triple(_named(node.subject, names), node.predicate, _named(node.object, names))
    return node


def _mend(triple: Triple, repairs: Counter[tuple[str, str]]) -> Triple:
    subject = _mend_iri(triple.subject, repairs)
    predicate = _mend_iri(triple.predicate, repairs)
    value = triple.object
    if isinstance(value, NamedNode):
        value = _mend_iri(value, repairs)
    elif isinstance(value, Literal) and value.datatype == XSD.dateTime and not _DATETIME.fullmatch(value.value):
        value = _mend_datetime(value, repairs)
    if subject is triple.subject and predicate is triple.predicate and value is triple.object:
        return triple
    return Triple(subject, predicate, value)


def _mend_iri(node: _Term, repairs: Counter[tuple[str, str]]) -> _Term | NamedNode:
    # One look at all wrong beginnings at once: nearly every IRI has none of them.
    if isinstance(node, NamedNode) and node.value.startswith(_wrong_namespaces()):
        for wrong, right, met in _namespace_repairs():
            if node.value.startswith(wrong):
                repairs["namespace", f"{wrong} read as {right} (met in: {met})"] += 1
                return NamedNode(right + node.value[len(wrong) :])
    return node


def _mend_datetime(value: Literal, repairs: Counter[tuple[str, str]]) -> Literal:
    near = _NEARLY_DATETIME.fullmatch(value.value.strip())
    if near:
        day, minute, second, fraction, zone = near.groups()
        zone = {"UTC": "Z", None: ""}.get(zone, zone)
        if zone and zone != "Z" and ":" not in zone:
            zone = f"{zone[:3]}:{zone[3:]}"
        repairs["timestamp", f"'{value.value}' written as xsd:dateTime"] += 1
        return Literal(f"{day}T{minute}{second or ':00'}{fraction or ''}{zone}", datatype=XSD.dateTime)
    repairs["timestamp", f"'{value.value[:80]}' is no xsd:dateTime; kept as a string"] += 1
    return Literal(value.value)


def skolem_names(triples: list[Triple], record: str, mint: Mint) -> dict[BlankNode, NamedNode]:
    """Names for blank nodes from what surrounds them: colour refinement, ties broken by first appearance in the source.

    A full canonical labelling (RDFC-1.0) can take exponential time on hostile input; this is linear per round.
    """
    blanks: dict[BlankNode, None] = {}
    around: dict[BlankNode, list[tuple[str, str, object]]] = defaultdict(list)
    for triple in triples:
        for node, other, direction in ((triple.subject, triple.object, ">"), (triple.object, triple.subject, "<")):
            if isinstance(node, BlankNode):
                blanks[node] = None
                around[node].append((direction, triple.predicate.value, other))
            elif isinstance(node, Triple):
                for position, inner in enumerate(_blanks_in(node)):
                    blanks[inner] = None
                    around[inner].append((f"{direction}{position}", triple.predicate.value, other))
    if not blanks:
        return {}
    colour = dict.fromkeys(blanks, "")
    classes = 1
    for _ in range(_ROUNDS):
        colour = {node: _hash(sorted(f"{d} {p} {_seen(o, colour)}" for d, p, o in around[node])) for node in blanks}
        found = len(set(colour.values()))
        if found == classes:
            break
        classes = found
    taken: Counter[str] = Counter()
    names = {}
    for node in blanks:
        taken[colour[node]] += 1
        names[node] = NamedNode(mint.skolem(record, f"{colour[node]}.{taken[colour[node]]}"))
    return names


def _blanks_in(term: Triple) -> Iterator[BlankNode]:
    """The blank nodes of a triple term (`<<( s p o )>>`), also of one within it."""
    for node in (term.subject, term.object):
        if isinstance(node, BlankNode):
            yield node
        elif isinstance(node, Triple):
            yield from _blanks_in(node)


def _seen(node: object, colour: dict[BlankNode, str]) -> str:
    if isinstance(node, BlankNode):
        return f"_:{colour[node]}"
    if isinstance(node, Triple):
        return f"<<( {_seen(node.subject, colour)} {node.predicate} {_seen(node.object, colour)} )>>"
    return str(node)


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]
