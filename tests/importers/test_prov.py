"""PROV-JSON, PROV-XML and PROV-N come in as the same PROV-O; what real files get wrong is mended and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, RdfFormat, Triple, serialize

from headwater.checking.gate import Gate
from headwater.errors import TooLarge, UnreadableSource
from headwater.importers.protocol import Importer, Source
from headwater.importers.prov_json import ProvJsonImporter, read_json
from headwater.importers.prov_n import ProvNImporter, read_n
from headwater.importers.prov_statements import triples_of
from headwater.importers.prov_xml import ProvXmlImporter, read_xml
from headwater.importers.registry import choose
from headwater.records.draft import Draft, Failure
from headwater.records.normalise import normalise
from headwater.records.record import RecordMaker
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, HW, PROV, RDF, RDFS

MINT = Mint("https://data.example/")
STORY = Path(__file__).resolve().parents[1] / "fixtures" / "prov"
KNOWN: list[Importer] = [ProvJsonImporter(), ProvXmlImporter(), ProvNImporter()]
LAB = "https://lab.example/"
EX = {"ex": LAB}


def drafts(path: Path, importer: Importer | None = None, most: int = 10**8) -> list[Draft | Failure]:
    source = Source(path, path.name, most, identity=path.name)
    return list((importer or choose(source, known=KNOWN)).read(source, MINT))


def said(text: str) -> set[Triple]:
    """What a PROV-JSON text says in PROV-O."""
    return set(triples_of(read_json(text.encode(), "a.json", "urn:record")[0].statements))


def words(triples: list[Triple]) -> set[str]:
    data = serialize(normalise(triples, "urn:record", MINT)[0], format=RdfFormat.N_TRIPLES)
    assert data is not None
    return set(data.decode().replace("+00:00", "Z").splitlines())


def lab(name: str) -> NamedNode:
    return NamedNode(LAB + name)


def test_the_three_spellings_of_one_story_say_the_same() -> None:
    spellings = [
        read_json((STORY / "story.json").read_bytes(), "story.json", "urn:record"),
        read_xml((STORY / "story.xml").read_bytes(), "story.xml", "urn:record"),
        read_n((STORY / "story.provn").read_bytes(), "story.provn", "urn:record"),
    ]
    assert [[bundle.iri for bundle in bundles] for bundles in spellings] == [[None, LAB + "notes"]] * 3
    document, notes = [[words(triples_of(b.statements)) for b in part] for part in zip(*spellings, strict=True)]
    assert document[0] == document[1] == document[2]
    assert notes[0] == notes[1] == notes[2]


def test_a_use_keeps_its_role_and_time_beside_the_plain_link() -> None:
    document, _ = drafts(STORY / "story.json")
    assert isinstance(document, Draft)
    record = RecordMaker(MINT).make(document, "public", "prov-json", "1", "declared")
    links = {(row.earlier, row.later, row.role) for row in record.lineage.links}
    assert (LAB + "spectra-2", LAB + "fit", "train") in links
    assert (LAB + "fit", LAB + "reader", "generate") in links
    assert (LAB + "spectra-1", LAB + "spectra-2", "revise") in links
    assert (LAB + "campaign", LAB + "fit", "inform") in links
    assert (LAB + "recipe", LAB + "fit", "execute") in links


def test_each_bundle_is_a_record_of_its_own() -> None:
    document, notes = drafts(STORY / "story.json")
    assert isinstance(document, Draft)
    assert isinstance(notes, Draft)
    assert notes.iri == LAB + "notes"
    assert Triple(lab("logbook"), PROV.wasAttributedTo, lab("vera")) in notes.triples
    assert not any(triple.subject == lab("logbook") for triple in document.triples)


def test_importing_again_gives_the_same_records() -> None:
    def statements(draft: Draft | Failure) -> tuple[str, set[str]]:
        assert isinstance(draft, Draft)
        return draft.iri, words(draft.triples)

    assert [statements(d) for d in drafts(STORY / "story.json")] == [statements(d) for d in drafts(STORY / "story.json")]


def test_a_digest_among_the_attributes_pins_the_thing() -> None:
    document, _ = drafts(STORY / "story.json")
    assert isinstance(document, Draft)
    assert [t.object.value for t in document.triples if t.subject == lab("spectra-1") and t.predicate == HW.digest] == [
        "sha256:" + "ab" * 32
    ]


def test_a_prefix_that_is_no_iri_makes_the_names_the_documents_own() -> None:
    text = '{"prefix": {"context": "context"}, "entity": {"context:TRAINING": {}}}'
    (bundle,) = read_json(text.encode(), "run.json", "https://data.example/record/prov-1")
    assert bundle.statements[0].id == NamedNode("https://data.example/record/prov-1#context:TRAINING")
    assert [(f.outcome, f.reason) for f in bundle.findings] == [("repaired", "prefix")]
    assert "'context'" in bundle.findings[0].what


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("ex:Original requirements.txt", "https://lab.example/Original%20requirements.txt"),
        ("ex:https://host.example/a?b=c", "https://lab.example/https://host.example/a?b=c"),
        ("https://host.example/a file", "https://host.example/a%20file"),
        ("nobody:x", "urn:record#nobody:x"),
        ("plain", "urn:record#plain"),
    ],
)
def test_odd_names_become_sound_iris(name: str, iri: str) -> None:
    text = json.dumps({"prefix": {"ex": LAB}, "entity": {name: {}}})
    assert said(text) == {Triple(NamedNode(iri), RDF.type, PROV.Entity)}


def test_an_identifier_given_several_times_keeps_all_that_is_said() -> None:
    one = '{"prefix": {"ex": "https://lab.example/"}, "entity": {"ex:a": [{"prov:label": "x"}, {"prov:label": "y"}]}}'
    twice = '{"prefix": {"ex": "https://lab.example/"}, "entity": {"ex:a": {"prov:label": "x"}, "ex:a": {"prov:label": "y"}}}'
    for text in (one, twice):
        assert {t.object.value for t in said(text) if t.predicate == RDFS.label} == {"x", "y"}


def test_an_activity_named_as_trigger_is_what_came_before() -> None:
    """yProv and CWLProv name the workflow run that started a step where PROV wants an entity."""
    start = {"prov:activity": "ex:step", "prov:trigger": "ex:flow"}
    found = said(json.dumps({"prefix": EX, "activity": {"ex:step": {}, "ex:flow": {}}, "wasStartedBy": {"_:1": start}}))
    assert Triple(lab("step"), PROV.wasInformedBy, lab("flow")) in found
    assert not any(triple.predicate == PROV.wasStartedBy for triple in found)


def test_a_type_in_words_is_kept_as_text_and_a_type_by_name_as_class() -> None:
    types = ["prov:Plan", "cross section", {"$": "ex:K", "type": "prov:QUALIFIED_NAME"}]
    found = said(json.dumps({"prefix": EX, "entity": {"ex:a": {"prov:type": types}}}))
    assert {t.object.value for t in found if t.predicate == RDF.type} == {PROV.Entity.value, PROV.Plan.value, LAB + "K"}
    assert [t.object.value for t in found if t.predicate == DCTERMS.type] == ["cross section"]


def test_a_broken_statement_does_not_stop_the_rest() -> None:
    document = {"prefix": EX, "entity": {"ex:a": 7, "ex:b": {}}, "wasMadeBy": {"_:1": {}}, "bundle": {"ex:c": 1}}
    (bundle,) = read_json(json.dumps(document).encode(), "a.json", "urn:record")
    assert {f.reason for f in bundle.findings} == {"statement", "unknown-key", "bundle"}
    assert [statement.id for statement in bundle.statements] == [lab("b")]


@pytest.mark.parametrize(
    ("importer", "content", "words"),
    [
        (ProvJsonImporter(), b"{", "is no JSON"),
        (ProvJsonImporter(), b"[" * 100_000, "is no JSON"),
        (ProvJsonImporter(), b'{"a": 1}', "no PROV-JSON"),
        (ProvXmlImporter(), b"<document>", "no well-formed XML"),
        (ProvXmlImporter(), b"<html/>", "outermost element"),
        (ProvXmlImporter(), b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE|document type"),
        (ProvXmlImporter(), b"<a>" * 200 + b"</a>" * 200, "nested deeper"),
        (ProvNImporter(), b"document\n entity(\n=)\nendDocument", ":3: "),
        (ProvNImporter(), b"document\n used(a, b", "the end"),
        (ProvNImporter(), b"document\xff", "UTF-8"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, importer: Importer, content: bytes, words: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(UnreadableSource, match=words):
        drafts(path, importer)


def test_a_document_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"entity": {}}')
    with pytest.raises(TooLarge):
        drafts(path, ProvJsonImporter(), most=5)


@pytest.mark.parametrize(("sample", "count"), [("json/*.json", 11), ("xml/*.xml", 44)])
def test_all_documents_of_the_prov_toolbox_are_read(shared: Path, sample: str, count: int) -> None:
    """The toolbox itself fails on 12 of its 44 XML files."""
    paths = sorted((shared / "realdata/prov/prov-json-core").glob(sample))
    assert len(paths) == count
    for path in paths:
        read = drafts(path)
        assert read
        assert all(isinstance(draft, Draft) for draft in read), path.name


@pytest.mark.parametrize(
    "sample",
    [
        "prov-json-core/json/end10.json",
        "prov-json-core/xml/pc1.xml",
        "prov-json-core/xml/prov_primer_complete_example.xml",
        "yprov4wfs-wfs1/prov4wfs_wfs1.json",
    ],
)
def test_real_documents_pass_the_gate(shared: Path, sample: str) -> None:
    (draft,) = drafts(shared / "realdata/prov" / sample)
    assert isinstance(draft, Draft)
    record = RecordMaker(MINT).make(draft, "public", "prov", "1", "declared")
    assert [report.sentences() for report in Gate().check([record]).values() if not report.conforms] == []


@pytest.mark.parametrize("sample", ["revsort-run-1", "grepucase-run-1", "no-input-run-1", "revsortlcase-run-1"])
def test_a_cwlprov_research_object_comes_in_by_its_folder(shared: Path, sample: str) -> None:
    folder = shared / "realdata/cwlprov" / sample / sample
    bundles = {"grepucase-run-1": 6}.get(sample, 0)
    documents = len(list((folder / "metadata/provenance").glob("*.cwlprov.json")))
    read = drafts(folder)
    assert all(isinstance(draft, Draft) for draft in read)
    assert len(read) == documents + bundles


def test_every_record_that_the_toolbox_counts_is_read(shared: Path) -> None:
    expected = json.loads((shared / "realdata/expected.json").read_text())["prov"]["data"]
    readers = {".json": read_json, ".xml": read_xml, ".provn": read_n}
    checked = 0
    for name, count in expected.items():
        path = shared / "realdata" / name
        reader = readers.get(path.suffix)
        if reader is None or "error" in count:
            continue
        bundles = reader(path.read_bytes(), path.name, "urn:record")
        assert (len(bundles[0].statements), len(bundles) - 1) == (count["records"], count["bundles"]), name
        checked += 1
    assert checked >= 40
