"""Documents at random: one graph in every syntax of RDF, damaged; and documents made to hurt whoever reads them."""

from __future__ import annotations

import json
from random import Random

from pyoxigraph import RdfFormat, parse, serialize

_GRAPH = """
@prefix hw: <https://w3id.org/headwater/terms#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<urn:b:run> a hw:Run ; rdfs:label "Lauf é"@de, "run" ; prov:used <urn:b:data> ;
  prov:startedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime ;
  prov:qualifiedUsage [ a prov:Usage ; prov:entity <urn:b:data> ; prov:hadRole hw:train ] .
<urn:b:data> a hw:Dataset ; hw:digest "sha256:00" ; rdfs:label 'a "quoted" <label> & more' .
"""
SYNTAXES = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/n-quads": RdfFormat.N_QUADS,
    "application/trig": RdfFormat.TRIG,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
}
_NOISE = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"<",
    b">",
    b'"',
    b"'",
    b"{",
    b"[",
    b"]}",
    b"\\u0000",
    b"\\uD800",
    b"&#0;",
    b"#",
)
_NOISE += (
    b"\r\n\r\n",
    b"@prefix : <",
    b"_:",
    b"^^",
    b"@en",
    b"]]>",
    b"<!--",
    b"&x;",
    b"\xf0\x9f\x92\xa9",
    b"\xe2\x80\xae",
    b"9" * 300,
    b"//",
)


def document(media_type: str) -> bytes:
    """A run with its data, in a syntax."""
    body = serialize([quad.triple for quad in parse(_GRAPH, RdfFormat.TURTLE)], format=SYNTAXES[media_type])
    assert body is not None
    return body


def damaged(random: Random, body: bytes) -> bytes:
    """The document cut short, recoded, or with something else in it."""
    kind = random.randrange(6)
    if kind == 0:
        return body[: random.randrange(len(body))]
    if kind == 1:
        return body.decode().encode(random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037")))
    for _ in range(random.randint(1, 5)):
        place = random.randrange(len(body) + 1)
        end = min(len(body), place + random.choice((0, 0, 1, 5, 50)))
        body = (
            body[:place] + random.choice((b"", random.choice(_NOISE), body[place:end] * 4)) + body[random.choice((place, end)) :]
        )
    return body


_RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
_ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(12))
TRAPS: dict[str, tuple[str, bytes]] = {
    "entities that grow": (
        "application/rdf+xml",
        f"<!DOCTYPE x [{_ENTITIES}]><rdf:RDF {_RDF}><rdf:Description>&e11;</rdf:Description></rdf:RDF>".encode(),
    ),
    "an entity of a file": (
        "application/rdf+xml",
        f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><rdf:RDF {_RDF}>'.encode()
        + b'<rdf:Description rdf:about="urn:x"><rdf:value>&f;</rdf:value></rdf:Description></rdf:RDF>',
    ),
    "an entity that means itself": (
        "application/rdf+xml",
        f'<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]><rdf:RDF {_RDF}>&a;</rdf:RDF>'.encode(),
    ),
    "an encoding that is none": ("application/rdf+xml", f'<?xml version="1.0" encoding="utf-99"?><rdf:RDF {_RDF}/>'.encode()),
    "an encoding that is no text": ("application/rdf+xml", f'<?xml version="1.0" encoding="base64"?><rdf:RDF {_RDF}/>'.encode()),
    "PROV-XML in no encoding": (
        "application/xml",
        b'<?xml version="1.0" encoding="utf-99"?><prov:document xmlns:prov="http://www.w3.org/ns/prov#"/>',
    ),
    "deep XML": ("application/rdf+xml", f"<rdf:RDF {_RDF}>".encode() + b"<rdf:Description><rdf:value>" * 50_000),
    "many attributes": (
        "application/rdf+xml",
        f"<rdf:RDF {_RDF} ".encode() + b" ".join(b'xmlns:a%d="urn:a"' % n for n in range(30_000)) + b"/>",
    ),
    "an ID twice": (
        "application/rdf+xml",
        f'<rdf:RDF {_RDF} xml:base="urn:x"><rdf:Description rdf:ID="a"/><rdf:Description rdf:ID="a"/></rdf:RDF>'.encode(),
    ),
    "deep JSON": ("application/ld+json", b'{"@graph":' * 20_000 + b"1" + b"}" * 20_000),
    "deep lists": ("application/ld+json", b"[" * 100_000),
    "a context of its own address": ("application/ld+json", b'{"@context":"http://127.0.0.1:9/context","@id":"urn:x","a":1}'),
    "a file as context": ("application/ld+json", b'{"@context":"file:///etc/passwd","@id":"urn:x","a":1}'),
    "an import": (
        "application/ld+json",
        b'{"@context":{"@version":1.1,"@import":"http://127.0.0.1:9/context"},"@id":"urn:x","a":1}',
    ),
    "a huge context": (
        "application/ld+json",
        json.dumps(
            {
                "@context": {f"t{n}": {"@id": f"urn:t{n}", "@context": {"x": "urn:x"}} for n in range(30_000)},
                "@id": "urn:x",
                "t1": 1,
            }
        ).encode(),
    ),
    "a context in each object": (
        "application/ld+json",
        json.dumps(
            {
                "@context": {f"t{n}": f"urn:t{n}" for n in range(20_000)},
                "@graph": [{"@id": f"urn:{n}", "@context": {"x": "urn:x"}} for n in range(20_000)],
            }
        ).encode(),
    ),
    "a context for each object of a type": (
        "application/ld+json",
        json.dumps(
            {
                "@context": {**{f"t{n}": f"urn:t{n}" for n in range(20_000)}, "T": {"@id": "urn:T", "@context": {"x": "urn:x"}}},
                "@graph": [{"@id": f"urn:{n}", "@type": "T"} for n in range(20_000)],
            }
        ).encode(),
    ),
    "terms that mean each other": (
        "application/ld+json",
        json.dumps({"@context": {"a": "b:x", "b": "a:x"}, "@id": "urn:x", "a": 1}).encode(),
    ),
    "a long chain of terms": (
        "application/ld+json",
        json.dumps({"@context": {f"t{n}": f"t{n + 1}:x" for n in range(5000)}, "@id": "urn:x", "t0:a": 1}).encode(),
    ),
    "a long chain of types": (
        "application/ld+json",
        json.dumps(
            {"@context": {f"t{n}": {"@id": f"urn:{n}", "@type": f"t{n + 1}"} for n in range(5000)}, "@id": "urn:x", "t0": 1}
        ).encode(),
    ),
    "a long chain of names": (
        "application/ld+json",
        json.dumps({"@context": [{f"t{n}": f"t{n + 1}" for n in range(5000)}], "@id": "urn:x", "t0": 1}).encode(),
    ),
    "keys twice": ("application/ld+json", b'{"@id":"urn:x","@id":"urn:y","@type":"urn:a","@type":["urn:b"]}'),
    "a number without end": ("application/ld+json", b'{"@id":"urn:x","urn:p":1' + b"0" * 200_000 + b"}"),
    "a float without end": ("application/ld+json", b'{"@id":"urn:x","urn:p":1e' + b"9" * 100_000 + b"}"),
    "deep Turtle": ("text/turtle", b"<urn:x> <urn:p> " + b"[ <urn:p> " * 50_000),
    "a deep collection": ("text/turtle", b"<urn:x> <urn:p> " + b"( " * 50_000 + b") " * 50_000 + b"."),
    "deep quoted triples": ("text/turtle", b"<< " * 50_000),
    "a long literal": ("text/turtle", b'<urn:x> <urn:p> "' + b"x" * 7_000_000 + b'" .'),
    "a long IRI": ("text/turtle", b"<urn:" + b"x" * 1_000_000 + b"> <urn:p> 1 ."),
    "a long predicate": ("text/turtle", b"<urn:x> <urn:" + b"scratch" * 9000 + b"/> 1 ."),
    "many prefixes": ("text/turtle", b"".join(b"@prefix a%d: <urn:a> .\n" % n for n in range(100_000))),
    "a literal without end": ("text/turtle", b'<urn:x> <urn:p> """' + b'"" ' * 300_000),
    "comments without end": ("text/turtle", b"#" * 1_000_000),
    "PROV-N behind comments": ("text/provenance-notation", b"/**/" * 1000 + b"x"),
    "a zip of nothing": ("application/zip", b"PK\x05\x06" + b"\0" * 18),
    "a zip cut short": ("application/zip", b"PK\x03\x04" + b"\xff" * 60),
    "YAML of anchors": (
        "application/yaml",
        b"a: &a [x]\n"
        + b"".join(b"b%d: &b%d [%b]\n" % (n, n, b",".join([b"*a" if n == 0 else b"*b%d" % (n - 1)] * 9)) for n in range(9)),
    ),
    "deep YAML": ("application/yaml", b"- " * 100_000),
    "a table": ("text/csv", b"a,b\n" * 100_000),
    "a database that is none": ("application/vnd.sqlite3", b"SQLite format 3\0" + b"\xff" * 5000),
    "PROV-JSON by half": (
        "application/json",
        b'{"prefix":{"a":"urn:a"},"entity":{"a:x":[{"prov:type":{"$":1,"type":"xsd:QName"}}',
    ),
    "JSON that is a list": ("application/json", b"[" + b"{}," * 50_000 + b"{}]"),
}
"""Documents made to hurt, with their media types; what they are called says how."""
