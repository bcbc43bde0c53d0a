"""RDF comes in as it stands, in six syntaxes, without any network; what is wrong with a file is said with its name and line."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, RdfFormat, Triple, parse, serialize

from headwater.errors import TooLarge, UnreadableSource
from headwater.importers.protocol import Source
from headwater.importers.rdf import RdfImporter
from headwater.records.draft import Draft
from headwater.records.record import RecordMaker, unpack
from headwater.terms.minting import Mint
from headwater.terms.names import PROV

_MINT = Mint("https://data.example/")
_RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:p="http://www.w3.org/ns/prov#"'
_XML = f'<rdf:RDF {_RDF}><rdf:Description rdf:about="urn:r"><p:used rdf:resource="urn:d"/></rdf:Description></rdf:RDF>'
_SAID = Triple(NamedNode("urn:r"), PROV.used, NamedNode("urn:d"))
_SAME = {
    "a.ttl": "@prefix p: <http://www.w3.org/ns/prov#> . <urn:r> p:used <urn:d> .",
    "a.nt": "<urn:r> <http://www.w3.org/ns/prov#used> <urn:d> .\n",
    "a.nq": "<urn:r> <http://www.w3.org/ns/prov#used> <urn:d> .\n",
    "a.trig": "<urn:r> <http://www.w3.org/ns/prov#used> <urn:d> .",
    "a.rdf": _XML,
    "a.owl": _XML,
    "a.xml": _XML,
    "a.jsonld": '{"@id": "urn:r", "http://www.w3.org/ns/prov#used": {"@id": "urn:d"}}',
    "a.json": '{"@context": {"u": {"@id": "http://www.w3.org/ns/prov#used", "@type": "@id"}}, "@id": "urn:r", "u": "urn:d"}',
}


def read(folder: Path, name: str, text: str | bytes, media_type: str | None = None, max_bytes: int = 10**8) -> list[Draft]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    source = Source(path, name, max_bytes, media_type, identity=name)
    return [item for item in RdfImporter().read(source, _MINT) if isinstance(item, Draft)]


def refused(folder: Path, name: str, text: str | bytes) -> UnreadableSource:
    with pytest.raises(UnreadableSource) as caught:
        read(folder, name, text)
    assert caught.value.detail.startswith(name)
    return caught.value


@pytest.mark.parametrize("name", _SAME)
def test_every_syntax_says_the_same(name: str, tmp_path: Path) -> None:
    (draft,) = read(tmp_path, name, _SAME[name])
    assert draft.triples == [_SAID]
    assert RdfImporter().sniff(Source(tmp_path / name, name, 10**6)) is not None


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("text/turtle", "a.ttl"),
        ("application/n-triples", "a.nt"),
        ("application/n-quads", "a.nq"),
        ("application/trig", "a.trig"),
        ("application/rdf+xml", "a.rdf"),
        ("application/ld+json", "a.jsonld"),
    ],
)
def test_a_media_type_goes_before_the_name(media_type: str, name: str, tmp_path: Path) -> None:
    (draft,) = read(tmp_path, "upload.txt", _SAME[name], media_type)
    assert draft.triples == [_SAID]
    sniff = RdfImporter().sniff(Source(tmp_path / "upload.txt", "upload.txt", 10**6, media_type))
    assert sniff is not None
    assert media_type in sniff.reason


def test_what_is_no_rdf_is_not_claimed(tmp_path: Path) -> None:
    for name, text in (("a.json", '{"runs": []}'), ("a.xml", "<feed/>"), ("notes", "dear diary"), ("a.csv", "x,y")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert RdfImporter().sniff(Source(tmp_path / name, name, 10**6)) is None


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("r.ttl", "@prefix a: <urn:a:> .\n\na:s a:p <rel> .", 3),
        ("r.nt", "<urn:s> <urn:p> <urn:o> .\n<urn:s> <urn:p> <rel> .\n", 2),
        ("r.rdf", f'<rdf:RDF {_RDF}>\n<rdf:Description rdf:about="rel"><p:x>1</p:x></rdf:Description>\n</rdf:RDF>', 2),
        ("r.jsonld", '{\n"@id": "rel",\n"urn:p": 1}', 2),
        ("r.jsonld", '{"@id": "urn:s",\n\n"urn:p": {"@id": "rel"}}', 3),
    ],
)
def test_a_relative_iri_is_an_error_with_file_and_line(name: str, text: str, line: int, tmp_path: Path) -> None:
    error = refused(tmp_path, name, text)
    assert error.detail.startswith(f"{name}:{line}: ")
    assert "@base" in error.remedy


def test_a_base_makes_relative_iris_whole(tmp_path: Path) -> None:
    (draft,) = read(tmp_path, "b.ttl", "@base <http://example.org/> . <a> <b> <c> .")
    assert draft.triples[0].object == NamedNode("http://example.org/c")
    (draft,) = read(tmp_path, "b.jsonld", '{"@context": {"@base": "http://example.org/"}, "@id": "a", "urn:p": 1}')
    assert draft.triples[0].subject == NamedNode("http://example.org/a")


@pytest.mark.parametrize("name", ["l.ttl", "l.nt", "l.jsonld", "l.rdf"])
def test_latin_1_is_an_error_that_names_the_encoding(name: str, tmp_path: Path) -> None:
    text = {
        "l.ttl": '<urn:s> <urn:p> "é" .',
        "l.nt": '<urn:s> <urn:p> "é" .\n',
        "l.jsonld": '{"@id": "urn:s", "urn:p": "é"}',
        "l.rdf": f'<rdf:RDF {_RDF}><rdf:Description rdf:about="urn:s"><p:x>é</p:x></rdf:Description></rdf:RDF>',
    }[name]
    error = refused(tmp_path, name, text.encode("latin-1"))
    assert ":1: " in error.detail


def test_a_byte_order_mark_is_taken_off_and_told(tmp_path: Path) -> None:
    (draft,) = read(tmp_path, "m.ttl", b"\xef\xbb\xbf" + _SAME["a.ttl"].encode())
    assert draft.triples == [_SAID]
    assert [finding.reason for finding in draft.findings] == ["byte-order-mark"]


@pytest.mark.parametrize("name", sorted(set(_SAME) - {"a.owl", "a.xml", "a.json"}))
def test_a_truncated_file_is_an_error_in_every_syntax(name: str, tmp_path: Path) -> None:
    whole = _SAME[name].rstrip()
    error = refused(tmp_path, name, whole[: len(whole) - 6])
    assert ":1: " in error.detail


@pytest.mark.parametrize("name", ["e.ttl", "e.nt", "e.trig", "e.nq"])
def test_an_empty_file_is_a_record_that_says_nothing(name: str, tmp_path: Path) -> None:
    (draft,) = read(tmp_path, name, b"")
    assert draft.triples == []
    assert [finding.reason for finding in draft.findings] == ["no-statements"]


@pytest.mark.parametrize("name", ["e.rdf", "e.jsonld"])
def test_nothing_is_no_xml_and_no_json(name: str, tmp_path: Path) -> None:
    refused(tmp_path, name, b"")


@pytest.mark.parametrize(
    "context",
    [
        '"http://127.0.0.1:{port}/c"',
        '["http://127.0.0.1:{port}/c"]',
        '[{{"a": "urn:a"}}, "http://127.0.0.1:{port}/c"]',
        '{{"a": {{"@id": "urn:a", "@context": "http://127.0.0.1:{port}/c"}}}}',
        '{{"@version": 1.1, "@import": "http://127.0.0.1:{port}/c"}}',
    ],
)
def test_a_remote_context_is_refused_with_words_and_not_fetched(context: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stated = context.format(port=server.getsockname()[1])
        text = f'{{"@context": {stated}, "@id": "urn:s", "a": {{"urn:p": 1}}}}'
        assert "nothing is fetched" in refused(tmp_path, "c.jsonld", text).detail
        with pytest.raises(TimeoutError):
            server.accept()


def test_terms_that_no_context_defines_are_told(tmp_path: Path) -> None:
    text = {"@context": {"name": "urn:name"}, "@id": "urn:s", "name": "x", "nmae": "y", "urn:p": {"inner": 1}}
    (draft,) = read(tmp_path, "t.jsonld", json.dumps(text))
    assert [(f.outcome, f.what.split()[0]) for f in draft.findings] == [("unmapped", "'inner'"), ("unmapped", "'nmae'")]


def _nested(name: str, levels: int) -> str:
    return {
        "n.jsonld": '{"@id":"urn:s","urn:p":' * levels + "1" + "}" * levels,
        "lists.jsonld": '{"@id":"urn:s","urn:p":' + "[" * levels + "1" + "]" * levels + "}",
        "n.ttl": "<urn:s> <urn:p> " + "(" * levels + ")" * levels + " .",
        "blank.ttl": "<urn:s> <urn:p> " + "[<urn:p> " * levels + "1" + "]" * levels + " .",
        "hidden.ttl": f"<urn:s> <urn:p> '{')' * levels}' , " + "(" * levels + ")" * levels + " .",
        "comment.ttl": f"#{')' * levels}\n<urn:s> <urn:p> " + "(" * levels + ")" * levels + " .",
        "terms.nt": "<urn:s> <urn:p> " + "<<( <urn:s> <urn:p> " * levels + '"1"' + " )>>" * levels + " .\n",
        "n.rdf": f"<rdf:RDF {_RDF}>"
        + "<rdf:Description><p:x>" * levels
        + "x"
        + "</p:x></rdf:Description>" * levels
        + "</rdf:RDF>",
    }[name]


@pytest.mark.parametrize(
    "name", ["n.jsonld", "lists.jsonld", "n.ttl", "blank.ttl", "hidden.ttl", "comment.ttl", "terms.nt", "n.rdf"]
)
@pytest.mark.parametrize("levels", [4000, 50_000])
def test_deep_nesting_is_refused_before_it_ends_the_process(name: str, levels: int, tmp_path: Path) -> None:
    assert "deeper than 200" in refused(tmp_path, name, _nested(name, levels)).detail


def test_brackets_in_strings_iris_and_comments_do_not_count(tmp_path: Path) -> None:
    many = "(" * 500
    text = f"# {many}\n<urn:s> <urn:p> '{many}', \"{many}\", '''{many}\n''', \"\"\"{many}\"\"\", <urn:{many}> ."
    assert len(read(tmp_path, "s.ttl", text)[0].triples) == 5


_BOMB = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10 if n else "ha" * 10}">' for n in range(9))
_ENTITIES = {
    "nested": f"<!DOCTYPE r [{_BOMB}]>",
    "behind a long comment": f"<!--{'x' * 70_000}--><!DOCTYPE r [{_BOMB}]>",
    "in single quotes": "<!DOCTYPE r [<!ENTITY b0 'a'><!ENTITY b8 'x>y&b0;&b0;'>]>",
    "external": '<!DOCTYPE r [<!ENTITY b8 SYSTEM "file:///etc/passwd">]>',
    "an external subset": '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/r.dtd" [<!ENTITY b8 "x">]>',
    "a parameter": '<!DOCTYPE r [<!ENTITY % b "x"><!ENTITY b8 "x">]>',
    "long": f'<!DOCTYPE r [<!ENTITY b8 "{"x" * 5000}">]>',
}


@pytest.mark.parametrize("how", _ENTITIES)
def test_entities_that_fetch_or_explode_are_refused(how: str, tmp_path: Path) -> None:
    document = f'<rdf:RDF {_RDF}><rdf:Description rdf:about="urn:s"><p:x>&b8;</p:x></rdf:Description></rdf:RDF>'
    assert "entit" in refused(tmp_path, "e.rdf", _ENTITIES[how] + document).detail


def test_many_uses_of_one_entity_are_refused_too(tmp_path: Path) -> None:
    doctype = f'<!DOCTYPE r [<!ENTITY a "{"x" * 900}">]>'
    document = f'<rdf:RDF {_RDF}><rdf:Description rdf:about="urn:s"><p:x>{"&a;" * 20_000}</p:x></rdf:Description></rdf:RDF>'
    assert "times as long" in refused(tmp_path, "m.rdf", doctype + document).detail


def test_entities_for_namespaces_are_read_as_ontology_editors_write_them(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE rdf:RDF [<!ENTITY prov "http://www.w3.org/ns/prov#">]>'
    document = f'<rdf:RDF {_RDF}><rdf:Description rdf:about="&prov;used"><p:x>SYSTEM</p:x></rdf:Description></rdf:RDF>'
    (draft,) = read(tmp_path, "o.owl", doctype + document)
    assert draft.triples[0].subject == PROV.used


def test_blanks_in_iris_are_encoded_and_told(tmp_path: Path) -> None:
    (draft,) = read(tmp_path, "i.ttl", "<urn:s> <urn:p> <http://example.org/my data|set> .")
    assert draft.triples[0].object == NamedNode("http://example.org/my%20data%7Cset")
    assert [finding.reason for finding in draft.findings] == ["iri-characters"]


def test_an_iri_that_cannot_be_mended_is_not_let_through_beside_one_that_can(tmp_path: Path) -> None:
    # What is no IRI would be written to the ledger and could never be read from it again.
    for wrong in ("http://example.org:port/", "http://[bad/", "http://example.org/%zz"):
        error = refused(tmp_path, "w.ttl", f"<urn:s> <urn:p> <http://example.org/a b> .\n<urn:s> <urn:p> <{wrong}> .")
        assert "Nothing of this file was taken" in error.remedy


def test_an_undeclared_prefix_is_an_error_with_file_and_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "p.ttl", "<urn:s> <urn:p> 1 .\nex:s ex:p 2 .")
    assert error.detail.startswith("p.ttl:2: ")


def test_named_graphs_become_records_of_their_own(tmp_path: Path) -> None:
    drafts = read(tmp_path, "g.trig", "<urn:s> <urn:p> 1 . <urn:g1> { <urn:s> <urn:p> 2 } <urn:g2> { <urn:s> <urn:p> 3 }")
    assert sorted(draft.iri for draft in drafts)[1:] == ["urn:g1", "urn:g2"]
    assert [len(draft.triples) for draft in drafts] == [1, 1, 1]


def test_blank_graph_names_give_the_same_records_each_time(tmp_path: Path) -> None:
    text = "_:z { <urn:s> <urn:p> 1 } [] { <urn:s> <urn:p> 2 } [] { <urn:s> <urn:p> 3 } <urn:g> { <urn:s> <urn:p> 4 }"
    first = {draft.iri: draft.triples for draft in read(tmp_path, "b.trig", text)}
    assert len(first) == 4
    for _ in range(6):
        assert {draft.iri: draft.triples for draft in read(tmp_path, "b.trig", text)} == first


def test_a_blank_node_of_several_graphs_stays_one_node(tmp_path: Path) -> None:
    text = "_:n <urn:p> 1 . <urn:g> { _:n <urn:p> 2 . _:own <urn:p> 3 } _:g { <urn:s> <urn:p> 4 } _:g <urn:about> 'the graph' ."
    drafts = read(tmp_path, "n.trig", text)
    said = {str(triple.object): triple.subject for draft in drafts for triple in draft.triples}
    one, two = (said[f'"{n}"^^<http://www.w3.org/2001/XMLSchema#integer>'] for n in (1, 2))
    assert one == two
    assert isinstance(one, NamedNode)
    assert said['"the graph"'].value in {draft.iri for draft in drafts}  # type: ignore[union-attr]
    again = read(tmp_path, "n.trig", text)
    assert [draft.iri for draft in again] == [draft.iri for draft in drafts]
    assert one in {triple.subject for draft in again for triple in draft.triples}


def test_a_file_over_the_limit_is_too_large_and_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.nt"
    with path.open("wb") as file:
        file.truncate(2**40)  # a sparse file: reading it would take all memory
    with pytest.raises(TooLarge, match=r"huge\.nt has 1048576 MiB; 256 MiB are allowed"):
        list(RdfImporter().read(Source(path, "huge.nt", 256 * 2**20), _MINT))


def _samples(shared: Path) -> list[Path]:
    folders = [shared / "realdata" / name for name in ("mex", "ml-schema", "prov")]
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in (".ttl", ".jsonld")]


def test_real_samples_come_in_or_are_refused_with_words(shared: Path) -> None:
    maker = RecordMaker(_MINT)
    taken, refusals = 0, []
    for path in _samples(shared):
        try:
            for draft in RdfImporter().read(Source(path, path.name, 10**8, identity=path.name), _MINT):
                assert isinstance(draft, Draft)
                record = maker.make(draft, "public", "rdf", "1", "declared")
                assert set(unpack(record.packed())) == set(record.asserted)
                taken += 1
        except UnreadableSource as error:
            refusals.append((path.name, error.detail))
    assert taken >= 11, refusals
    assert [name for name, detail in refusals if not detail.startswith(name)] == []


_FUZZ = """
import random, sys
from pathlib import Path
from headwater.errors import HeadwaterError
from headwater.importers.protocol import Source
from headwater.importers.rdf import RdfImporter
from headwater.records.record import RecordMaker, unpack
from headwater.terms.minting import Mint
mint = Mint("https://data.example/")
maker = RecordMaker(mint)
outcomes = {"taken": 0, "refused": 0}
for original in map(Path, sys.argv[1:]):
    data = original.read_bytes()
    chance = random.Random(original.name)
    for turn in range(60):
        if turn % 2:
            damaged = data[: chance.randrange(len(data))]
        else:
            damaged = bytearray(data)
            for _ in range(chance.randint(1, 5)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path = original.with_name("fuzz" + original.suffix)
        path.write_bytes(damaged)
        try:
            for draft in RdfImporter().read(Source(path, path.name, 10**8), mint):
                record = maker.make(draft, "public", "rdf", "1", "declared")
                assert set(unpack(record.packed())) == set(record.asserted)
            outcomes["taken"] += 1
        except HeadwaterError:
            outcomes["refused"] += 1
print(outcomes["taken"], outcomes["refused"])
"""


def test_damaged_bytes_give_a_report_or_an_error_and_never_end_the_process(tmp_path: Path) -> None:
    turtle = """@prefix p: <http://www.w3.org/ns/prov#> . @prefix d: <http://purl.org/dc/terms/> .
        <urn:r> p:used <urn:d>, [ a p:Entity ; d:title "caf\u00e9"@fr ] ; p:startedAtTime "2026-01-01T00:00:00Z" ;
            d:subject ( 1 2.5 "three" ) . <urn:g> p:value '''long \\u00e9 text''' ."""
    quads = list(parse(turtle, format=RdfFormat.TURTLE))
    files = []
    for suffix, syntax in (
        (".ttl", RdfFormat.TURTLE),
        (".nt", RdfFormat.N_TRIPLES),
        (".nq", RdfFormat.N_QUADS),
        (".trig", RdfFormat.TRIG),
        (".rdf", RdfFormat.RDF_XML),
        (".jsonld", RdfFormat.JSON_LD),
    ):
        path = tmp_path / f"whole{suffix}"
        path.write_bytes(turtle.encode() if suffix == ".ttl" else serialize(quads, format=syntax) or b"")
        files.append(str(path))
    random.Random(7).shuffle(files)
    done = subprocess.run([sys.executable, "-c", _FUZZ, *files], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-1500:]
    taken, turned_away = map(int, done.stdout.split())
    assert taken + turned_away == 360
    assert min(taken, turned_away) > 5
