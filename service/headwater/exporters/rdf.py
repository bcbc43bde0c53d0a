"""An object's statements as RDF, in the six syntaxes; pyoxigraph writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from headwater.errors import NotAcceptable
from headwater.questions.description import Description
from headwater.terms.names import PREFIXES

_XML_NAME_END = re.compile(r"[A-Za-z_\u00c0-\ufffd][\w.\-\u00b7\u00c0-\ufffd]*\Z")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Syntax:
    """One RDF syntax as an exporter; it fits every kind."""

    name: str
    title: str
    format: RdfFormat
    kinds: frozenset[str] | None = None

    @property
    def media_type(self) -> str:
        return self.format.media_type

    @property
    def extension(self) -> str:
        return self.format.file_extension

    def render(self, description: Description) -> bytes:
        """The description's triples, in an order that does not change between calls.

        >>> from headwater.questions.description import Thing
        >>> thing = Thing("http://e.org/d", "dataset", "digits", "dataset/d")
        >>> from headwater.terms.names import RDFS
        >>> label = Triple(NamedNode("http://e.org/d"), RDFS.label, Literal("digits"))
        >>> print(ntriples.render(Description(thing, "public", triples=[label])).decode().strip())
        <http://e.org/d> <http://www.w3.org/2000/01/rdf-schema#label> "digits" .
        """
        triples = sorted(set(description.triples), key=str)
        if self.format == RdfFormat.RDF_XML:
            _sayable_in_xml(triples)
        prefixes = {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}
        written = serialize(triples, format=self.format, prefixes=prefixes)
        assert written is not None  # serialize only returns None when it is handed a file to write to
        return written


def _sayable_in_xml(triples: list[Triple]) -> None:
    """Refuse what RDF/XML has no way to say; pyoxigraph 0.5 would write a broken document instead of an error."""
    for triple in triples:
        if not _XML_NAME_END.search(triple.predicate.value):
            raise NotAcceptable(
                f"the property <{triple.predicate.value}> does not end in an XML name, so RDF/XML cannot say it",
                remedy="Ask for Turtle or N-Triples.",
            )
        value = triple.object
        if isinstance(value, Literal | NamedNode) and _NOT_XML.search(value.value):
            raise NotAcceptable("a text holds a control character, which XML forbids", remedy="Ask for Turtle or N-Triples.")


turtle = Syntax("turtle", "Turtle", RdfFormat.TURTLE)
ntriples = Syntax("ntriples", "N-Triples", RdfFormat.N_TRIPLES)
rdfxml = Syntax("rdfxml", "RDF/XML", RdfFormat.RDF_XML)
jsonld = Syntax("jsonld", "JSON-LD", RdfFormat.JSON_LD)
trig = Syntax("trig", "TriG", RdfFormat.TRIG)
nquads = Syntax("nquads", "N-Quads", RdfFormat.N_QUADS)
