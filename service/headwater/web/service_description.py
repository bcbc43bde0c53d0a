"""What the SPARQL endpoint says of itself: what it can do, and its limits, in words and for programs."""

from __future__ import annotations

from pyoxigraph import BlankNode, Literal, NamedNode, Triple, serialize

from headwater.exporters.rdf import Syntax
from headwater.exporters.registry import exporter
from headwater.settings import Settings
from headwater.terms.names import HW, RDF, RDFS, Namespace
from headwater.web.negotiation import Offer

_SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
_DCTERMS = Namespace("http://purl.org/dc/terms/")
_FORMATS = Namespace("http://www.w3.org/ns/formats/")
_DECIMAL = NamedNode("http://www.w3.org/2001/XMLSchema#decimal")
_ANY_URI = NamedNode("http://www.w3.org/2001/XMLSchema#anyURI")


def limits(settings: Settings) -> list[Literal]:
    """What a query may take, in sentences."""
    length, seconds = f"{settings.max_query_length:,}", f"{settings.query_timeout_s:g}"
    memory, answer = f"{settings.query_memory_mb:,} MiB", f"{settings.max_answer_mb:,} MiB"
    asked, loaded = ", ".join(settings.service_allowed), ", ".join(settings.load_allowed)
    elsewhere = f"SERVICE may ask {asked or 'nobody'}, LOAD {loaded or 'nobody'}."
    anderswo = f"SERVICE darf {asked or 'niemanden'} fragen, LOAD {loaded or 'niemanden'}."
    english = (
        f"A query may have {length} characters and take {seconds} seconds and {memory} of memory, its answer {answer}. "
        f"What goes beyond is an error (413 or 503), never a part. {elsewhere}"
    )
    german = (
        f"Eine Anfrage darf {length} Zeichen haben, {seconds} Sekunden und {memory} Speicher brauchen, ihre Antwort {answer}. "
        f"Was darüber geht, ist ein Fehler (413 oder 503), nie ein Teil. {anderswo}"
    )
    return [Literal(english, language="en"), Literal(german, language="de")]


def described(address: str, offer: Offer, settings: Settings) -> bytes:
    """The SPARQL 1.1 Service Description of this endpoint: what it can do, and nothing it cannot."""
    service, dataset, graph = BlankNode("service"), BlankNode("dataset"), BlankNode("graph")
    said = [
        Triple(service, RDF.type, _SD.Service),
        Triple(service, _SD.endpoint, NamedNode(address)),
        Triple(service, _SD.feature, _SD.UnionDefaultGraph),
        Triple(service, _SD.supportedLanguage, _SD.SPARQL11Query),
        Triple(service, _SD.supportedLanguage, _SD.SPARQL11Update),
        Triple(service, _SD.defaultDataset, dataset),
        Triple(dataset, RDF.type, _SD.Dataset),
        Triple(dataset, _SD.defaultGraph, graph),
        Triple(graph, RDF.type, _SD.Graph),
        Triple(service, _DCTERMS["title"], Literal("Headwater", language="en")),
        Triple(dataset, RDFS.seeAlso, NamedNode(f"{address.removesuffix('/sparql')}/.well-known/void#dataset")),
    ]
    said += [Triple(service, _DCTERMS["description"], words) for words in limits(settings)]
    for limit, number in (
        (HW.longestQuery, settings.max_query_length),
        (HW.longestUpdate, settings.max_update_length),
        (HW.mostMemory, settings.query_memory_mb * 2**20),
        (HW.largestAnswer, settings.max_answer_mb * 2**20),
        (HW.requestsAMinute, settings.requests_per_minute),
    ):
        said.append(Triple(service, limit, Literal(number)))
    said.append(Triple(service, HW.longestTime, Literal(f"{settings.query_timeout_s:g}", datatype=_DECIMAL)))
    said += [Triple(service, HW.mayAsk, Literal(address, datatype=_ANY_URI)) for address in settings.service_allowed]
    said += [Triple(service, HW.mayLoad, Literal(address, datatype=_ANY_URI)) for address in settings.load_allowed]
    if settings.service_allowed:
        said.append(Triple(service, _SD.feature, _SD.BasicFederatedQuery))
    for name in (
        "SPARQL_Results_JSON",
        "SPARQL_Results_XML",
        "SPARQL_Results_CSV",
        "SPARQL_Results_TSV",
        "Turtle",
        "N-Triples",
        "RDF_XML",
        "JSON-LD",
        "TriG",
        "N-Quads",
    ):
        said.append(Triple(service, _SD.resultFormat, _FORMATS[name]))
    for name in ("Turtle", "N-Triples", "RDF_XML", "JSON-LD", "TriG", "N-Quads"):
        said.append(Triple(service, _SD.inputFormat, _FORMATS[name]))
    syntax = exporter(offer.names[0])
    assert isinstance(syntax, Syntax)
    prefixes = {
        "rdfs": str(RDFS),
        "hw": str(HW),
        "sd": str(_SD),
        "formats": str(_FORMATS),
        "dcterms": "http://purl.org/dc/terms/",
    }
    written = serialize(said, format=syntax.format, prefixes=prefixes)
    assert written is not None  # serialize only returns None when it is handed a file to write to
    return written
