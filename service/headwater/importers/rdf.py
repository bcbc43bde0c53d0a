"""Importing RDF as it stands: Turtle, TriG, N-Triples, N-Quads, RDF/XML and JSON-LD, without any network access.

Each named graph of a document becomes a record of its own under the graph's IRI; the rest becomes one record. Terms are taken as
they come; what follows from them in the other vocabularies is worked out later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, parse

from headwater.errors import TooLarge, UnknownFormat, UnreadableSource
from headwater.importers.protocol import Sniff, Source
from headwater.importers.rdf_traps import refuse_traps
from headwater.records.draft import Draft, Failure, Finding
from headwater.records.normalise import skolem_names
from headwater.terms.minting import Mint, short_hash

_FORMATS = {
    ".ttl": RdfFormat.TURTLE,
    ".turtle": RdfFormat.TURTLE,
    ".nt": RdfFormat.N_TRIPLES,
    ".nq": RdfFormat.N_QUADS,
    ".trig": RdfFormat.TRIG,
    ".rdf": RdfFormat.RDF_XML,
    ".owl": RdfFormat.RDF_XML,
    ".jsonld": RdfFormat.JSON_LD,
}
_MEDIA_TYPES = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/n-quads": RdfFormat.N_QUADS,
    "application/trig": RdfFormat.TRIG,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
}
_BY_CONTENT = ((".json", RdfFormat.JSON_LD), (".xml", RdfFormat.RDF_XML))
_HEAD = 4096
_MARK = b"\xef\xbb\xbf"
_LINE = re.compile(r"line (\d+)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_Node = TypeVar("_Node", bound=NamedNode | BlankNode | Literal | Triple)


class RdfImporter:
    """RDF in six syntaxes, told apart by file name or media type, and by a look inside for `.json` and `.xml`."""

    name = "rdf"
    version = "1"
    title = "RDF: Turtle, TriG, N-Triples, N-Quads, RDF/XML, JSON-LD"
    evidence = "declared"

    def sniff(self, source: Source) -> Sniff | None:
        if source.media_type in _MEDIA_TYPES:
            return Sniff(0.95, f"its media type is {source.media_type}")
        suffix = Path(source.name).suffix.lower()
        if source.path.is_dir():
            return None
        if suffix in _FORMATS:
            return Sniff(0.9, f"its name ends in {suffix}")
        head = _head(source.path)
        if suffix == ".json" and b"@context" in head:
            return Sniff(0.6, "it is JSON with an @context")
        if suffix == ".xml" and b"http://www.w3.org/1999/02/22-rdf-syntax-ns#" in head:
            return Sniff(0.6, "it is XML in RDF's namespace")
        if not suffix and re.match(rb"\s*(@prefix|PREFIX|@base)\s", head):
            return Sniff(0.6, "it begins like Turtle")
        return None

    def size(self, source: Source) -> int | None:  # noqa: ARG002 (a document is one to a few records)
        return None

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        data = _bytes(source)
        key = _key(source, data)
        syntax = _syntax(source, data)
        findings = []
        if data.startswith(_MARK):
            data = data.removeprefix(_MARK)
            findings.append(Finding("repaired", "byte-order-mark", "the document began with a byte order mark", source.name))
        findings += refuse_traps(source, data, syntax)
        quads, repairs = _parse(source, data, syntax)
        findings += repairs
        by_graph = _by_graph(quads, mint, key)
        if not by_graph:
            findings.append(Finding("missing", "no-statements", "the document holds no statement", source.name))
            by_graph = {mint.record(key): []}
        for number, (iri, triples) in enumerate(sorted(by_graph.items())):
            title = Path(source.name).name if iri.startswith(mint.record(key)) else iri
            yield Draft(iri, source.name, title, triples, findings if number == 0 else [])


def one_graph(source: Source, base: str) -> list[Triple]:
    """The statements of a document that is one graph; relative IRIs start from `base`.

    Raises `UnreadableSource` for one that cannot be read or that holds named graphs, `UnknownFormat` for another media type.
    """
    if source.media_type not in _MEDIA_TYPES:
        raise UnknownFormat(
            f"'{source.media_type or 'nothing'}' is no media type of RDF here.", remedy=f"Send one of: {', '.join(_MEDIA_TYPES)}."
        )
    data = _bytes(source).removeprefix(_MARK)
    syntax = _syntax(source, data)
    refuse_traps(source, data, syntax)
    quads, _ = _parse(source, data, syntax, base)
    named = next((quad.graph_name for quad in quads if not isinstance(quad.graph_name, DefaultGraph)), None)
    if named is not None:
        raise UnreadableSource(f"{source.name}: holds the named graph {named}.", remedy="Send one graph in each request.")
    return [quad.triple for quad in quads]


def _by_graph(quads: list[Quad], mint: Mint, key: str) -> dict[str, list[Triple]]:
    """The triples of each record. Blank graph names are numbered in the order of the document; blank nodes that several graphs
    speak of get one name here, because each record names its own by itself."""
    names: dict[BlankNode, NamedNode] = {}
    met: dict[BlankNode, object] = {}
    shared: set[BlankNode] = set()
    for quad in quads:
        graph = quad.graph_name
        if isinstance(graph, BlankNode) and graph not in names:
            names[graph] = NamedNode(mint.record(f"{key}-{len(names) + 1}"))
        for node in (quad.subject, quad.object):
            if isinstance(node, BlankNode) and met.setdefault(node, graph) != graph:
                shared.add(node)
    if shared - names.keys():
        found = skolem_names([quad.triple for quad in quads], f"{mint.record(key)}#document", mint)
        names = {node: found[node] for node in sorted(shared, key=str)} | names
    by_graph: dict[str, list[Triple]] = {}
    for quad in quads:
        graph_name = names[quad.graph_name] if isinstance(quad.graph_name, BlankNode) else quad.graph_name
        iri = graph_name.value if isinstance(graph_name, NamedNode) else mint.record(key)
        triple = quad.triple
        if names:
            triple = Triple(_known(triple.subject, names), triple.predicate, _known(triple.object, names))
        by_graph.setdefault(iri, []).append(triple)
    return by_graph


def _known(node: _Node, names: dict[BlankNode, NamedNode]) -> _Node | NamedNode:
    return names.get(node, node) if isinstance(node, BlankNode) else node


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _bytes(source: Source) -> bytes:
    size = source.path.stat().st_size
    if size > source.max_bytes:
        raise TooLarge(
            f"{source.name} has {size / 2**20:.0f} MiB; {source.max_bytes / 2**20:.0f} MiB are allowed.",
            remedy="Split it, or raise max_upload_mb.",
        )
    return source.path.read_bytes()


def _syntax(source: Source, data: bytes) -> RdfFormat:
    if source.media_type in _MEDIA_TYPES:
        return _MEDIA_TYPES[source.media_type or ""]
    suffix = Path(source.name).suffix.lower()
    if suffix in _FORMATS:
        return _FORMATS[suffix]
    for ending, syntax in _BY_CONTENT:
        if suffix == ending:
            return syntax
    start = data.lstrip()[:1]
    return (
        RdfFormat.JSON_LD if start in (b"{", b"[") else RdfFormat.RDF_XML if data.lstrip()[:5] == b"<?xml" else RdfFormat.TURTLE
    )


def _key(source: Source, data: bytes) -> str:
    """What makes this source the same one next time: where it lies; for an upload without a name, what it says."""
    if source.identity:
        return f"rdf-{short_hash(source.identity)}"
    return f"rdf-{hashlib.sha256(data).hexdigest()[:16]}"


def _parse(source: Source, data: bytes, syntax: RdfFormat, base: str | None = None) -> tuple[list[Quad], list[Finding]]:
    try:
        quads = list(parse(data, format=syntax, base_iri=base))
        if syntax == RdfFormat.JSON_LD and base is None:
            _refuse_relative(source, data)
        return quads, []
    except (SyntaxError, ValueError) as error:
        strict = error
    # Blanks and other stray characters in IRIs are the commonest fault of real files (8 of 14 MEX files); the lenient parser
    # takes them, and they are percent-encoded. Where that mends nothing, the strict message is the better one.
    try:
        quads = list(parse(data, format=syntax, base_iri=base, lenient=True))
    except (SyntaxError, ValueError):
        quads = []
    mended = [_encoded(quad) for quad in quads]
    repaired = sum(1 for before, after in zip(quads, mended, strict=True) if before != after)
    if not quads or not repaired or not all(map(_sound, mended)):
        line = _line_of(strict, data)
        raise UnreadableSource(
            f"{_at(source, line)}: {_words(strict)}",
            remedy="Correct the document; relative IRIs need an @base. Nothing of this file was taken.",
            line=line,
        ) from strict
    found = Finding(
        "repaired", "iri-characters", f"{repaired} statements had IRIs with characters that must be percent-encoded", source.name
    )
    return mended, [found]


_STRAY = re.compile(r"[\x00-\x20<>\"{}|\\^`]")


def _encoded(quad: Quad) -> Quad:
    def mend(node: object) -> object:
        if isinstance(node, NamedNode) and _STRAY.search(node.value):
            return NamedNode(_STRAY.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), node.value))
        return node

    try:
        return Quad(mend(quad.subject), mend(quad.predicate), mend(quad.object), mend(quad.graph_name))  # type: ignore[arg-type]
    except ValueError:
        return quad  # no IRI even so; `_sound` says it


def _sound(quad: Quad) -> bool:
    """Whether all IRIs of a leniently read quad are IRIs: what is none could be kept in the ledger, but never be read again."""
    try:
        for node in (quad.subject, quad.predicate, quad.object, quad.graph_name):
            if isinstance(node, NamedNode):
                NamedNode(node.value)
            elif isinstance(node, Literal):
                NamedNode(node.datatype.value)
    except ValueError:
        return False
    return True


def _refuse_relative(source: Source, data: bytes) -> None:
    """JSON-LD's own rules drop relative IRIs where there is no base, without a word; here that is an error as in any syntax."""
    for quad in parse(data, format=RdfFormat.JSON_LD, lenient=True):
        for node in (quad.subject, quad.object, quad.graph_name):
            if isinstance(node, NamedNode) and not _SCHEME.match(node.value):
                raise SyntaxError(f"IRI '{node.value}': No scheme found in an absolute IRI ({source.name})")


def _line_of(error: Exception, data: bytes) -> int | None:
    line = getattr(error, "lineno", None)
    if isinstance(line, int):
        return line
    match = _LINE.search(str(error))
    if match:
        return int(match.group(1))
    quoted = re.search(r"IRI '([^']+)'", str(error))
    place = data.find(f'"{quoted.group(1)}"'.encode()) if quoted else -1
    return data.count(b"\n", 0, place) + 1 if place >= 0 else None


def _words(error: Exception) -> str:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    if "utf" in message.lower():
        return f"{message} (RDF is read as UTF-8)"
    return message


def _at(source: Source, line: int | None) -> str:
    return source.name if line is None else f"{source.name}:{line}"
