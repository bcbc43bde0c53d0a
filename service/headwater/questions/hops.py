"""The SPARQL that shows the links of an explanation in the triplestore, written into a template of `queries/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from headwater.questions.catalogue import Question
from headwater.terms.names import PREFIXES, XSD
from headwater.terms.vocabulary import vocabulary

TEMPLATE = "hops-of-an-explanation"
_HOLE = "  }\n  ?subject ?relation ?object ."


@dataclass(frozen=True, slots=True)
class StatedHop:
    """A stated link of a path: both numbered from 1, `earlier` and `later` in the order of lineage, `relation` as a CURIE."""

    path: int
    hop: int
    earlier: str
    later: str
    relation: str
    evidence: str
    record: str


def hops_query(template: Question, hops: Sequence[StatedHop], longest: int) -> str:
    """The query for these links; the later ones are left out, with a remark, where it would get longer than `longest` characters.

    Every value is written as an RDF term, so that none can change what is asked.

    >>> from headwater import assets
    >>> from headwater.questions.catalogue import catalogue
    >>> hop = StatedHop(1, 1, "urn:d", "urn:r", "prov:used", "declared", "urn:rec")
    >>> print(hops_query(catalogue(assets.folder("queries"))[TEMPLATE], [hop], 9999).splitlines()[3].strip())
    (1 1 <urn:r> <http://www.w3.org/ns/prov#used> <urn:d> "declared" <urn:rec>)
    """
    text = "".join(line for line in template.text.splitlines(keepends=True) if not line.startswith("#+"))
    room = longest - len(text) - 80
    lines: list[str] = []
    for hop in hops:
        line = f"    {_row(hop)}\n"
        room -= len(line)
        if room < 0:
            lines.append(f"    # {len(hops) - len(lines)} more links are left out\n")
            break
        lines.append(line)
    return text.replace(_HOLE, "".join(lines) + _HOLE, 1)


def _row(hop: StatedHop) -> str:
    prefix, _, local = hop.relation.partition(":")
    relation = PREFIXES[prefix] + local if prefix in PREFIXES else hop.relation
    link = vocabulary().links.get(relation)
    subject, value = (hop.earlier, hop.later) if link is not None and link.flows_from == "subject" else (hop.later, hop.earlier)
    numbers = (Literal(str(number), datatype=XSD.integer) for number in (hop.path, hop.hop))
    terms = (NamedNode(subject), NamedNode(relation), NamedNode(value), Literal(hop.evidence), NamedNode(hop.record))
    return f"({' '.join(number.value for number in numbers)} {' '.join(map(str, terms))})"
