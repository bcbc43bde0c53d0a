"""What the gate found in a record: as sentences for people, as a SHACL report for tools, as a dictionary for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf
from urllib.parse import quote

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from headwater.checking.messages import message, messages
from headwater.terms.names import HW, PREFIXES, RDF, RDFS, SH, XSD, curie

Severity = OneOf["violation", "warning", "info"]

_SEVERITY_CLASS = {"violation": SH.Violation, "warning": SH.Warning, "info": SH.Info}
_FOUND = {"en": "found", "de": "gefunden"}
_LONGEST = 80
"""Characters of a label or value that a sentence quotes; a stranger's text may be of any length."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One finding about one thing.

    `focus` is the thing's IRI, `label` its label if it has one; `path` the property that was looked at (several alternatives are
    separated by ` | `; empty where the thing itself is at fault); `value` what stands there, where one value is at fault; `shape`
    and `component` name the constraint in the SHACL report. `also` holds the message by other languages, where it is not the one
    that `checking.messages` knows of the shape.
    """

    focus: str
    path: str
    value: NamedNode | BlankNode | Literal | None
    severity: Severity
    message: str
    shape: str
    component: str
    label: str = ""
    also: tuple[tuple[str, str], ...] = ()

    def said(self, language: str = "en") -> str:
        """What is wrong and how to mend it, in a language of `checking.messages`; in English where there is no other."""
        if language == "en":
            return self.message
        return dict(self.also).get(language) or message(self.shape, language, self.message)

    def sentence(self, language: str = "en") -> str:
        """Which thing, what is wrong, how to mend it, and which value it is about, on one line.

        >>> GateResult("urn:c", "", None, "violation", "It is wrong. Mend it.", "urn:s", "urn:k", label="a change").sentence()
        'a change <urn:c>: It is wrong. Mend it.'
        """
        name = f"{quoted(self.label)} <{quoted(self.focus)}>" if self.label else f"<{quoted(self.focus)}>"
        found = "" if self.value is None else f" ({_FOUND.get(language, 'found')}: {quoted(_text(self.value))})"
        return f"{name}: {self.said(language)}{found}"

    def as_dict(self, language: str = "en") -> dict[str, str | None]:
        """The finding for JSON."""
        return {
            "focus": self.focus,
            "label": self.label or None,
            "path": self.path or None,
            "value": None if self.value is None else self.value.value,
            "severity": self.severity,
            "message": self.said(language),
            "shape": self.shape,
            "component": self.component,
        }


@dataclass(frozen=True, slots=True)
class GateReport:
    """The gate's answer about one record. It conforms when there is no violation; warnings and infos are kept as hints.

    >>> GateReport(True, ()).sentences()
    []
    """

    conforms: bool
    results: tuple[GateResult, ...]

    @property
    def violations(self) -> tuple[GateResult, ...]:
        """What forbids the write."""
        return tuple(result for result in self.results if result.severity == "violation")

    @property
    def hints(self) -> tuple[GateResult, ...]:
        """What is worth adding; it forbids nothing."""
        return tuple(result for result in self.results if result.severity != "violation")

    def sentences(self, language: str = "en") -> list[str]:
        """The violations as sentences, or where there is none the hints."""
        return [result.sentence(language) for result in self.violations or self.results]

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """The report for JSON: `conforms` and `results`."""
        return {"conforms": self.conforms, "results": [result.as_dict(language) for result in self.results]}

    def turtle(self) -> bytes:
        """The report as `sh:ValidationReport` in Turtle (UTF-8), with the messages in every language."""
        return self.rdf(RdfFormat.TURTLE)

    def rdf(self, syntax: RdfFormat, comments: Mapping[str, str] | None = None) -> bytes:
        """The report as `sh:ValidationReport` in an RDF syntax (UTF-8); `comments` on it by language."""
        report = BlankNode("report")
        triples = [
            Triple(report, RDF.type, SH.ValidationReport),
            Triple(report, SH.conforms, Literal(self.conforms)),
        ]
        triples += [Triple(report, RDFS.comment, Literal(text, language=tag)) for tag, text in (comments or {}).items()]
        for number, result in enumerate(self.results):
            triples += _result_triples(report, result, number)
        prefixes = {name: PREFIXES[name] for name in ("sh", "prov", "mls", "rdfs", "dcterms")}
        prefixes |= {"hw": str(HW), "hws": SHAPES}
        body = serialize(triples, format=syntax, prefixes=prefixes)
        assert body is not None
        return body


SHAPES = "https://w3id.org/headwater/shapes#"
"""The namespace of Headwater's shapes."""


def _result_triples(report: BlankNode, result: GateResult, number: int) -> list[Triple]:
    node = BlankNode(f"result{number}")
    triples = [
        Triple(report, SH.result, node),
        Triple(node, RDF.type, SH.ValidationResult),
        Triple(node, SH.focusNode, lenient_iri(result.focus)),
        Triple(node, SH.resultSeverity, _SEVERITY_CLASS[result.severity]),
        Triple(node, SH.sourceShape, NamedNode(result.shape)),
        Triple(node, SH.sourceConstraintComponent, NamedNode(result.component)),
    ]
    said = {"en": result.message} | messages(result.shape) | dict(result.also)
    triples += [Triple(node, SH.resultMessage, Literal(text, language=language)) for language, text in sorted(said.items())]
    if result.value is not None:
        triples.append(Triple(node, SH.value, result.value))
    # A path of another form than alternatives of predicates stands in SPARQL's spelling, which only people read.
    paths = [NamedNode(path) for path in result.path.split(" | ")] if result.path and "<" not in result.path else []
    if len(paths) == 1:
        triples.append(Triple(node, SH.resultPath, paths[0]))
    elif paths:
        path = BlankNode(f"path{number}")
        triples.append(Triple(node, SH.resultPath, path))
        cells = [BlankNode(f"path{number}cell{i}") for i in range(len(paths))]
        triples.append(Triple(path, SH.alternativePath, cells[0]))
        tails: list[BlankNode | NamedNode] = [*cells[1:], RDF.nil]
        for cell, item, rest in zip(cells, paths, tails, strict=True):
            triples += [Triple(cell, RDF.first, item), Triple(cell, RDF.rest, rest)]
    return triples


def lenient_iri(text: str) -> NamedNode:
    """The IRI, with what RDF does not allow in one percent-encoded: what a lenient parser let through must not break a report.

    >>> lenient_iri("urn:a b").value
    'urn:a%20b'
    """
    try:
        return NamedNode(text)
    except ValueError:
        return NamedNode(quote(text, safe=":/?#[]@!$&'()*+,;=%~"))


def _text(value: NamedNode | BlankNode | Literal) -> str:
    if isinstance(value, Literal):
        return f'"{value.value}"' if value.datatype == XSD.string or value.language else value.value
    return curie(value.value)


def quoted(text: str) -> str:
    """`text` on one line and of bounded length, so that no label can forge a sentence of the report."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
