"""What records bring and take together with those that are there already, put before the gate as it will stand.

A joint conclusion is nobody's statement. The gate sees it as that of one more record; what is wrong with it is laid at the door
of the records that bring it, and nothing is told of what only records say that the writer may not see.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from pyoxigraph import Literal

from headwater.checking.report import GateReport, GateResult
from headwater.records.record import Record
from headwater.store.joint import JointChange
from headwater.store.protocol import STATE

NOBODY = f"{STATE.value}/joint"
"""The name under which the gate sees joint conclusions; no record can have it."""


def with_joint(records: Sequence[Record], change: JointChange) -> list[Record]:
    """The records, and where anything follows from them together with others, one more that says it."""
    if not change.added:
        return list(records)
    joint = Record(
        iri=NOBODY,
        source="",
        title="",
        visibility="",
        importer="",
        importer_version="",
        evidence="",
        asserted=[],
        entailed=list(change.added),
        body=b"",
        digest="",
        findings=[],
    )
    return [*records, joint]


def settled(verdicts: Mapping[str, GateReport], records: Sequence[Record], change: JointChange) -> dict[str, GateReport]:
    """The verdicts on the records themselves, with what is wrong with joint conclusions for those that bring them."""
    if NOBODY not in verdicts:
        return dict(verdicts)
    own = {triple.object for record in records for triple in (*record.asserted, *record.entailed)}
    foreign = {triple.object for triple in change.added} - own
    labels = {value.value for value in foreign if isinstance(value, Literal)} - {v.value for v in own if isinstance(v, Literal)}
    faults = [result for result in verdicts[NOBODY].results if result.severity == "violation"]
    found = {}
    for record in records:
        verdict = verdicts[record.iri]
        results = [*verdict.results, *(faults if record.iri in change.by or not change.by else ())]
        told = tuple(dict.fromkeys(_discreet(result, foreign, labels) for result in results))
        found[record.iri] = GateReport(verdict.conforms and not (faults and len(results) > len(verdict.results)), told)
    return found


def _discreet(result: GateResult, foreign: Container[object], labels: set[str]) -> GateResult:
    value = None if result.value in foreign else result.value
    return replace(result, value=value, label="" if result.label in labels else result.label)
