"""An audit as it is written down, to be kept across restarts and handed from one process to another; and read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode

from headwater.checking.audit import Audit
from headwater.checking.report import GateResult, lenient_iri

Value = NamedNode | BlankNode | Literal


def noted(audit: Audit, most: int) -> dict[str, Any]:
    """An audit as JSON, with at most so many findings, the most serious first; counts stay whole.

    >>> found = GateResult("urn:x", "urn:p", Literal("7"), "violation", "Wrong.", "urn:s", "urn:k")
    >>> audit = Audit("abc", [found], {"violation": 1, "warning": 0, "info": 0}, {"urn:s": 1})
    >>> read(noted(audit, 10)) == audit, read(noted(audit, 0)).complete
    (True, False)
    """
    return {
        "digest": audit.digest,
        "counts": audit.counts,
        "by_shape": audit.by_shape,
        "uncompiled": audit.uncompiled,
        "results": [_result(result) for result in audit.results[:most]],
    }


def read(note: Mapping[str, Any]) -> Audit:
    """The audit that was written down. Raises `KeyError`, `TypeError` or `ValueError` for what is no such note."""
    results = [_read_result(dict(one)) for one in note["results"]]
    return Audit(str(note["digest"]), results, dict(note["counts"]), dict(note["by_shape"]), dict(note["uncompiled"]))


def _result(result: GateResult) -> dict[str, Any]:
    return {
        "focus": result.focus,
        "path": result.path,
        "value": None if result.value is None else _term(result.value),
        "severity": result.severity,
        "message": result.message,
        "shape": result.shape,
        "component": result.component,
        "label": result.label,
        "also": dict(result.also),
    }


def _read_result(note: dict[str, Any]) -> GateResult:
    value = note.pop("value")
    also = tuple(sorted((str(language), str(text)) for language, text in note.pop("also").items()))
    return GateResult(**note, value=None if value is None else _read_term(value), also=also)


def _term(value: Value) -> dict[str, str]:
    """As SPARQL's JSON results write a term."""
    if isinstance(value, Literal):
        said = {"type": "literal", "value": value.value}
        return said | ({"xml:lang": value.language} if value.language else {"datatype": value.datatype.value})
    return {"type": "uri" if isinstance(value, NamedNode) else "bnode", "value": value.value}


def _read_term(note: Mapping[str, str]) -> Value:
    if note["type"] == "uri":
        return lenient_iri(note["value"])
    if note["type"] == "bnode":
        return BlankNode(note["value"])
    if "xml:lang" in note:
        return Literal(note["value"], language=note["xml:lang"])
    return Literal(note["value"], datatype=lenient_iri(note["datatype"]))
