"""What schemathesis cannot read from the OpenAPI document: how a SPARQL query looks, and RDF in its syntaxes.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS), which is not among the packages of the tests.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from hypothesis import strategies as st

THINGS = st.sampled_from(["urn:x:a", "urn:x:b", "https://lab.example/data/v1", "https://lab.example/ä", "urn:uuid:0"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), max_size=20)
PLACES = st.sampled_from(["?s", "?o", "<urn:x:a>", "<https://w3id.org/headwater/terms#Model>", '"text"@en', "7", "true"])
PATTERNS = st.builds("?s {} {} .".format, st.sampled_from(["?p", "a", "<urn:x:p>", "<urn:x:p>+"]), PLACES)
GROUPS = st.lists(PATTERNS, min_size=1, max_size=3).map(" ".join)
QUERIES = st.one_of(
    GROUPS.map("ASK {{ {} }}".format),
    st.builds("SELECT * {{ {} }} LIMIT {}".format, GROUPS, st.integers(0, 20)),
    st.builds("SELECT (COUNT(*) AS ?n) {{ {} FILTER (?s != <{}>) }}".format, GROUPS, THINGS),
    GROUPS.map("CONSTRUCT {{ ?s ?p2 ?s }} WHERE {{ {} BIND (<urn:x:p> AS ?p2) }} LIMIT 5".format),
    THINGS.map("DESCRIBE <{}>".format),
)
UPDATES = st.builds('INSERT DATA {{ GRAPH <{}> {{ <{}> <urn:x:p> "{}" }} }}'.format, THINGS, THINGS, TEXTS)
STATEMENTS = st.builds('<{}> <urn:x:p> "{}" .\n'.format, THINGS, TEXTS)
TRIPLES = st.lists(STATEMENTS, min_size=1, max_size=4).map("".join)


def _xml(thing: str) -> str:
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="urn:x:">'
        f'<rdf:Description rdf:about="{thing}"><x:p>text</x:p></rdf:Description></rdf:RDF>'
    )


def _bytes(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return texts.map(str.encode)


schemathesis.openapi.format("sparql-query", QUERIES)
schemathesis.openapi.format("sparql-update", UPDATES)
schemathesis.openapi.format("iri", THINGS)
schemathesis.openapi.format("ledger-sequence", st.integers(0, int(os.environ.get("HEADWATER_LAST", "0"))).map(str))
for name, texts in (
    ("application/sparql-query", QUERIES),
    ("application/sparql-update", UPDATES),
    ("text/turtle", TRIPLES),
    ("application/n-triples", TRIPLES),
    ("application/trig", TRIPLES),
    ("application/n-quads", TRIPLES),
    ("application/rdf+xml", THINGS.map(_xml)),
    ("application/ld+json", THINGS.map('{{"@id": "{}", "urn:x:p": "text"}}'.format)),
):
    schemathesis.openapi.media_type(name, _bytes(texts))


YEARS = st.integers(1900, int(os.environ.get("HEADWATER_YEAR", "2025")))
schemathesis.openapi.format("year-that-began", YEARS.map(str))


@schemathesis.serializer(
    "application/sparql-query",
    "application/sparql-update",
    "text/turtle",
    "application/n-triples",
    "application/trig",
    "application/n-quads",
    "application/rdf+xml",
    "application/zip",
)
def as_it_is(_: Any, value: Any) -> Any:
    """A text is sent as it stands."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def _backwards(said: Any) -> bool:
    """Whether a slice ends before it begins, which no schema can tell."""
    if isinstance(said, dict) and isinstance(said.get("changes"), list) and any(_backwards(one) for one in said["changes"]):
        return True
    part = said.get("slice") if isinstance(said, dict) else None
    if isinstance(part, str):
        return "first_run" in part or "last_run" in part or "after" in part or "before" in part
    if not isinstance(part, dict):
        return False
    pairs = ((part.get(low), part.get(high)) for low, high in (("after", "before"), ("first_run", "last_run")))
    return any(low is not None and high is not None for low, high in pairs)


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Slices with two ends are left out."""
    del context
    return not _backwards(body)


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """The same in an address."""
    del context
    return not _backwards(query)
