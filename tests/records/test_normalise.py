"""A record's statements are mended where a mistake is known, and its blank nodes get the same names each time."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from headwater.records.draft import Draft
from headwater.records.normalise import normalise
from headwater.records.record import RecordMaker, unpack
from headwater.terms.minting import Mint
from headwater.terms.names import PROV, RDFS, XSD

_MINT = Mint("https://data.example/")
P, Q = NamedNode("urn:p"), NamedNode("urn:q")


def names(triples: list[Triple], record: str = "urn:record") -> set[Triple]:
    return set(normalise(triples, record, _MINT)[0])


def turtle(text: str) -> list[Triple]:
    return [quad.triple for quad in parse(text, format=RdfFormat.TURTLE)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05"),
        ("2026-01-02T03:04", "2026-01-02T03:04:00"),
        ("2026-01-02 03:04:05.250 UTC", "2026-01-02T03:04:05.250Z"),
        ("2026-01-02T03:04:05+0200", "2026-01-02T03:04:05+02:00"),
    ],
)
def test_a_timestamp_that_is_nearly_right_is_mended_and_told(written: str, read: str) -> None:
    (mended,), (finding,) = normalise([Triple(P, PROV.startedAtTime, Literal(written, datatype=XSD.dateTime))], "urn:r", _MINT)
    assert mended.object == Literal(read, datatype=XSD.dateTime)
    assert (finding.outcome, finding.reason) == ("repaired", "timestamp")
    assert written in finding.what


def test_a_timestamp_that_is_none_is_kept_as_text_and_told() -> None:
    (mended,), (finding,) = normalise(
        [Triple(P, PROV.startedAtTime, Literal("last week", datatype=XSD.dateTime))], "urn:r", _MINT
    )
    assert mended.object == Literal("last week")
    assert "kept as a string" in finding.what


@pytest.mark.parametrize("right", ["2026-01-02T03:04:05", "2026-01-02T03:04:05.123456Z", "-0044-03-15T12:00:00+01:00"])
def test_a_right_timestamp_stays_as_it_is(right: str) -> None:
    triple = Triple(P, PROV.startedAtTime, Literal(right, datatype=XSD.dateTime))
    assert normalise([triple], "urn:r", _MINT) == ([triple], [])


def test_wrong_namespaces_are_mended_and_counted() -> None:
    wrong = NamedNode("http://www.w3.org/ns/prov-o#used")
    mended, findings = normalise([Triple(P, wrong, NamedNode(f"urn:{n}")) for n in range(3)], "urn:r", _MINT)
    assert {triple.predicate for triple in mended} == {PROV.used}
    assert len(findings) == 1
    assert findings[0].what.endswith("(3 times)")


def test_a_statement_made_twice_is_kept_once() -> None:
    assert normalise([Triple(P, Q, P)] * 3, "urn:r", _MINT)[0] == [Triple(P, Q, P)]


def test_blank_nodes_get_names_that_depend_on_the_record() -> None:
    said = turtle("[] <urn:p> 'x' .")
    here, there = names(said, "urn:one"), names(said, "urn:two")
    assert not {triple.subject for triple in here} & {triple.subject for triple in there}
    assert all(isinstance(triple.subject, NamedNode) for triple in here)


def test_parsing_again_gives_the_same_names() -> None:
    text = "<urn:s> <urn:p> [ <urn:q> 1, 2 ; <urn:r> [ <urn:q> 3 ] ], ( 1 2 [ <urn:q> 'x' ] ), [], [] ."
    assert names(turtle(text)) == names(turtle(text))


@given(st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter_where_nodes_differ(chance: random.Random) -> None:
    said = turtle("<urn:s> <urn:p> [ <urn:q> 1 ; <urn:r> [ <urn:q> 3 ] ], [ <urn:q> 2 ; <urn:r> [ <urn:q> 3 ] ], ( 1 2 3 4 ) .")
    mixed = said[:]
    chance.shuffle(mixed)
    assert names(mixed) == names(said)


def test_nodes_that_are_alike_stay_apart() -> None:
    assert len({triple.object for triple in names(turtle("<urn:s> <urn:p> [], [], [] ."))}) == 3


def test_distinct_nodes_never_fall_together() -> None:
    ring = [BlankNode(f"n{n}") for n in range(40)]
    said = [Triple(ring[n], P, ring[(n + 1) % 40]) for n in range(40)] + [Triple(ring[0], Q, Literal("here"))]
    assert len(names(said)) == 41
    assert len({triple.subject for triple in names(said)}) == 40


def test_a_hostile_clique_takes_bounded_time() -> None:
    # Canonical labelling of such graphs takes exponential time; a name for each node does not need it.
    nodes = [BlankNode(f"n{n}") for n in range(150)]
    said = [Triple(a, P, b) for a in nodes for b in nodes if a != b]
    began = time.process_time()
    assert len(names(said)) == len(said)
    assert time.process_time() - began < 10


_terms = st.text(max_size=20).map(Literal) | st.tuples(st.text(max_size=8), st.sampled_from(["en", "de-at"])).map(
    lambda pair: Literal(pair[0], language=pair[1])
)
_triples = st.lists(
    st.builds(Triple, st.sampled_from([P, Q, BlankNode("b")]), st.sampled_from([P, RDFS.label]), _terms), max_size=6
)


@given(_triples, st.randoms(use_true_random=False))
def test_a_body_is_read_back_as_it_was_and_its_digest_is_stable(triples: list[Triple], chance: random.Random) -> None:
    maker = RecordMaker(_MINT)
    record = maker.make(Draft("urn:record", "s", "t", triples), "public", "test", "1", "declared")
    back = unpack(record.packed())
    assert set(back) == set(record.asserted)
    again = maker.remake(Draft("urn:record", "s", "t", back), "public", "test", "1", "declared")
    assert (again.digest, again.body, set(again.entailed)) == (record.digest, record.body, set(record.entailed))
    mixed = triples[:]
    chance.shuffle(mixed)
    assert maker.make(Draft("urn:record", "s", "t", mixed), "public", "test", "1", "declared").digest == record.digest


def test_the_digest_tells_visibility_title_evidence_and_statements() -> None:
    maker = RecordMaker(_MINT)
    said = [Triple(P, Q, P)]

    def digest(visibility: str = "public", title: str = "t", evidence: str = "declared", triples: list[Triple] = said) -> str:
        return maker.make(Draft("urn:record", "s", title, triples), visibility, "test", "1", evidence).digest

    digests = [digest(), digest("internal"), digest(title="u"), digest(evidence="observed"), digest(triples=[Triple(P, Q, Q)])]
    assert len(set(digests)) == 5
    assert digest() == digests[0]


def test_triple_terms_keep_their_digest_when_they_are_parsed_again() -> None:
    text = "<urn:s> <urn:p> <urn:o> {| <urn:q> 1 |} . <urn:s> <urn:says> <<( [] <urn:p> 1 )>> ."
    maker = RecordMaker(_MINT)
    first, second = (maker.make(Draft("urn:r", "s", "t", turtle(text)), "public", "test", "1", "declared") for _ in range(2))
    assert first.digest == second.digest
    assert set(unpack(first.packed())) == set(first.asserted)
